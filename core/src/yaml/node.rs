//! Looking things up in a document.

use std::collections::BTreeSet;

use super::{Document, Kind, Part, Scalar, Style};

/// A value of a document. An alias looks like what it names, but for its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    document: &'a Document,
    at: usize,
}

impl<'a> Node<'a> {
    pub(super) fn new(document: &'a Document, at: usize) -> Self {
        Self { document, at }
    }

    /// Which part of the document it is.
    pub(super) fn number(self) -> usize {
        self.at
    }

    fn part(self) -> &'a Part {
        self.document.part(self.at)
    }

    fn content(self) -> &'a Part {
        self.document.part(self.document.resolved(self.at))
    }

    /// The line where it is written, from 1.
    pub(crate) fn line(self) -> usize {
        self.part().line
    }

    /// The column where it is written, in characters, from 1.
    pub(crate) fn column(self) -> usize {
        self.part().column
    }

    /// What it means, if it is a scalar.
    pub(crate) fn scalar(self) -> Option<Scalar<'a>> {
        let part = self.content();
        match &part.kind {
            Kind::Scalar {
                text,
                style: Style::Plain,
            } if !part.tagged => Some(Scalar::of_plain(text)),
            Kind::Scalar { text, .. } => Some(Scalar::Str(text)),
            _ => None,
        }
    }

    /// The text of a scalar, with numbers and truth values as they are written; none for nothing.
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match &self.content().kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar, even of one that means nothing.
    pub(super) fn text(self) -> Option<&'a str> {
        match &self.content().kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is nothing: `null`, `~`, or no text at all.
    pub(crate) fn is_null(self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// The keys and values of a mapping, in order, with those that it merges (`<<`) behind its own.
    pub(crate) fn entries(self) -> Option<impl Iterator<Item = (Node<'a>, Node<'a>)>> {
        let mut seen = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let mut found = Vec::new();
        let mut layer = vec![self.mapping()?];
        while let Some(at) = layer.pop() {
            if !seen.insert(at) {
                continue;
            }
            let start = found.len();
            // Of two with one name the last counts.
            for (key, value) in self.own(at).iter().rev() {
                let merge = self.document.is_merge(*key);
                let name = self.document.key(*key);
                if !merge && name.is_none_or(|name| keys.insert(name)) {
                    found.push((self.to(*key), self.to(*value)));
                }
            }
            found[start..].reverse();
            layer.extend(self.merged(at).into_iter().rev());
        }
        Some(found.into_iter())
    }

    /// The items of a list.
    pub(crate) fn items(self) -> Option<impl Iterator<Item = Node<'a>>> {
        match &self.content().kind {
            Kind::Sequence { items, .. } => Some(items.iter().map(move |at| self.to(*at))),
            _ => None,
        }
    }

    /// What a mapping has for `key`, of its own or merged.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        let mut seen = BTreeSet::new();
        let mut layer = vec![self.mapping()?];
        while let Some(at) = layer.pop() {
            // What was looked at did not have it: a mapping merged twice costs nothing.
            if !seen.insert(at) {
                continue;
            }
            if let Some((_, value)) = self.document.own_entry(at, key) {
                return Some(self.to(value));
            }
            layer.extend(self.merged(at).into_iter().rev());
        }
        None
    }

    /// What is below: by its key in a mapping, by its number in a list.
    pub(super) fn step(self, key: &str) -> Option<Self> {
        match &self.content().kind {
            Kind::Sequence { items, .. } => {
                items.get(key.parse::<usize>().ok()?).map(|at| self.to(*at))
            }
            _ => self.get(key),
        }
    }

    /// What stands at `path`, key below key.
    pub(crate) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// What it is, for messages.
    pub(crate) fn kind_name(self) -> &'static str {
        match (&self.content().kind, self.scalar()) {
            (Kind::Mapping { .. }, _) => "a mapping",
            (Kind::Sequence { .. }, _) => "a list",
            (_, Some(Scalar::Null)) => "nothing",
            (_, Some(Scalar::Bool(_))) => "a truth value",
            (_, Some(Scalar::Int(_) | Scalar::Float(_))) => "a number",
            _ => "text",
        }
    }

    fn to(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The part with its entries, if it is a mapping.
    fn mapping(self) -> Option<usize> {
        let at = self.document.resolved(self.at);
        matches!(self.document.part(at).kind, Kind::Mapping { .. }).then_some(at)
    }

    fn own(self, at: usize) -> &'a [(usize, usize)] {
        self.document.own_entries(at)
    }

    /// The mappings that the one at `at` merges, the foremost first.
    fn merged(self, at: usize) -> Vec<usize> {
        let mut merged = Vec::new();
        for (key, value) in self.own(at) {
            if self.document.is_merge(*key) {
                let value = self.document.resolved(*value);
                match &self.document.part(value).kind {
                    Kind::Sequence { items, .. } => {
                        merged.extend(items.iter().map(|item| self.document.resolved(*item)));
                    }
                    _ => merged.push(value),
                }
            }
        }
        merged.retain(|at| matches!(self.document.part(*at).kind, Kind::Mapping { .. }));
        merged
    }
}

impl Document {
    /// The entries that the mapping at `at` is written with.
    pub(super) fn own_entries(&self, at: usize) -> &[(usize, usize)] {
        match &self.part(at).kind {
            Kind::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The entry for `key` among those that the mapping at `at` is written with.
    pub(super) fn own_entry(&self, at: usize, key: &str) -> Option<(usize, usize)> {
        if let Kind::Mapping { entries, index, .. } = &self.part(at).kind
            && !index.is_empty()
        {
            return index.get(key).and_then(|at| entries.get(*at)).copied();
        }
        let entries = self.own_entries(at).iter().rev();
        let is =
            |(name, _): &&(usize, usize)| !self.is_merge(*name) && self.key(*name) == Some(key);
        entries.copied().find(|entry| is(&entry))
    }

    /// The text of a key, if it has one.
    pub(super) fn key(&self, at: usize) -> Option<&str> {
        match &self.part(self.resolved(at)).kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether the key at `at` is the one that merges.
    pub(super) fn is_merge(&self, at: usize) -> bool {
        let plain = Style::Plain;
        matches!(&self.part(at).kind, Kind::Scalar { text, style } if text == "<<" && *style == plain)
    }
}
