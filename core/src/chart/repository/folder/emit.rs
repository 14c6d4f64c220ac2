//! Values as YAML: block style, keys sorted, every text that could be anything else in quotes.

use serde_json::{Map, Value};

/// A mapping as a document.
pub(super) fn mapping(fields: &Map<String, Value>) -> String {
    let mut out = String::new();
    if fields.is_empty() {
        out.push_str("{}\n");
    }
    entries(&mut out, fields, 0, 0);
    out
}

/// The entries of a mapping, `indent` deep; the first comes where the line stands at `column`.
fn entries(out: &mut String, fields: &Map<String, Value>, indent: usize, column: usize) {
    // In the order of the keys, whatever the map's.
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    for (number, (key, value)) in sorted.into_iter().enumerate() {
        let column = if number == 0 { column } else { 0 };
        pad(out, indent - column);
        out.push_str(&text(key));
        out.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                out.push('\n');
                entries(out, fields, indent + 2, 0);
            }
            // As deep as the key: what Helm writes.
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, indent, 0);
            }
            value => scalar(out, value),
        }
    }
}

fn list(out: &mut String, items: &[Value], indent: usize, column: usize) {
    for (number, item) in items.iter().enumerate() {
        let column = if number == 0 { column } else { 0 };
        pad(out, indent - column);
        out.push('-');
        match item {
            Value::Object(fields) if !fields.is_empty() => {
                out.push(' ');
                entries(out, fields, indent + 2, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push(' ');
                list(out, items, indent + 2, indent + 2);
            }
            value => scalar(out, value),
        }
    }
}

/// The rest of a line.
fn scalar(out: &mut String, value: &Value) {
    out.push(' ');
    match value {
        Value::String(value) => out.push_str(&text(value)),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        // `null`, `true` and numbers are the same in JSON.
        value => out.push_str(&value.to_string()),
    }
    out.push('\n');
}

fn pad(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// A text, in quotes unless every reader of YAML takes it as a text without.
pub(super) fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let means_else = words.contains(&text.to_ascii_lowercase().as_str());
    if starts && text.chars().all(plain) && !means_else {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // Line breaks to some readers, nothing to print to others, or a mark at the start.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if matches!(c, '\u{fffe}' | '\u{ffff}') => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_laid_out_in_blocks() {
        let value = json!({
            "b": [], "a": {"x": [1, [2, [3]], {"k": "v", "l": [true]}, {}], "no": {}},
            "": null, "c": "1.10", "d e": "a\n\"b\\\u{7f}",
        });
        let Value::Object(fields) = value else {
            panic!("a mapping");
        };
        assert_eq!(
            mapping(&fields),
            "\"\": null\na:\n  \"no\": {}\n  x:\n  - 1\n  - - 2\n    - - 3\n  - k: v\n    l:\n    - \
             true\n  - {}\nb: []\nc: \"1.10\"\n\"d e\": \"a\\n\\\"b\\\\\\u007f\"\n"
        );
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z0-9.:#~!&* -]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,5}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in values()) {
            let fields: Map<String, Value> = [("k".to_owned(), value)].into_iter().collect();
            let yaml = mapping(&fields);
            let read: Value = serde_saphyr::from_str(&yaml).expect(&yaml);
            prop_assert_eq!(read, Value::Object(fields), "{}", yaml);
        }
    }
}
