//! Hints: templates over a chart's values, one for each image that it needs.
//!
//! `{{ .path.to.key }}` stands for a value, everything else for itself. What comes behind the last
//! `:` is the tag, behind `@` the digest; before them are registry and repository, as two values or
//! as one.

use crate::error::{Error, ErrorKind, Result};
use crate::oci::Reference;
use crate::yaml::{Document, Node};

/// The hints of a chart.
#[derive(Debug, Clone)]
pub(crate) struct Hints {
    pub(super) hints: Vec<Hint>,
    /// What messages call their file.
    pub(super) place: String,
}

/// A template for the name of an image.
#[derive(Debug, Clone)]
pub(super) struct Hint {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) pieces: Vec<Piece>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) section: Section,
    pub(super) is: Is,
}

/// Which part of an image's name a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// Registry and repository.
    Name,
    /// With its colon.
    Tag,
    /// With its `@`.
    Digest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Is {
    Literal(String),
    Key(Vec<String>),
}

/// An image that a hint names.
#[derive(Debug, Clone)]
pub(crate) struct Hinted {
    /// As the values spell it.
    pub(crate) reference: String,
    pub(crate) normalised: Reference,
    /// The values pin its digest.
    pub(crate) pins: bool,
    /// The hint that names it.
    pub(crate) hint: String,
    /// The path that the hint writes itself behind the only key of its name: `/acme/app` of
    /// `{{ .registry }}/acme/app:{{ .tag }}`.
    pub(crate) tail: Option<String>,
}

impl Hints {
    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.hints.is_empty()
    }

    /// The hints in `text`, a file that messages call `place`.
    pub(crate) fn parse(text: &str, place: &str) -> Result<Self> {
        let blame = |error: Error| error.member(place);
        let document = Document::parse(text)
            .map_err(|problem| blame(problem.into_error(ErrorKind::InvalidArchive)))?;
        let root = document.root();
        let invalid = |node: Node<'_>, message: String| {
            let message = format!("line {}: {message}", node.line());
            blame(Error::new(ErrorKind::InvalidArchive, message))
        };
        let mut hints = Vec::new();
        if root.is_null() {
            return Ok(Self {
                hints,
                place: place.to_owned(),
            });
        }
        let Some(items) = root.items() else {
            let message = format!(
                "{}, where a list of templates is expected",
                root.kind_name()
            );
            return Err(invalid(root, message));
        };
        for item in items {
            let Some(crate::yaml::Scalar::Str(text)) = item.scalar() else {
                let message = format!("{}, where a template is expected", item.kind_name());
                // `- {{ .a }}` without quotes is a mapping.
                return Err(invalid(item, message).hint("put templates in double quotes"));
            };
            let pieces = pieces(text).map_err(|why| {
                let message = format!("the hint `{text}` {why}");
                invalid(item, message).hint(
                    "a hint is `{{ .registry.key }}/{{ .repository.key }}:{{ .tag.key }}`, or with \
                     one key for registry and repository",
                )
            })?;
            hints.push(Hint {
                text: text.to_owned(),
                line: item.line(),
                pieces,
            });
        }
        Ok(Self {
            hints,
            place: place.to_owned(),
        })
    }
}

impl Hint {
    /// The keys in the pieces of `section`.
    pub(super) fn keys(&self, section: Section) -> impl Iterator<Item = &[String]> {
        self.pieces.iter().filter_map(move |piece| match &piece.is {
            Is::Key(path) if piece.section == section => Some(path.as_slice()),
            _ => None,
        })
    }
}

/// A template taken apart, or what is wrong with it.
fn pieces(text: &str) -> std::result::Result<Vec<Piece>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        parts.push(Is::Literal(before.to_owned()));
        let Some((key, behind)) = after.split_once("}}") else {
            return Err("opens a `{{` that it does not close".to_owned());
        };
        parts.push(Is::Key(path(key)?));
        rest = behind;
    }
    if rest.contains("}}") {
        return Err("closes a `}}` that it did not open".to_owned());
    }
    parts.push(Is::Literal(rest.to_owned()));

    // Whether a slash follows: what comes before is no tag then.
    let slashes = parts
        .iter()
        .map(|part| matches!(part, Is::Literal(text) if text.contains('/')));
    let last_slash = slashes.collect::<Vec<_>>().iter().rposition(|slash| *slash);
    let mut section = Section::Name;
    let mut pieces = Vec::new();
    for (at, part) in parts.into_iter().enumerate() {
        let Is::Literal(text) = part else {
            pieces.push(Piece { section, is: part });
            continue;
        };
        let mut rest = text.as_str();
        if section == Section::Name && last_slash.is_none_or(|last| at >= last) {
            let from = rest.rfind('/').map_or(0, |slash| slash + 1);
            let end = rest.find('@').unwrap_or(rest.len());
            let colon = rest.get(from..end).and_then(|part| part.find(':'));
            if let Some(colon) = colon {
                let (name, tag) = rest.split_at(from + colon);
                literal(&mut pieces, section, name);
                (section, rest) = (Section::Tag, tag);
            }
        }
        if let Some(sign) = rest.find('@') {
            if section == Section::Digest {
                return Err("has two digests".to_owned());
            }
            let (before, digest) = rest.split_at(sign);
            literal(&mut pieces, section, before);
            (section, rest) = (Section::Digest, digest);
        }
        literal(&mut pieces, section, rest);
    }
    let count = |wanted| {
        let key = |piece: &&Piece| piece.section == wanted && matches!(piece.is, Is::Key(_));
        pieces.iter().filter(key).count()
    };
    match (
        count(Section::Name),
        count(Section::Tag),
        count(Section::Digest),
    ) {
        (names @ 3.., ..) => Err(format!(
            "has {names} keys for registry and repository, where one or two are expected"
        )),
        (_, tags @ 2.., _) => Err(format!("has {tags} keys for the tag")),
        (.., digests @ 2..) => Err(format!("has {digests} keys for the digest")),
        _ => Ok(pieces),
    }
}

fn literal(pieces: &mut Vec<Piece>, section: Section, text: &str) {
    if !text.is_empty() {
        let is = Is::Literal(text.to_owned());
        pieces.push(Piece { section, is });
    }
}

/// The path that stands between braces.
fn path(key: &str) -> std::result::Result<Vec<String>, String> {
    let key = key.trim();
    let wrong = || format!("has `{key}` between its braces, which is no key such as `.image.tag`");
    let path = key.strip_prefix('.').ok_or_else(wrong)?;
    let fine = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "|()\"'`{}$".contains(c))
    };
    if !path.split('.').all(fine) {
        return Err(wrong());
    }
    Ok(path.split('.').map(str::to_owned).collect())
}
