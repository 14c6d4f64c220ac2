//! From a hint to the name of an image, and back: what its keys must say to name another.

use super::hints::{Hint, Hinted, Is, Section};
use super::relocate::Place;
use super::tree::{Branch, Found};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Reference;
use crate::yaml::{Node, Scalar};

/// A hint with the values of its keys.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    pub(super) hinted: Hinted,
    /// The values of its keys, in their order.
    pub(super) texts: Vec<String>,
}

/// What is wrong with a hint, without the place of it.
pub(super) type Wrong = String;

impl Hint {
    /// The name that it gives with the values that `value` finds for its keys.
    pub(super) fn rendered(
        &self,
        mut value: impl FnMut(&[String]) -> Result<String, Wrong>,
    ) -> Result<Rendered, Wrong> {
        let mut texts = Vec::new();
        let (mut name, mut tag, mut digest) = (String::new(), String::new(), String::new());
        for piece in &self.pieces {
            let section = match piece.section {
                Section::Name => &mut name,
                Section::Tag => &mut tag,
                Section::Digest => &mut digest,
            };
            match &piece.is {
                Is::Literal(text) => section.push_str(text),
                Is::Key(path) => {
                    let text = value(path)?;
                    section.push_str(&text);
                    texts.push(text);
                }
            }
        }
        // A chart whose digest is empty goes by the tag; one whose registry is, by the runtime's.
        if digest == "@" {
            digest.clear();
        }
        if tag == ":" {
            if digest.is_empty() {
                let key = self.keys(Section::Tag).next().unwrap_or_default().join(".");
                return Err(format!("needs a tag, but `.{key}` is empty"));
            }
            tag.clear();
        }
        let reference = format!("{}{tag}{digest}", name.trim_start_matches('/'));
        let single = reference.replace("//", "/");
        let normalised: Reference = single
            .parse()
            .map_err(|error: Error| format!("gives no name of an image: {}", error.message()))?;
        Ok(Rendered {
            hinted: Hinted {
                pins: normalised.digest().is_some(),
                reference,
                normalised,
                hint: self.text.clone(),
                tail: self.tail(),
            },
            texts,
        })
    }

    /// The name that it gives with the values of `tree`, and where they stand.
    pub(super) fn rendered_by<'t>(
        &self,
        tree: &'t Branch<'_>,
    ) -> Result<(Rendered, Vec<Found<'t>>), Wrong> {
        let mut found = Vec::new();
        let rendered = self.rendered(|path| {
            let value = looked_up(tree, path)?;
            let text = printed(value.node);
            found.push(value);
            Ok(text)
        })?;
        Ok((rendered, found))
    }

    /// The line of the hint before what is wrong with it, as an error.
    pub(super) fn error(&self, place: &str, wrong: &Wrong) -> Error {
        let message = format!("line {}: the hint `{}` {wrong}", self.line, self.text);
        Error::new(ErrorKind::InvalidArchive, message).member(place)
    }

    /// What its keys, which say `texts`, must say for the image to be at `place`, in their order.
    pub(super) fn moved(&self, texts: &[String], place: &Place) -> Result<Vec<String>, Wrong> {
        let mut moved = texts.to_vec();
        let names: Vec<usize> = self.numbers(Section::Name).collect();
        let digest = self.numbers(Section::Digest).next();
        // What is empty pins nothing, and is not to begin with it.
        if let (Some(at), Some(digest)) = (digest, &place.digest)
            && !moved[at].is_empty()
        {
            moved[at] = digest.to_string();
        }
        let whole = format!("{}/{}", place.registry, place.repository);
        let fixed =
            || format!("writes a part of the name itself, so that `{whole}` cannot come out of it");
        let [before, between, behind] = self.around_names();
        let inner = whole
            .strip_prefix(before.as_str())
            .and_then(|rest| rest.strip_suffix(behind.as_str()));
        match names.as_slice() {
            [] if before == whole => {}
            [only] => {
                let tail = match self
                    .pieces
                    .iter()
                    .all(|piece| piece.section == Section::Name)
                {
                    true => tail(&moved[*only], place),
                    false => String::new(),
                };
                moved[*only] = format!("{}{tail}", inner.ok_or_else(fixed)?);
            }
            [registry, repository] => {
                let inner = inner.ok_or_else(fixed)?;
                let whole_registry = place.registry.strip_prefix(before.as_str());
                let (first, second) = match between.as_str() {
                    "" | "/" => whole_registry
                        .and_then(|first| Some((first, inner.strip_prefix(first)?)))
                        .and_then(|(first, rest)| Some((first, rest.strip_prefix('/')?))),
                    between => inner.split_once(between),
                }
                .ok_or_else(fixed)?;
                // The slash stays where it was written: behind the registry, before the repository.
                let leads = between.is_empty() && moved[*repository].starts_with('/');
                let trails = moved[*registry].ends_with('/') || (between.is_empty() && !leads);
                let slash = |yes| if yes { "/" } else { "" };
                moved[*registry] = format!("{first}{}", slash(trails));
                moved[*repository] = format!("{}{second}", slash(leads));
            }
            _ => return Err(fixed()),
        }
        Ok(moved)
    }

    /// The path that it writes behind the only key of the name.
    fn tail(&self) -> Option<String> {
        let [_, _, behind] = self.around_names();
        let is_path = behind.starts_with('/') && self.numbers(Section::Name).count() == 1;
        is_path.then_some(behind)
    }

    /// Which of its keys, by number, belong to `section`.
    pub(super) fn numbers(&self, section: Section) -> impl Iterator<Item = usize> {
        let keys = self
            .pieces
            .iter()
            .filter(|piece| matches!(piece.is, Is::Key(_)));
        let keys = keys.enumerate();
        keys.filter_map(move |(number, piece)| (piece.section == section).then_some(number))
    }

    /// The literal texts around and between the keys for registry and repository.
    fn around_names(&self) -> [String; 3] {
        let mut texts = vec![String::new()];
        for piece in self
            .pieces
            .iter()
            .filter(|piece| piece.section == Section::Name)
        {
            match (&piece.is, texts.last_mut()) {
                (Is::Literal(text), Some(last)) => last.push_str(text),
                _ => texts.push(String::new()),
            }
        }
        let last = if texts.len() > 1 { texts.pop() } else { None };
        let between = if texts.len() > 1 { texts.pop() } else { None };
        let first = texts.pop().unwrap_or_default();
        [first, between.unwrap_or_default(), last.unwrap_or_default()]
    }
}

/// The tag and digest that a value holds behind the name, where `place` does not say another digest.
pub(super) fn tail(value: &str, place: &Place) -> String {
    let (rest, digest) = match value.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (value, None),
    };
    let from = rest.rfind('/').map_or(0, |slash| slash + 1);
    let colon = rest.get(from..).and_then(|name| name.find(':'));
    let tag = colon.and_then(|colon| rest.get(from + colon..));
    let digest = digest.map(|old| match &place.digest {
        Some(new) => format!("@{new}"),
        None => format!("@{old}"),
    });
    format!("{}{}", tag.unwrap_or_default(), digest.unwrap_or_default())
}

/// A value as Helm prints it, and charts-syncer with it, which names the images of bundles: `1.10`
/// without quotes is the number 1.1. Those that Helm prints with an exponent are no tags to
/// anybody; they stay as they are written.
fn printed(node: Node<'_>) -> String {
    let text = node.as_str().unwrap_or_default();
    let number = match node.scalar() {
        Some(Scalar::Float(text)) => text.replace('_', "").parse::<f64>().ok(),
        _ => None,
    };
    match number.filter(|number| (1e-4..1e6).contains(&number.abs())) {
        Some(number) => number.to_string(),
        None => text.to_owned(),
    }
}

/// The value at `path`, which must be a text or nothing.
fn looked_up<'t>(tree: &'t Branch<'_>, path: &[String]) -> Result<Found<'t>, Wrong> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let key = path.join(".");
    let Some(found) = tree.find(&path) else {
        let nearest = tree.nearest(&path);
        let nearest = nearest.map(|key| format!("; the nearest is `{key}`"));
        let nearest = nearest.unwrap_or_default();
        return Err(format!("needs `.{key}`, which no values have{nearest}"));
    };
    let wrong = |node: Node<'_>| {
        let file = tree
            .at(&found.at.way)
            .map_or("", |branch| branch.file.as_str());
        let (is, line) = (node.kind_name(), node.line());
        format!("needs a text at `.{key}`, which is {is} in `{file}`, line {line}")
    };
    if found.node.as_str().is_none() && !found.node.is_null() {
        return Err(wrong(found.node));
    }
    Ok(found)
}
