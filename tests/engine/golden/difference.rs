//! What two documents do not agree on.

use serde_json::{Map, Value};

/// The values that differ, each with the way to it.
pub(super) fn difference(expected: &Value, found: &Value) -> String {
    let mut lines = Vec::new();
    compare("", expected, found, &mut lines);
    lines.join("\n")
}

fn compare(at: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    let none = Value::Null;
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = |members: &Map<String, Value>| members.keys().cloned().collect::<Vec<_>>();
            let mut all = [keys(one), keys(other)].concat();
            all.sort();
            all.dedup();
            for key in all {
                let (one, other) = (one.get(&key), other.get(&key));
                let at = format!("{at}/{key}");
                compare(&at, one.unwrap_or(&none), other.unwrap_or(&none), lines);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                let (one, other) = (one.get(index), other.get(index));
                let at = format!("{at}/{index}");
                compare(&at, one.unwrap_or(&none), other.unwrap_or(&none), lines);
            }
        }
        (one, other) if one != other => lines.push(format!("  {at}: expected {one}, got {other}")),
        _ => {}
    }
}
