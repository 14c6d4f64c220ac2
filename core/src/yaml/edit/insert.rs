//! Keys that a mapping does not have yet.

use super::super::scalar::written;
use super::super::{Kind, Part, Problem, Style};
use super::value::is_absent;
use super::{Change, Place, VALUE, Work};

/// How much deeper a mapping stands than its key.
const STEP: usize = 2;

/// Lines at one place come in the order of their depth, the innermost first.
fn rank(depth: usize) -> usize {
    usize::MAX - depth
}

impl<'a> Work<'a> {
    /// Adds `missing` keys to the mapping of `place`.
    pub(super) fn insert(
        &mut self,
        place: Place<'a>,
        flow: bool,
        missing: &[(&str, &'a Change)],
    ) -> Result<(), Problem> {
        if missing.is_empty() {
            return Ok(());
        }
        let part = self.document.part(place.at);
        let first = self.document.own_entries(place.at).first().copied();
        if flow {
            if !self.document.text[part.start..].starts_with('{') {
                return Err(self.problem(place.at, "no key can be added here".to_owned()));
            }
            let mut pairs = Vec::new();
            for (key, change) in missing {
                pairs.push(self.pair(place.at, key, change)?);
            }
            let pairs = pairs.join(", ");
            match first.map(|(key, _)| self.document.part(key).outset) {
                Some(start) => self.patch(start, start, VALUE, format!("{pairs}, ")),
                None => self.patch(part.start + 1, part.start + 1, VALUE, pairs),
            }
            return Ok(());
        }
        let Some((first, _)) = first else {
            return Ok(());
        };
        let start = self.document.part(first).outset;
        let indent = self.indent(start);
        let newline = self.newline();
        let mut lines = Vec::new();
        for (key, change) in missing {
            self.lines(place.at, key, change, indent, &mut lines)?;
        }
        match self.behind_last(place.at) {
            Some(end) => {
                let text = lines
                    .iter()
                    .fold(String::new(), |text, line| text + newline + line);
                self.patch(end, end, rank(place.depth), text);
            }
            None => {
                let pad = " ".repeat(indent);
                let lines = lines.join(newline);
                let text = format!("{}{newline}{pad}", lines.trim_start());
                self.patch(start, start, VALUE, text);
            }
        }
        Ok(())
    }

    /// Makes a mapping of `keys` from the nothing of `place`.
    pub(super) fn fill(
        &mut self,
        place: Place<'a>,
        keys: &'a [(String, Change)],
    ) -> Result<(), Problem> {
        let part = self.document.part(place.at);
        if !super::Node::new(self.document, place.at).is_null() {
            return Err(self.unfit(place.at, "a mapping"));
        }
        let newline = self.newline();
        let bare = is_absent(part) && part.outset == part.start;
        let mut lines = Vec::new();
        match place.key {
            Some(key) if bare && !place.flow => {
                let key = self.document.part(key);
                let indent = self.indent(key.outset) + STEP;
                for (key, change) in keys {
                    self.lines(place.at, key, change, indent, &mut lines)?;
                }
                let end = self.line_end(key.end);
                let text = lines
                    .iter()
                    .fold(String::new(), |text, line| text + newline + line);
                self.patch(end, end, rank(place.depth), text);
            }
            None if bare && place.at == self.document.root => {
                for (key, change) in keys {
                    self.lines(place.at, key, change, 0, &mut lines)?;
                }
                let end = self.document.end;
                let before = self.document.text.get(..end).unwrap_or_default();
                let fresh = matches!(before, "" | "\u{feff}") || before.ends_with(['\n', '\r']);
                let lead = if fresh { "" } else { newline };
                let text = format!("{lead}{}{newline}", lines.join(newline));
                self.patch(end, end, VALUE, text);
            }
            _ => {
                let mut pairs = Vec::new();
                for (key, change) in keys {
                    pairs.push(self.pair(place.at, key, change)?);
                }
                self.put(place, &format!("{{{}}}", pairs.join(", ")));
            }
        }
        Ok(())
    }

    /// A key that is added to the mapping at `at`, as it stands in brackets. What it merges under
    /// that name stays but for the change.
    fn pair(&self, at: usize, key: &str, change: &Change) -> Result<String, Problem> {
        let mut left = super::copy::ROOM;
        let merged = super::Node::new(self.document, at).get(key);
        let value = match merged {
            Some(merged) => self.copy(merged.number(), Some(change), true, &mut left)?,
            None => fresh(change),
        };
        Ok(format!("{}: {value}", written(key, Style::Plain, true)))
    }

    /// The same on lines of their own.
    fn lines(
        &self,
        at: usize,
        key: &str,
        change: &Change,
        indent: usize,
        lines: &mut Vec<String>,
    ) -> Result<(), Problem> {
        let pad = " ".repeat(indent);
        let name = written(key, Style::Plain, false);
        let merged = super::Node::new(self.document, at).get(key);
        match (merged, change) {
            (_, Change::Set(value)) => {
                let value = written(value, Style::Plain, false);
                lines.push(format!("{pad}{name}: {value}"));
            }
            (Some(merged), Change::Below(_)) => {
                let mut left = super::copy::ROOM;
                let value = self.copy(merged.number(), Some(change), true, &mut left)?;
                lines.push(format!("{pad}{name}: {value}"));
            }
            (None, Change::Below(keys)) => {
                lines.push(format!("{pad}{name}:"));
                for (key, change) in keys {
                    // Below what is not there is nothing to merge.
                    self.new_lines(key, change, indent + STEP, lines);
                }
            }
        }
        Ok(())
    }

    fn new_lines(&self, key: &str, change: &Change, indent: usize, lines: &mut Vec<String>) {
        let pad = " ".repeat(indent);
        let name = written(key, Style::Plain, false);
        match change {
            Change::Set(value) => {
                let value = written(value, Style::Plain, false);
                lines.push(format!("{pad}{name}: {value}"));
            }
            Change::Below(keys) => {
                lines.push(format!("{pad}{name}:"));
                for (key, change) in keys {
                    self.new_lines(key, change, indent + STEP, lines);
                }
            }
        }
    }

    /// The end of the line on which the last entry of a block mapping ends. A block scalar at its
    /// end would take a line behind it for its own, so entries with one are passed over.
    fn behind_last(&self, at: usize) -> Option<usize> {
        let entries = self.document.own_entries(at).iter().rev();
        let mut ends = entries.map(|(key, value)| self.leaf_end(*key, *value));
        ends.find_map(|end| end).map(|end| self.line_end(end))
    }

    /// Where an entry ends; unknown for block scalars.
    fn leaf_end(&self, key: usize, value: usize) -> Option<usize> {
        let (mut before, mut at) = (self.document.part(key).end, value);
        loop {
            let part = self.document.part(at);
            match &part.kind {
                Kind::Scalar {
                    style: Style::Block,
                    ..
                } => return None,
                Kind::Mapping {
                    flow: false,
                    entries,
                    ..
                } if !entries.is_empty() => {
                    let (key, value) = *entries.last()?;
                    (before, at) = (self.document.part(key).end, value);
                }
                Kind::Sequence { flow: false, items } if !items.is_empty() => {
                    (before, at) = (part.start, *items.last()?);
                }
                // The parser puts what is not there wherever it notices.
                _ if is_absent(part) && part.outset == part.start => {
                    return Some(part.start.min(before.max(self.dash(part, before))));
                }
                _ => return Some(part.end.max(before)),
            }
        }
    }

    /// For an empty item, where the parser saw it; for an empty value, its key.
    fn dash(&self, part: &Part, before: usize) -> usize {
        let between = self.document.text.get(before..part.start);
        match between.and_then(|text| text.rfind('-')) {
            Some(at) => before + at + 1,
            None => before,
        }
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.document.text.get(from..).unwrap_or_default();
        from + rest.find(['\n', '\r']).unwrap_or(rest.len())
    }

    /// How far from the start of its line something stands.
    fn indent(&self, at: usize) -> usize {
        let before = self.document.text.get(..at).unwrap_or_default();
        let line = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = before.get(line..).unwrap_or_default();
        line.trim_start_matches('\u{feff}').chars().count()
    }

    /// How lines end here.
    fn newline(&self) -> &'static str {
        let text = self.document.text();
        let first = text.find('\n').and_then(|at| text.get(..at));
        match first {
            Some(line) if line.ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }
}

/// A change as a value of its own, in brackets.
pub(super) fn fresh(change: &Change) -> String {
    match change {
        Change::Set(value) => written(value, Style::Plain, true),
        Change::Below(keys) => {
            let pair = |(key, change): &(String, Change)| {
                format!("{}: {}", written(key, Style::Plain, true), fresh(change))
            };
            let pairs: Vec<_> = keys.iter().map(pair).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}
