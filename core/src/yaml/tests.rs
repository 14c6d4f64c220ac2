use super::*;

mod editing;
mod property;
mod reading;

/// What a document says, with aliases and merges followed: to compare by.
fn model(node: Node<'_>) -> serde_json::Value {
    if let Some(items) = node.items() {
        return items.map(model).collect();
    }
    if let Some(entries) = node.entries() {
        let pair = |(key, value): (Node<'_>, Node<'_>)| {
            (key.text().expect("a scalar").to_owned(), model(value))
        };
        return serde_json::Value::Object(entries.map(pair).collect());
    }
    format!("{:?}", node.scalar().expect("a scalar")).into()
}
