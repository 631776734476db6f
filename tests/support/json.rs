//! What `--json` prints, held to its schema.

use std::sync::LazyLock;

use serde_json::{Deserializer, Value};

/// The schema of version 1.
pub(crate) static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../docs/json-v1.schema.json")).unwrap());

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).unwrap());

/// The documents of a text. Fails the test unless each of them is as the schema says.
#[track_caller]
pub(crate) fn documents(text: &str) -> Vec<Value> {
    let documents: Result<Vec<Value>, _> = Deserializer::from_str(text).into_iter().collect();
    let documents = documents.unwrap_or_else(|error| panic!("{error}:\n{text}"));
    for document in &documents {
        // The kind first: of all kinds that it may be, none says what is wrong.
        let kind = match document["command"].as_str() {
            Some(command) => command,
            None if document["severity"].is_string() => "line",
            None => "check",
        };
        let schema = serde_json::json!({ "$ref": format!("#/$defs/{kind}"), "$defs": SCHEMA["$defs"] });
        if let Err(error) = jsonschema::validate(&schema, document) {
            panic!("{} at `{}`:\n{document:#}", error, error.instance_path());
        }
        assert!(VALIDATOR.is_valid(document), "{document:#}");
    }
    documents
}
