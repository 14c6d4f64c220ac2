//! Copies of values for the places that shared them, on one line.

use super::super::scalar::written;
use super::super::{Kind, Node, Problem, Scalar, Style};
use super::insert::fresh;
use super::{Change, Work};

/// The most bytes of copies that one document's edits may need: aliases of aliases grow fast.
pub(super) const ROOM: usize = 1 << 20;

impl Work<'_> {
    /// What the part at `at` stands for, with `change`, in brackets. `flow`: whether it goes where
    /// brackets are around it.
    pub(super) fn copy(
        &self,
        at: usize,
        change: Option<&Change>,
        flow: bool,
        left: &mut usize,
    ) -> Result<String, Problem> {
        let mut out = String::new();
        self.write(at, change, flow, left, &mut out)?;
        Ok(out)
    }

    fn write(
        &self,
        at: usize,
        change: Option<&Change>,
        flow: bool,
        left: &mut usize,
        out: &mut String,
    ) -> Result<(), Problem> {
        let start = out.len();
        let node = Node::new(self.document, at);
        let part = self.document.part(self.document.resolved(at));
        match (&part.kind, change) {
            (Kind::Scalar { style, .. }, Some(Change::Set(value))) => {
                out.push_str(&written(value, *style, flow));
            }
            (Kind::Scalar { .. }, Some(change)) if node.is_null() => out.push_str(&fresh(change)),
            (Kind::Scalar { .. }, Some(Change::Below(_))) => {
                return Err(self.unfit(at, "a mapping"));
            }
            (Kind::Scalar { text, style }, None) => {
                let tag = self.document.text.get(part.outset..part.start);
                if part.tagged && !tag.is_some_and(|tag| tag.contains("!!str")) {
                    let message = "a value with a tag of its own, which cannot be copied";
                    return Err(self.problem(at, message.to_owned()));
                }
                match node.scalar() {
                    Some(Scalar::Null) => out.push_str("null"),
                    Some(Scalar::Str(text)) => out.push_str(&written(text, *style, flow)),
                    _ => out.push_str(text),
                }
            }
            (_, Some(Change::Set(_))) => return Err(self.unfit(at, "a text")),
            (Kind::Sequence { items, .. }, change) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, left, out)?;
                    let change = change.and_then(|change| change.at(&index.to_string()));
                    self.write(*item, change, true, left, out)?;
                }
                out.push(']');
            }
            (Kind::Mapping { .. }, change) => self.write_mapping(node, change, left, out)?,
            (Kind::Alias(_), _) => {}
        }
        let collection = !matches!(part.kind, Kind::Scalar { .. });
        // What is in a collection was counted.
        let fresh = if collection { 2 } else { out.len() - start };
        self.spend(fresh, left)
    }

    fn write_mapping(
        &self,
        node: Node<'_>,
        change: Option<&Change>,
        left: &mut usize,
        out: &mut String,
    ) -> Result<(), Problem> {
        out.push('{');
        let mut index = 0;
        for (key, value) in node.entries().into_iter().flatten() {
            self.separate(index, left, out)?;
            index += 1;
            self.write(key.number(), None, true, left, out)?;
            out.push_str(": ");
            let change = key.text().and_then(|key| change?.at(key));
            self.write(value.number(), change, true, left, out)?;
        }
        if let Some(Change::Below(keys)) = change {
            for (key, change) in keys {
                if node.get(key).is_none() {
                    self.separate(index, left, out)?;
                    index += 1;
                    out.push_str(&written(key, Style::Plain, true));
                    out.push_str(": ");
                    out.push_str(&fresh(change));
                }
            }
        }
        out.push('}');
        Ok(())
    }

    fn separate(&self, index: usize, left: &mut usize, out: &mut String) -> Result<(), Problem> {
        if index > 0 {
            out.push_str(", ");
        }
        self.spend(2, left)
    }

    fn spend(&self, bytes: usize, left: &mut usize) -> Result<(), Problem> {
        let Some(rest) = left.checked_sub(bytes) else {
            let root = self.document.root;
            let message = "its aliases stand for too much to be written out";
            let mut problem = self.problem(root, message.to_owned());
            problem.limit = true;
            return Err(problem);
        };
        *left = rest;
        Ok(())
    }
}
