//! `Chart.yaml`, and `requirements.yaml` as Helm 2 had it.

use serde_json::{Map, Value};

use super::{CHART_YAML, Files, REQUIREMENTS, document};
use crate::error::{Error, ErrorKind, Result};
use crate::yaml::{Document, Node, Scalar};

/// What a chart says of itself.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// A chart that another needs.
#[derive(Debug, Clone)]
pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) alias: Option<String>,
}

/// A chart's description that is not there or damaged.
fn invalid(place: &str, message: String) -> Error {
    Error::new(ErrorKind::InvalidArchive, message)
        .member(place)
        .hint("the chart is damaged: fetch or make it again")
}

impl Metadata {
    /// What the chart below `folder` says of itself; `within` goes before names in messages.
    pub(super) fn read(files: &Files, folder: &str, within: &str) -> Result<Self> {
        let name = format!("{folder}{CHART_YAML}");
        let place = format!("{within}{name}");
        let Some(bytes) = files.get(&name) else {
            let place = place
                .trim_end_matches(CHART_YAML)
                .trim_end_matches(['/', ' ', '›']);
            return Err(invalid(place, "a chart without `Chart.yaml`".to_owned()));
        };
        let chart = document(bytes, &place)?;
        let root = chart.root();
        if root.entries().is_none() {
            let message = format!("line {}: {}, no chart", root.line(), root.kind_name());
            return Err(invalid(&place, message));
        }
        let text = |key: &str| {
            let text = root.get(key).and_then(Node::as_str);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let Some(chart_name) = text("name") else {
            return Err(invalid(&place, "the chart states no name".to_owned()));
        };
        let Some(version) = text("version") else {
            let message = format!("the chart `{chart_name}` states no version");
            return Err(invalid(&place, message));
        };
        let mut dependencies = Vec::new();
        collect(&chart, &mut dependencies);
        let name = format!("{folder}{REQUIREMENTS}");
        if let Some(bytes) = files.get(&name) {
            collect(
                &document(bytes, &format!("{within}{name}"))?,
                &mut dependencies,
            );
        }
        Ok(Self {
            name: chart_name,
            version,
            dependencies,
        })
    }

    /// Refuses names and versions that no repository takes.
    pub(super) fn check(&self, within: &str) -> Result<()> {
        let place = format!("{within}{CHART_YAML}");
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
        if !self.name.chars().all(fine) || matches!(self.name.as_str(), "." | "..") {
            let message = format!("`{}` is no name for a chart", self.name);
            return Err(invalid(&place, message)
                .better_hint("names are letters, digits and dashes: rename the chart"));
        }
        if !is_version(&self.version) {
            let message = format!("`{}` is no version for a chart", self.version);
            return Err(invalid(&place, message)
                .better_hint("versions are semantic ones, such as `1.2.3` or `1.2.3-rc.1`"));
        }
        Ok(())
    }
}

fn collect(document: &Document, found: &mut Vec<Dependency>) {
    let items = document.root().get("dependencies").and_then(Node::items);
    for item in items.into_iter().flatten() {
        let text = |key: &str| item.get(key).and_then(Node::as_str).map(str::to_owned);
        if let Some(name) = text("name") {
            let alias = text("alias").filter(|alias| !alias.is_empty());
            found.push(Dependency { name, alias });
        }
    }
}

/// Whether Helm takes `text` for a version: up to three numbers, a `v` before them if need be, then
/// `-` and `+` with words.
fn is_version(text: &str) -> bool {
    let (text, build) = text
        .split_once('+')
        .map_or((text, None), |(t, b)| (t, Some(b)));
    let (core, before) = text
        .split_once('-')
        .map_or((text, None), |(t, b)| (t, Some(b)));
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let word = |part: &str| {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(fine)
    };
    let words = |words: Option<&str>| words.is_none_or(|words| words.split('.').all(word));
    let core = core.strip_prefix('v').unwrap_or(core);
    let parts = core.split('.').count();
    (1..=3).contains(&parts) && core.split('.').all(number) && words(before) && words(build)
}

/// What a field is.
#[derive(Clone, Copy)]
enum Is {
    Text,
    Flag,
    Texts,
    /// A list of mappings with these fields.
    List(&'static [(&'static str, Self)]),
    /// Texts by any names.
    Named,
    /// Lists of anything, as `import-values`.
    Any,
}

const FIELDS: &[(&str, Is)] = &[
    ("name", Is::Text),
    ("home", Is::Text),
    ("sources", Is::Texts),
    ("version", Is::Text),
    ("description", Is::Text),
    ("keywords", Is::Texts),
    (
        "maintainers",
        Is::List(&[("name", Is::Text), ("email", Is::Text), ("url", Is::Text)]),
    ),
    ("icon", Is::Text),
    ("apiVersion", Is::Text),
    ("condition", Is::Text),
    ("tags", Is::Text),
    ("appVersion", Is::Text),
    ("deprecated", Is::Flag),
    ("annotations", Is::Named),
    ("kubeVersion", Is::Text),
    ("dependencies", Is::List(DEPENDENCY)),
    ("type", Is::Text),
];

const DEPENDENCY: &[(&str, Is)] = &[
    ("name", Is::Text),
    ("version", Is::Text),
    ("repository", Is::Text),
    ("condition", Is::Text),
    ("tags", Is::Texts),
    ("enabled", Is::Flag),
    ("import-values", Is::Any),
    ("alias", Is::Text),
];

/// How many values the JSON may have: what aliases multiply must end somewhere.
const MAX_VALUES: usize = 50_000;

/// What the chart of `files` says of itself, as JSON: the fields that Helm knows.
pub(super) fn json(files: &Files, within: &str) -> Result<Value> {
    let place = format!("{within}{CHART_YAML}");
    let bytes = files.get(CHART_YAML).map(Vec::as_slice).unwrap_or_default();
    let chart = document(bytes, &place)?;
    let mut telling = Telling { left: MAX_VALUES };
    let mut known = telling.fields(chart.root(), FIELDS);
    if let Some(bytes) = files.get(REQUIREMENTS) {
        let required = document(bytes, &format!("{within}{REQUIREMENTS}"))?;
        let only = &[("dependencies", Is::List(DEPENDENCY))];
        for (key, value) in telling.fields(required.root(), only) {
            known.entry(key).or_insert(value);
        }
    }
    if telling.left == 0 {
        let message = format!("it stands for more than {MAX_VALUES} values");
        return Err(Error::new(ErrorKind::LimitExceeded, message).member(place));
    }
    Ok(known.into())
}

struct Telling {
    left: usize,
}

impl Telling {
    fn fields(&mut self, node: Node<'_>, known: &[(&str, Is)]) -> Map<String, Value> {
        let mut found = Map::new();
        for (key, is) in known {
            if let Some(value) = node.get(key).and_then(|node| self.value(node, *is)) {
                found.insert((*key).to_owned(), value);
            }
        }
        found
    }

    /// A field's value; none if it is empty or something else than it should be, as Helm leaves it
    /// out.
    fn value(&mut self, node: Node<'_>, is: Is) -> Option<Value> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return None;
        }
        match is {
            Is::Text => node
                .as_str()
                .filter(|text| !text.is_empty())
                .map(Value::from),
            Is::Flag => (node.scalar() == Some(Scalar::Bool(true))).then(|| true.into()),
            Is::Texts => self.list(node, |this, item| this.value(item, Is::Text)),
            Is::List(known) => self.list(node, |this, item| Some(this.fields(item, known).into())),
            Is::Named => {
                let mut named = Map::new();
                let entries: Vec<_> = node.entries()?.collect();
                self.left = self.left.saturating_sub(entries.len());
                for (key, value) in entries {
                    if let (Some(key), Some(value)) = (key.as_str(), self.value(value, Is::Text)) {
                        named.insert(key.to_owned(), value);
                    }
                }
                (!named.is_empty()).then(|| named.into())
            }
            Is::Any => self.list(node, |this, item| {
                let text = this.value(item, Is::Text);
                text.or_else(|| this.value(item, Is::Named))
            }),
        }
    }

    fn list(
        &mut self,
        node: Node<'_>,
        mut item: impl FnMut(&mut Self, Node<'_>) -> Option<Value>,
    ) -> Option<Value> {
        let mut list = Vec::new();
        for node in node.items()? {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            list.extend(item(self, node));
        }
        (!list.is_empty()).then(|| list.into())
    }
}
