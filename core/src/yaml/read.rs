//! From the parser's events to a tree.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StructureStyle};

use super::{Document, Kind, Part, Problem, Style};
use crate::limits;

/// What is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// Nothing.
    Strict,
    /// Keys that are there twice, and what follows the first document.
    AsHelm,
}

pub(super) fn read(text: &str, strictness: Strictness) -> Result<Document, Problem> {
    if text.len() as u64 > limits::MAX_JSON {
        return Err(limit(
            (1, 1),
            format!("more than {} MiB of YAML", limits::MAX_JSON >> 20),
        ));
    }
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_comments: false,
        flow_nesting_limit: limits::MAX_YAML_DEPTH,
        block_nesting_limit: limits::MAX_YAML_DEPTH,
    };
    let mut reader = Reader {
        strictness,
        text,
        length: text.len(),
        parts: Vec::new(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        root: None,
        end: text.len(),
        over: false,
        merges: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        if !reader.take(event, span)? {
            break;
        }
    }
    let root = match reader.root {
        Some(root) => root,
        None => reader.push(Kind::nothing(), Place::end(text.len()))?,
    };
    Ok(Document {
        text: text.to_owned(),
        parts: reader.parts,
        root,
        end: reader.end,
        strictness,
    })
}

fn unreadable(error: &ScanError) -> Problem {
    let marker = error.marker();
    let mut problem = Problem::new(marker.line(), marker.col() + 1, error.kind().to_string());
    problem.limit = *error.kind() == granit_parser::ErrorKind::RecursionLimitExceeded;
    problem
}

fn limit((line, column): (usize, usize), message: String) -> Problem {
    Problem {
        limit: true,
        ..Problem::new(line, column, message)
    }
}

/// Fewer entries than this are looked through quickly.
const MANY: usize = 16;

/// Where a part stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    outset: usize,
    line: usize,
    column: usize,
    tagged: bool,
}

impl Place {
    fn of(span: &Span, length: usize) -> Self {
        let byte = |marker: Marker| marker.byte_offset().unwrap_or(length).min(length);
        let start = byte(span.start);
        Self {
            start,
            end: byte(span.end).max(start),
            outset: span.tag_start().map_or(start, |tag| byte(tag).min(start)),
            line: span.start.line().max(1),
            column: span.start.col() + 1,
            tagged: span.tag_start().is_some(),
        }
    }

    /// Of what is not there, behind everything.
    fn end(length: usize) -> Self {
        Self {
            start: length,
            end: length,
            outset: length,
            line: 1,
            column: 1,
            tagged: false,
        }
    }
}

impl Kind {
    fn nothing() -> Self {
        Self::Scalar {
            text: String::new(),
            style: Style::Plain,
        }
    }
}

/// A collection that is being read.
struct Open {
    at: usize,
    /// The key that waits for its value.
    key: Option<usize>,
    names: BTreeSet<String>,
}

struct Reader<'t> {
    text: &'t str,
    strictness: Strictness,
    length: usize,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// Parts by the parser's number for their anchors.
    anchors: BTreeMap<usize, usize>,
    root: Option<usize>,
    end: usize,
    over: bool,
    merges: usize,
}

impl Reader<'_> {
    /// Takes an event; whether there is to be another.
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<bool, Problem> {
        let place = Place::of(&span, self.length);
        match event {
            Event::DocumentStart(..) if self.over => {
                if self.strictness == Strictness::AsHelm {
                    self.end = self.end.min(place.start);
                    return Ok(false);
                }
                let message = "a second document begins here, where one is expected";
                return Err(Problem::new(place.line, place.column, message));
            }
            Event::DocumentEnd => {
                self.over = true;
                // An end that nobody wrote is wherever the parser noticed it.
                if self.text[place.start..].starts_with("...") {
                    self.end = place.start;
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                // The parser writes `~` for what is not there.
                let absent = style == Style::Plain && place.start == place.end;
                let text = if absent {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.node(Kind::Scalar { text, style }, place, anchor)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                let kind = Kind::Sequence {
                    flow: style == StructureStyle::Flow,
                    items: Vec::new(),
                };
                let at = self.node(kind, place, anchor)?;
                self.open(at);
            }
            Event::MappingStart(style, anchor, _) => {
                let kind = Kind::Mapping {
                    flow: style == StructureStyle::Flow,
                    entries: Vec::new(),
                    index: BTreeMap::new(),
                };
                let at = self.node(kind, place, anchor)?;
                self.open(at);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(closed) = self.open.pop() {
                    let part = &mut self.parts[closed.at];
                    part.end = part.end.max(place.end);
                    self.close(closed.at, place)?;
                }
            }
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::Anchor(anchor, _) => {
                let part = self.anchors.get(&anchor).map(|at| &mut self.parts[*at]);
                if let Some(part) = part {
                    part.anchor = Some((place.start, place.end));
                    part.outset = part.outset.min(place.start);
                }
            }
            _ => {}
        }
        Ok(true)
    }

    fn open(&mut self, at: usize) {
        self.open.push(Open {
            at,
            key: None,
            names: BTreeSet::new(),
        });
    }

    /// A collection is complete.
    fn close(&mut self, at: usize, place: Place) -> Result<(), Problem> {
        let Kind::Mapping { entries, .. } = &self.parts[at].kind else {
            return Ok(());
        };
        let mut names = BTreeMap::new();
        let many = entries.len() > MANY;
        for (number, (key, value)) in entries.iter().enumerate() {
            let Kind::Scalar { text, style } = &self.parts[self.target(*key)].kind else {
                continue;
            };
            if text == "<<" && *style == Style::Plain {
                self.merges += match &self.parts[self.target(*value)].kind {
                    Kind::Sequence { items, .. } => items.len(),
                    _ => 1,
                };
            } else if many {
                names.insert(text.clone(), number);
            }
        }
        if self.merges > limits::MAX_YAML_MERGES {
            let message = format!("more than {} mappings are merged", limits::MAX_YAML_MERGES);
            return Err(limit((place.line, place.column), message));
        }
        if let Kind::Mapping { index, .. } = &mut self.parts[at].kind {
            *index = names;
        }
        Ok(())
    }

    /// What the part at `at` stands for.
    fn target(&self, mut at: usize) -> usize {
        while let Kind::Alias(next) = self.parts[at].kind {
            at = next;
        }
        at
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Problem> {
        let target = self.anchors.get(&anchor).copied();
        match target {
            Some(target) if !self.open.iter().any(|open| open.at == target) => {
                self.node(Kind::Alias(target), place, 0)?;
                Ok(())
            }
            _ => {
                let message = "an alias within the value that it stands for";
                Err(Problem::new(place.line, place.column, message))
            }
        }
    }

    fn push(&mut self, kind: Kind, place: Place) -> Result<usize, Problem> {
        if self.parts.len() >= limits::MAX_YAML_NODES {
            let message = format!("more than {} values", limits::MAX_YAML_NODES);
            return Err(limit((place.line, place.column), message));
        }
        self.parts.push(Part {
            kind,
            start: place.start,
            end: place.end,
            outset: place.outset,
            line: place.line,
            column: place.column,
            anchor: None,
            tagged: place.tagged,
        });
        Ok(self.parts.len() - 1)
    }

    /// A new part, in its place in the collection that is open.
    fn node(&mut self, kind: Kind, place: Place, anchor: usize) -> Result<usize, Problem> {
        let at = self.push(kind, place)?;
        if anchor != 0 {
            self.anchors.insert(anchor, at);
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(at);
            return Ok(at);
        };
        let mut entry = None;
        match &mut self.parts[open.at].kind {
            Kind::Sequence { items, .. } => items.push(at),
            Kind::Mapping { entries, .. } => match open.key.take() {
                Some(key) => entries.push((key, at)),
                None => {
                    open.key = Some(at);
                    entry = Some(at);
                }
            },
            Kind::Scalar { .. } | Kind::Alias(_) => {}
        }
        if entry.is_some() && self.strictness == Strictness::Strict {
            self.once(at)?;
        }
        Ok(at)
    }

    /// Refuses a key that its mapping has already.
    fn once(&mut self, at: usize) -> Result<(), Problem> {
        let target = self.target(at);
        let (Kind::Scalar { text, .. }, Some(open)) =
            (&self.parts[target].kind, self.open.last_mut())
        else {
            return Ok(());
        };
        if !open.names.insert(text.clone()) {
            let part = &self.parts[at];
            let message = format!("the key `{}` is there twice", shown(text));
            return Err(Problem::new(part.line, part.column, message));
        }
        Ok(())
    }
}

/// As much of a text as fits a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
