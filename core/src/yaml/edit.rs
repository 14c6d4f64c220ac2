//! Changing single values of a document, and leaving every other byte as it is.
//!
//! What changes is a tree of keys. It is laid over the document as it is written; where it meets an
//! alias, or a value that has aliases elsewhere, those that are to differ from now on are replaced
//! by copies, so that nothing changes but what was asked for.

mod copy;
mod insert;
mod value;

use std::collections::BTreeMap;

use super::{Document, Kind, Node, Problem};

/// Changes to a document, collected.
#[derive(Debug)]
pub(crate) struct Edits<'a> {
    document: &'a Document,
    change: Change,
    paths: BTreeMap<Vec<String>, String>,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// It becomes this text.
    Set(String),
    /// It stays a mapping (or a list), in which these change, in the order they came up.
    Below(Vec<(String, Self)>),
}

impl Change {
    fn set(&mut self, path: &[&str], value: &str) {
        let Some((first, rest)) = path.split_first() else {
            *self = Self::Set(value.to_owned());
            return;
        };
        if matches!(self, Self::Set(_)) {
            *self = Self::Below(Vec::new());
        }
        let Self::Below(keys) = self else { return };
        let at = keys.iter().position(|(key, _)| key == first);
        let at = at.unwrap_or_else(|| {
            keys.push(((*first).to_owned(), Self::Below(Vec::new())));
            keys.len() - 1
        });
        if let Some((_, below)) = keys.get_mut(at) {
            below.set(rest, value);
        }
    }

    /// What of it concerns `key`.
    fn at(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Set(_) => None,
            Self::Below(keys) => keys.iter().find(|(name, _)| name == key).map(|(_, c)| c),
        }
    }
}

/// Bytes of the text that become others.
struct Patch {
    start: usize,
    end: usize,
    /// Of those that begin at one place, the lower comes first.
    rank: usize,
    text: String,
}

/// Before every insertion of a line.
const VALUE: usize = 0;

/// Where the walk is.
#[derive(Clone, Copy)]
struct Place<'a> {
    at: usize,
    /// The key, if it is the value of one.
    key: Option<usize>,
    /// Within brackets.
    flow: bool,
    depth: usize,
    change: &'a Change,
}

impl Document {
    /// Changes to it.
    pub(crate) fn edit(&self) -> Edits<'_> {
        Edits {
            document: self,
            change: Change::Below(Vec::new()),
            paths: BTreeMap::new(),
        }
    }
}

impl Edits<'_> {
    /// What stands at `path` becomes the text `value`; keys that are missing are added. An item of
    /// a list goes by its number.
    pub(crate) fn set(&mut self, path: &[&str], value: &str) {
        self.change.set(path, value);
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.paths.insert(path, value.to_owned());
    }

    /// The text with the changes; a problem if a key is to go where there is no mapping, or a text
    /// where there are values below.
    pub(crate) fn apply(self) -> Result<String, Problem> {
        let document = self.document;
        let text = document.text();
        if self.paths.is_empty() {
            return Ok(text.to_owned());
        }
        let mut work = Work {
            document,
            patches: Vec::new(),
            definitions: BTreeMap::new(),
            aliases: BTreeMap::new(),
        };
        work.walk(Place {
            at: document.root,
            key: None,
            flow: false,
            depth: 0,
            change: &self.change,
        })?;
        work.settle()?;
        let edited = work.patched();
        self.check(&edited)?;
        Ok(edited)
    }

    /// Reads it again: what we wrote must say what was asked for.
    fn check(&self, edited: &str) -> Result<(), Problem> {
        let read = super::read::read(edited, self.document.strictness);
        for (path, value) in &self.paths {
            let reached = (read.as_ref().ok()).and_then(|document| {
                let mut keys = path.iter();
                keys.try_fold(document.root(), |node, key| node.step(key))
            });
            if reached.and_then(Node::text) != Some(value) {
                let mut node = self.document.root();
                for key in path {
                    node = node.step(key).unwrap_or(node);
                }
                let message = format!("`{}` cannot be changed where it stands", path.join("."));
                return Err(Problem::new(node.line(), node.column(), message));
            }
        }
        Ok(())
    }
}

/// Edits as they are worked out.
struct Work<'a> {
    document: &'a Document,
    patches: Vec<Patch>,
    /// What changes in values that have an anchor.
    definitions: BTreeMap<usize, &'a Change>,
    /// What changes at aliases, and whether they stand in brackets.
    aliases: BTreeMap<usize, (&'a Change, bool)>,
}

impl<'a> Work<'a> {
    fn walk(&mut self, place: Place<'a>) -> Result<(), Problem> {
        let part = self.document.part(place.at);
        if part.anchor.is_some() {
            self.definitions.insert(place.at, place.change);
        }
        match (&part.kind, place.change) {
            (Kind::Alias(_), change) => {
                self.aliases.insert(place.at, (change, place.flow));
                Ok(())
            }
            (Kind::Scalar { .. }, Change::Set(value)) => {
                self.set(place, value);
                Ok(())
            }
            (Kind::Scalar { .. }, Change::Below(keys)) => self.fill(place, keys),
            (Kind::Mapping { flow, .. }, Change::Below(keys)) => {
                let flow = place.flow || *flow;
                let mut missing = Vec::new();
                for (key, change) in keys {
                    match self.document.own_entry(place.at, key) {
                        Some((key, value)) => self.walk(Place {
                            at: value,
                            key: Some(key),
                            flow,
                            depth: place.depth + 1,
                            change,
                        })?,
                        None => missing.push((key.as_str(), change)),
                    }
                }
                self.insert(place, flow, &missing)
            }
            (Kind::Sequence { flow, items }, Change::Below(keys)) => {
                for (key, change) in keys {
                    let at = key.parse().ok().and_then(|at: usize| items.get(at));
                    let Some(at) = at.copied() else {
                        return Err(self.problem(place.at, format!("the list has no item {key}")));
                    };
                    self.walk(Place {
                        at,
                        key: None,
                        flow: place.flow || *flow,
                        depth: place.depth + 1,
                        change,
                    })?;
                }
                Ok(())
            }
            (_, Change::Set(_)) => Err(self.unfit(place.at, "a text")),
        }
    }

    /// Replaces the aliases that are to differ from what they stand for.
    fn settle(&mut self) -> Result<(), Problem> {
        let mut left = copy::ROOM;
        let mut kept = BTreeMap::new();
        for at in 0..self.document.parts.len() {
            let Kind::Alias(target) = self.document.part(at).kind else {
                continue;
            };
            let (change, flow) = match self.aliases.get(&at) {
                Some((change, flow)) => (Some(*change), *flow),
                None => (None, true),
            };
            if self.definitions.get(&target).copied() == change {
                *kept.entry(target).or_insert(0) += 1;
                continue;
            }
            let text = self.copy(target, change, flow, &mut left)?;
            let part = self.document.part(at);
            self.patch(part.start, part.end, VALUE, text);
        }
        let changed: Vec<usize> = self.definitions.keys().copied().collect();
        for at in changed.into_iter().filter(|at| !kept.contains_key(at)) {
            self.drop_anchor(at);
        }
        Ok(())
    }

    fn patch(&mut self, start: usize, end: usize, rank: usize, text: String) {
        self.patches.push(Patch {
            start,
            end,
            rank,
            text,
        });
    }

    fn patched(mut self) -> String {
        let text = self.document.text();
        self.patches.sort_by_key(|patch| (patch.start, patch.rank));
        let mut edited = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for patch in &self.patches {
            edited.push_str(text.get(at..patch.start).unwrap_or_default());
            edited.push_str(&patch.text);
            at = at.max(patch.end);
        }
        edited.push_str(text.get(at..).unwrap_or_default());
        edited
    }

    fn problem(&self, at: usize, message: String) -> Problem {
        let part = self.document.part(at);
        Problem::new(part.line, part.column, message)
    }

    fn unfit(&self, at: usize, wanted: &str) -> Problem {
        let is = Node::new(self.document, at).kind_name();
        self.problem(at, format!("{is}, where {wanted} is to go"))
    }
}
