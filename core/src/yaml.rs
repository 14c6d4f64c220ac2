//! YAML that knows where everything stands: configurations whose errors name the line, and values
//! that are edited in place.
//!
//! Syntax is YAML 1.2's. Plain words mean what Helm, whose parser speaks 1.1, takes them for: `yes`
//! is a truth value, `1.10` a number; [`Node::as_str`] gives both as they are written.

mod edit;
mod node;
mod read;
mod scalar;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

pub(crate) use node::Node;
pub(crate) use scalar::Scalar;

use crate::error::{Error, ErrorKind};

/// A YAML document: its text, and what stands where in it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    text: String,
    parts: Vec<Part>,
    root: usize,
    /// Where its content is over: before `...`, or at the end of the text.
    end: usize,
    strictness: read::Strictness,
}

/// A value of a document, as written.
#[derive(Debug, Clone)]
struct Part {
    kind: Kind,
    /// From its first byte behind anchor and tag to the one behind its last.
    start: usize,
    end: usize,
    /// Where its anchor or tag begins, else `start`.
    outset: usize,
    /// From 1.
    line: usize,
    column: usize,
    /// Where its anchor is defined: `&name`, as bytes of the text.
    anchor: Option<(usize, usize)>,
    tagged: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Scalar {
        text: String,
        style: Style,
    },
    Sequence {
        flow: bool,
        items: Vec<usize>,
    },
    Mapping {
        /// In brackets.
        flow: bool,
        entries: Vec<(usize, usize)>,
        /// Of many entries, which is the last with a key: a mapping may be asked often.
        index: BTreeMap<String, usize>,
    },
    /// Stands for this part, which was complete before it.
    Alias(usize),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    /// `|` and `>`.
    Block,
}

/// What is wrong in a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    pub(crate) message: String,
    /// It is fine YAML, but asks for more than our limits allow.
    pub(crate) limit: bool,
}

impl Problem {
    fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            column,
            message: message.into(),
            limit: false,
        }
    }

    /// The problem as an error of `kind`, unless a limit was met; its file is up to the caller.
    pub(crate) fn into_error(self, kind: ErrorKind) -> Error {
        let kind = if self.limit {
            ErrorKind::LimitExceeded
        } else {
            kind
        };
        Error::new(kind, self.to_string())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl Document {
    /// The document that `text` is, which must be the only one in it and name no key twice.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        read::read(text, read::Strictness::Strict)
    }

    /// The document that `text` begins with. Of a key that is there twice the last counts, as
    /// Helm has it.
    pub(crate) fn parse_as_helm(text: &str) -> Result<Self, Problem> {
        read::read(text, read::Strictness::AsHelm)
    }

    /// The whole of it; nothing, if it has no content.
    pub(crate) fn root(&self) -> Node<'_> {
        Node::new(self, self.root)
    }

    /// The text as it was read.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A part by its number. Numbers come from this document only, so they have one.
    fn part(&self, at: usize) -> &Part {
        &self.parts[at]
    }

    /// The part that the one at `at` stands for: itself, unless it is an alias. Aliases name what
    /// was complete before them, so this ends.
    fn resolved(&self, mut at: usize) -> usize {
        while let Kind::Alias(target) = self.part(at).kind {
            at = target;
        }
        at
    }
}
