//! References into the document, and the schemas behind them.

use jsonschema::Registry;
use serde_json::{Value, json};

/// Where the document is among the schemas that refer into it.
const URI: &str = "forge:contract";

/// Returns a schema that refers to the place of a JSON pointer in the document.
pub(super) fn reference(pointer: &str) -> Value {
    // A URI cannot hold the braces of a path template.
    json!({"$ref": format!("{URI}#{}", pointer.replace('{', "%7B").replace('}', "%7D"))})
}

/// Returns the name of the schema that a reference leads to.
pub(super) fn schema_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

#[expect(
    clippy::expect_used,
    reason = "the document refers to nothing outside itself, and tests use all of it"
)]
pub(super) fn registry(document: Value) -> Registry<'static> {
    let builder = Registry::new()
        .add(URI, document)
        .expect("the contract has a valid URI");
    builder.prepare().expect("the contract refers only to itself")
}
