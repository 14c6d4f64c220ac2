//! Documents of every shape, edited anywhere.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Writes a document from a stream of choices.
struct Writer<'a> {
    choices: std::slice::Iter<'a, u8>,
    out: String,
    newline: &'static str,
    /// Anchors that are complete.
    anchors: Vec<String>,
    fresh: usize,
    /// Whether there are to be any.
    shares: bool,
}

const SCALARS: &[&str] = &[
    "x",
    "1.10",
    "'it''s'",
    "\"a\\tb\"",
    "~",
    "true",
    "docker.io/a:b",
    "é",
    "''",
    "two words",
];
const COMMENTS: &[&str] = &["", "", "", " # c", "   #\tc: d", " # 'x"];

impl Writer<'_> {
    fn pick(&mut self, count: usize) -> usize {
        self.choices
            .next()
            .map_or(0, |choice| usize::from(*choice) % count)
    }

    fn one_of(&mut self, texts: &[&str]) {
        let at = self.pick(texts.len());
        self.out += texts[at];
    }

    fn anchor(&mut self) -> Option<String> {
        (self.shares && self.pick(4) == 3).then(|| {
            self.fresh += 1;
            let name = format!("n{}", self.fresh);
            self.out += &format!("&{name} ");
            name
        })
    }

    fn alias(&mut self) -> bool {
        if self.anchors.is_empty() || self.pick(4) != 3 {
            return false;
        }
        let at = self.pick(self.anchors.len());
        self.out += &format!("*{}", self.anchors[at]);
        true
    }

    fn flow(&mut self, depth: usize) {
        if self.alias() {
            return;
        }
        let anchor = self.anchor();
        match if depth > 2 { 9 } else { self.pick(6) } {
            0 => {
                self.out += "[";
                for index in 0..self.pick(3) {
                    self.out += if index > 0 { ", " } else { "" };
                    self.flow(depth + 1);
                }
                self.out += "]";
            }
            1 | 2 => {
                self.out += "{";
                for index in 0..self.pick(4) {
                    self.out += if index > 0 { ", " } else { "" };
                    self.out += &format!("k{index}: ");
                    self.flow(depth + 1);
                }
                self.out += " }";
            }
            _ => self.one_of(SCALARS),
        }
        self.anchors.extend(anchor);
    }

    fn end(&mut self) {
        self.one_of(COMMENTS);
        self.out += self.newline;
        if self.pick(8) == 7 {
            self.out += "# a line";
            self.out += self.newline;
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        let step = 1 + self.pick(4);
        for index in 0..=self.pick(4) {
            self.out += &" ".repeat(indent);
            if index == 3 && !self.anchors.is_empty() && depth > 0 {
                let at = self.pick(self.anchors.len());
                let anchor = self.anchors[at].clone();
                self.out += &format!("<<: [{{z: *{anchor}}}]");
                self.end();
                continue;
            }
            self.out += &format!("{}:", ["k0", "\"k1\"", "'k2'", "k3", "k4"][index]);
            match if depth > 3 { 9 } else { self.pick(8) } {
                0 | 1 => {
                    self.out += " ";
                    let anchor = self.anchor();
                    self.end();
                    self.mapping(indent + step, depth + 1);
                    self.anchors.extend(anchor);
                }
                2 => {
                    self.end();
                    for _ in 0..=self.pick(2) {
                        self.out += &" ".repeat(indent);
                        self.out += "- ";
                        self.flow(1);
                        self.end();
                    }
                }
                3 => {
                    self.one_of(&[" |", " >-", " |+"]);
                    for _ in 0..=self.pick(2) {
                        self.out +=
                            &format!("{}{}text: x", self.newline, " ".repeat(indent + step));
                    }
                    self.out += self.newline;
                }
                4 => self.end(),
                _ => {
                    self.out += " ";
                    self.flow(0);
                    self.end();
                }
            }
        }
    }
}

fn written(choices: &[u8], shares: bool) -> String {
    let mut writer = Writer {
        choices: choices.iter(),
        out: String::new(),
        newline: "\n",
        anchors: Vec::new(),
        fresh: 0,
        shares,
    };
    if writer.pick(3) == 2 {
        writer.newline = "\r\n";
    }
    if writer.pick(5) == 4 {
        writer.out += "\u{feff}";
    }
    writer.mapping(0, 0);
    writer.out
}

/// The paths of all texts, and of mappings with a key that they lack.
fn paths(value: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let Value::Object(keys) = value else {
        if value.is_string() {
            found.push(path.to_vec());
        }
        return;
    };
    found.push([path, &["new".to_owned()]].concat());
    found.push([path, &["newer".to_owned(), "still".to_owned()]].concat());
    for (key, value) in keys {
        paths(value, &[path, std::slice::from_ref(key)].concat(), found);
    }
}

fn put(value: &mut Value, path: &[String], text: &str) {
    match path.split_first() {
        None => *value = format!("{:?}", Scalar::Str(text)).into(),
        Some((key, rest)) => {
            if !value.is_object() {
                *value = Value::Object(serde_json::Map::new());
            }
            put(&mut value[key.as_str()], rest, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn edits_change_what_they_name_and_nothing_else(
        choices in proptest::collection::vec(any::<u8>(), 0..300),
        picks in proptest::collection::vec((any::<usize>(), "[a-z0-9.:/ #'\"-]{0,12}"), 1..4),
    ) {
        let text = written(&choices, true);
        let document = Document::parse(&text).map_err(|problem| {
            TestCaseError::fail(format!("{problem}\n{text}"))
        })?;
        let before = model(document.root());
        let mut all = Vec::new();
        paths(&before, &[], &mut all);
        let mut expected = before.clone();
        let mut edits = document.edit();
        // Of two edits of one value the last counts.
        let last = |(pick, value)| (&all[pick % all.len()], value);
        let picks: BTreeMap<_, _> = picks.iter().map(|(pick, value)| last((*pick, value))).collect();
        for (path, value) in picks {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            // Written as it is it stays what it is: a number.
            if document.root().at(&keys).and_then(Node::as_str) != Some(value) {
                put(&mut expected, path, value);
            }
            edits.set(&keys, value);
        }
        let edited = edits.apply().map_err(|problem| TestCaseError::fail(format!("{problem}\n{text}")))?;
        let again = Document::parse(&edited).map_err(|problem| {
            TestCaseError::fail(format!("{problem}\n{text}\n->\n{edited}"))
        })?;
        prop_assert_eq!(model(again.root()), expected, "\n{}\n->\n{}", text, edited);
    }

    #[test]
    fn an_edit_without_aliases_touches_one_place(
        choices in proptest::collection::vec(any::<u8>(), 0..300),
        pick in any::<usize>(),
        value in "[a-z]{1,9}",
    ) {
        let text = written(&choices, false);
        let document = Document::parse(&text).expect("valid");
        let mut all = Vec::new();
        paths(&model(document.root()), &[], &mut all);
        let path: Vec<&str> = all[pick % all.len()].iter().map(String::as_str).collect();
        let mut edits = document.edit();
        edits.set(&path, &value);
        let edited = edits.apply().expect("applied");
        // What is gone is the old value, or nothing; what came has no more lines than keys.
        let start = text.bytes().zip(edited.bytes()).take_while(|(a, b)| a == b).count();
        let ends = text.bytes().rev().zip(edited.bytes().rev());
        let same = ends.take_while(|(a, b)| a == b).count();
        let same = same.min(text.len().min(edited.len()) - start);
        let gone = start..text.len() - same;
        let old = document.root().at(&path).map(|node| document.part(node.number()));
        match old {
            Some(part) if !matches!(part.kind, Kind::Scalar { style: Style::Block, .. }) => {
                prop_assert!(part.start <= gone.start && gone.end <= part.end.max(gone.start) || gone.is_empty());
            }
            Some(part) => prop_assert!(gone.end <= part.end),
            None => prop_assert!(gone.is_empty(), "{:?}", &text[gone]),
        }
        prop_assert!(edited.matches('\n').count() <= text.matches('\n').count() + path.len());
    }
}
