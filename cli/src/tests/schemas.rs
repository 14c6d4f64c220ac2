//! What is printed is what the schemas in `docs/` promise, key for key.

use fusion_core::{Error, ErrorKind};
use serde_json::Value;

use super::samples;
use crate::output::Document;

const REPORT: &str = include_str!("../../../docs/schemas/fusion.report.v1.schema.json");
const INSPECT: &str = include_str!("../../../docs/schemas/fusion.inspect.v1.schema.json");
const VERIFY: &str = include_str!("../../../docs/schemas/fusion.verify.v1.schema.json");

/// Of a report.
const OPTIONAL: &[&str] = &["damaged", "values"];

/// The schema, refusing keys that it does not describe: readers are told to accept new ones, but
/// these documents come from this version. Every described key must be required, but those that are
/// only there if there is something in them.
fn strict(text: &str) -> Value {
    fn close(schema: &mut Value) {
        if let Some(object) = schema.as_object_mut() {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                let always = properties
                    .keys()
                    .filter(|key| !OPTIONAL.contains(&key.as_str()));
                let described: Vec<Value> = always.cloned().map(Value::String).collect();
                let required = object.get("required").and_then(Value::as_array);
                let mut required = required.expect("required keys").clone();
                required.sort_by_key(ToString::to_string);
                assert_eq!(described, required);
                object.insert("additionalProperties".into(), Value::Bool(false));
            }
            object.values_mut().for_each(close);
        } else if let Some(items) = schema.as_array_mut() {
            items.iter_mut().for_each(close);
        }
    }
    let mut schema = serde_json::from_str(text).expect("JSON");
    close(&mut schema);
    schema
}

fn check(schema: &str, document: &impl Document) {
    let validator = jsonschema::validator_for(&strict(schema)).expect("a schema");
    let instance = serde_json::from_str(&document.json()).expect("JSON");
    let wrong: Vec<_> = validator
        .iter_errors(&instance)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(
        wrong.is_empty(),
        "{}\n{}",
        wrong.join("\n"),
        document.json()
    );
}

/// The document, and the same with an error.
fn check_both(schema: &str, mut document: impl Document) {
    check(schema, &document);
    document.fail(&Error::new(ErrorKind::Io, "no more").path("a.tar").offset(3));
    check(schema, &document);
    document.fail(&Error::cancelled());
    check(schema, &document);
}

#[test]
fn documents_are_what_the_schemas_say() {
    check_both(REPORT, samples::report());
    check_both(REPORT, samples::plan());
    check_both(REPORT, samples::pushed());
    check_both(REPORT, samples::synced());
    check_both(INSPECT, samples::inspection());
    check_both(VERIFY, samples::verification());
}

#[test]
fn schemas_refuse_other_documents() {
    for schema in [REPORT, INSPECT, VERIFY] {
        let schema = serde_json::from_str(schema).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        assert!(!validator.is_valid(&serde_json::json!({"schema": "fusion.report/v2"})));
    }
}
