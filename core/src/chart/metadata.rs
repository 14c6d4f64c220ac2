//! `Chart.yaml`: which chart it is.

use serde_json::{Map, Value};

use super::CHART_YAML;
use crate::error::{Error, ErrorKind, Result};
use crate::yaml::{Document, Node, Scalar};

/// What are texts to Helm, whatever they look like: a version 1.10 is not 1.1.
const TEXTS: &[&str] = &[
    "apiVersion",
    "appVersion",
    "condition",
    "description",
    "engine",
    "home",
    "icon",
    "kubeVersion",
    "name",
    "repository",
    "tags",
    "type",
    "version",
];

/// What `Chart.yaml` says.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) json: Value,
}

impl Metadata {
    /// What `text`, of the chart at `place`, says.
    pub(super) fn read(text: &[u8], place: &str) -> Result<Self> {
        let blame = |error: Error| {
            error
                .member(format!("{}/{CHART_YAML}", place.trim_end_matches('/')))
                .hint("the chart is damaged: fetch or make it again")
        };
        let invalid = |why: String| blame(Error::new(ErrorKind::InvalidArchive, why));
        let text = std::str::from_utf8(text).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
        let document = Document::parse_as_helm(text)
            .map_err(|problem| blame(problem.into_error(ErrorKind::InvalidArchive)))?;
        let root = document.root();
        if root.entries().is_none() {
            let message = format!(
                "line {}: {} where a chart's settings should be",
                root.line(),
                root.kind_name()
            );
            return Err(invalid(message));
        }
        let stated = |key: &str| {
            let text = root.get(key).and_then(written);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let name = stated("name").ok_or_else(|| invalid("the chart states no name".to_owned()))?;
        let version = stated("version")
            .ok_or_else(|| invalid(format!("the chart `{name}` states no version")))?;
        Ok(Self {
            name,
            version,
            json: json(root),
        })
    }
}

/// A scalar as it is written.
fn written(node: Node<'_>) -> Option<&str> {
    match node.scalar()? {
        Scalar::Null => None,
        Scalar::Bool(yes) => Some(if yes { "true" } else { "false" }),
        Scalar::Int(text) | Scalar::Float(text) | Scalar::Str(text) => Some(text),
    }
}

fn json(node: Node<'_>) -> Value {
    if let Some(entries) = node.entries() {
        let mut map = Map::new();
        for (key, value) in entries {
            let Some(key) = written(key) else { continue };
            let value = match (TEXTS.contains(&key), written(value)) {
                (true, Some(text)) => Value::String(text.to_owned()),
                _ => json(value),
            };
            map.insert(key.to_owned(), value);
        }
        return Value::Object(map);
    }
    if let Some(items) = node.items() {
        return Value::Array(items.map(json).collect());
    }
    match node.scalar() {
        None | Some(Scalar::Null) => Value::Null,
        Some(Scalar::Bool(yes)) => Value::Bool(yes),
        // What no JSON number can say stays as it is written.
        Some(Scalar::Int(text) | Scalar::Float(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        }
        Some(Scalar::Str(text)) => Value::String(text.to_owned()),
    }
}
