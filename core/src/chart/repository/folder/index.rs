//! `index.yaml` of a repository of charts.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

use super::super::file_name;
use super::emit;
use crate::chart::version::Version;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Digest;

/// The time of what has none: Helm wants one, and a clock would make every index another.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// An index. What is in it and not understood stays.
#[derive(Debug, PartialEq)]
pub(super) struct Index(Map<String, Value>);

/// A chart to be listed.
#[derive(Debug)]
pub(super) struct Entry {
    name: String,
    version: String,
    digest: String,
    fields: Map<String, Value>,
}

impl Entry {
    pub(super) fn new(name: &str, version: &str, package: &[u8], metadata: &Value) -> Result<Self> {
        let Value::Object(mut fields) = metadata.clone() else {
            let message = format!("the `Chart.yaml` of `{name}` {version} is no mapping");
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let digest = Digest::of(package).hex();
        fields.insert("digest".to_owned(), json!(digest));
        fields.insert("urls".to_owned(), json!([file_name(name, version)]));
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            digest,
            fields,
        })
    }
}

impl Default for Index {
    fn default() -> Self {
        let mut root = Map::new();
        root.insert("apiVersion".to_owned(), json!("v1"));
        root.insert("entries".to_owned(), json!({}));
        root.insert("generated".to_owned(), json!(NO_TIME));
        Self(root)
    }
}

impl Index {
    /// Reads an index; the error is one line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        // Indexes of many charts pass what is meant for configurations.
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_events: 20_000_000,
                max_nodes: 10_000_000,
            },
        };
        let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
            Seed(Level::Root).deserialize(yaml)
        });
        let value = read.map_err(|error| {
            let text = error.to_string();
            text.lines().next().unwrap_or_default().to_owned()
        })?;
        let Value::Object(mut root) = value else {
            return Err("it has no `entries`".to_owned());
        };
        match root.get("entries") {
            Some(Value::Object(entries)) => {
                let list = |charts: &Value| charts.is_array() || charts.is_null();
                if let Some((name, _)) = entries.iter().find(|(_, charts)| !list(charts)) {
                    return Err(format!("the `entries` of `{name}` are no list"));
                }
            }
            Some(Value::Null) => {
                root.insert("entries".to_owned(), json!({}));
            }
            _ => return Err("it has no `entries`".to_owned()),
        }
        Ok(Self(root))
    }

    /// Lists charts, each in place of what had its version; whether anything is different then.
    pub(super) fn add(&mut self, charts: Vec<Entry>) -> bool {
        let root = &mut self.0;
        let mut changed = false;
        for (key, value) in [("apiVersion", "v1"), ("generated", NO_TIME)] {
            if !root.contains_key(key) {
                root.insert(key.to_owned(), json!(value));
                changed = true;
            }
        }
        let Some(Value::Object(entries)) = root.get_mut("entries") else {
            return changed;
        };
        for chart in charts {
            let listed = entries.entry(&chart.name).or_insert(Value::Null);
            if listed.is_null() {
                *listed = json!([]);
            }
            if let Value::Array(listed) = listed {
                changed |= list(listed, chart);
            }
        }
        changed
    }

    /// The index as text, the same for the same index.
    pub(super) fn to_yaml(&self) -> String {
        emit::mapping(&self.0)
    }
}

/// Puts a chart among the versions of its name, the newest first.
fn list(listed: &mut Vec<Value>, chart: Entry) -> bool {
    let field = |entry: &Value, key: &str| {
        let value = entry.get(key).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let known = |entry: &&Value| field(entry, "version").as_ref() == Some(&chart.version);
    let found = listed.iter().find(known).cloned();
    let mut created = json!(NO_TIME);
    if let Some(found) = found {
        if field(&found, "digest").as_ref() == Some(&chart.digest) {
            return false;
        }
        if let Some(time) = found.get("created") {
            created = time.clone();
        }
    }
    listed.retain(|entry| !known(&entry));
    let mut fields = chart.fields;
    fields.insert("created".to_owned(), created);
    listed.push(Value::Object(fields));
    listed.sort_by_cached_key(|entry| {
        let version = field(entry, "version").unwrap_or_default();
        std::cmp::Reverse((Version::parse(&version), version))
    });
    true
}

/// Where in an index a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Entries,
    Inside,
}

/// What Helm reads as text, however it is spelled: `appVersion: 1.10` is not 1.1.
const TEXTS: [&str; 18] = [
    "apiVersion",
    "appVersion",
    "checksum",
    "condition",
    "created",
    "description",
    "digest",
    "email",
    "engine",
    "generated",
    "home",
    "icon",
    "kubeVersion",
    "name",
    "repository",
    "tillerVersion",
    "type",
    "version",
];

/// Reads a value of an index.
struct Seed(Level);

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Self(Level::Inside))? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let below = match (self.0, key.as_str()) {
                (Level::Root, "entries") => Level::Entries,
                _ => Level::Inside,
            };
            let value = match self.0 != Level::Entries && TEXTS.contains(&key.as_str()) {
                true => map.next_value::<Option<String>>()?.into(),
                false => map.next_value_seed(Self(below))?,
            };
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str, package: &str) -> Entry {
        let metadata = json!({"apiVersion": "v2", "name": name, "version": version});
        Entry::new(name, version, package.as_bytes(), &metadata).expect("an entry")
    }

    const THERE: &str = "\
apiVersion: v1 # by hand
entries:
  other:
  - &other
    name: other
    version: 1.10
    appVersion: 1.10
    custom: {deep: [1, true, ~, 'yes']}
    digest: 0123
  # A chart by the name of a key.
  version:
  - name: version
    version: 0.1.0
  app:
  - name: app
    version: 1.9.0
    created: 2020-02-03T04:05:06.7+08:00
    digest: old
    urls: [https://elsewhere.example/app-1.9.0.tgz]
  empty:
generated: 2021-01-01T00:00:00Z
serverInfo: {contextPath: /x}
";

    #[test]
    fn charts_are_added_and_everything_else_stays() {
        let mut index = Index::parse(THERE).expect("an index");
        let charts = ["1.10.0", "1.9.0", "1.10.0-rc.1"].map(|v| entry("app", v, v));
        assert!(index.add(charts.into()));
        assert!(index.add(vec![entry("empty", "1.0.0", "x")]));
        let yaml = index.to_yaml();
        let digest = |text: &str| Digest::of(text.as_bytes()).hex();
        let app = |version: &str, created: &str| {
            format!(
                "  - apiVersion: v2\n    created: \"{created}\"\n    digest: {}\n    name: app\n    \
                 urls:\n    - app-{version}.tgz\n    version: \"{version}\"\n",
                emit::text(&digest(version))
            )
        };
        let expected = format!(
            "apiVersion: v1\nentries:\n  app:\n{}{}{}  empty:\n{}  other:\n  - appVersion: \
             \"1.10\"\n    custom:\n      deep:\n      - 1\n      - true\n      - null\n      - \
             \"yes\"\n    digest: \"0123\"\n    name: other\n    version: \"1.10\"\n  version:\n  - \
             name: version\n    version: \"0.1.0\"\ngenerated: \"2021-01-01T00:00:00Z\"\n\
             serverInfo:\n  contextPath: \"/x\"\n",
            app("1.10.0", NO_TIME),
            app("1.10.0-rc.1", NO_TIME),
            app("1.9.0", "2020-02-03T04:05:06.7+08:00"),
            app("1.0.0", NO_TIME)
                .replace("name: app", "name: empty")
                .replace("app-", "empty-")
                .replace(&digest("1.0.0"), &digest("x")),
        );
        assert_eq!(yaml, expected);
        // What is read again is the same, and written the same.
        let mut again = Index::parse(&yaml).expect("an index");
        assert_eq!(again, index);
        assert!(!again.add(vec![entry("app", "1.9.0", "1.9.0")]));
        assert_eq!(again.to_yaml(), yaml);
    }

    #[test]
    fn the_order_in_which_charts_come_does_not_matter() {
        let versions = [
            "0.1.0", "v2", "10.0.0", "1.0.0+b", "1.0.0+a", "none", "9.0.0",
        ];
        let index = |versions: &mut dyn Iterator<Item = &&str>| {
            let mut index = Index::default();
            index.add(versions.map(|v| entry("a", v, v)).collect());
            index.to_yaml()
        };
        let forwards = index(&mut versions.iter());
        assert_eq!(forwards, index(&mut versions.iter().rev()));
        let order: Vec<&str> = (forwards.lines())
            .filter_map(|line| line.strip_prefix("    version: "))
            .map(|version| version.trim_matches('"'))
            .collect();
        let expected = [
            "10.0.0", "9.0.0", "v2", "1.0.0+b", "1.0.0+a", "0.1.0", "none",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn an_index_of_many_charts_is_read() {
        let mut text = "apiVersion: v1\nentries:\n".to_owned();
        for name in 0..20_000 {
            let fields = (0..10)
                .map(|n| format!("    k{n}: v\n"))
                .collect::<String>();
            text += &format!("  c{name}:\n  - version: 1.0.0\n{fields}");
        }
        assert!(Index::parse(&text).is_ok());
        // What only looks small is not.
        let mut bomb = "entries: {}\na0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..10 {
            let before = format!("*a{}", n - 1);
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![before; 8].join(", "));
        }
        assert!(Index::parse(&bomb).is_err());
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for (text, why) in [
            ("", "no `entries`"),
            ("entries: []", "no `entries`"),
            ("entries:\n  app: {}", "of `app` are no list"),
            ("entries: {}\nentries: {}", "duplicate"),
            ("entries: {\n", "line"),
            ("<html>", "no `entries`"),
        ] {
            let error = Index::parse(text).expect_err(text);
            assert!(
                error.contains(why) && !error.contains('\n'),
                "{text:?}: {error}"
            );
        }
    }
}
