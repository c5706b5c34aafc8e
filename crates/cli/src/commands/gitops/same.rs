//! Whether a document on the server is what a file says.

use forge_domain::number;
use serde_json::Value;

/// Returns `true` if the server has what a file says, and nothing else.
///
/// The server adds empty fields and cuts blanks around texts, and neither is a difference; a field of one of them that
/// says something is.
pub(super) fn is_same(file: &Value, server: &Value) -> bool {
    match (file, server) {
        (Value::String(file), Value::String(server)) => file.trim() == server.trim(),
        (Value::Array(file), Value::Array(server)) => {
            file.len() == server.len()
                && file
                    .iter()
                    .zip(server)
                    .all(|(file, server)| is_same(file, server))
        }
        (Value::Object(file), Value::Object(server)) => {
            let of_file = file.iter().all(|(key, value)| match server.get(key) {
                // Its keys are names that the author gave, so that each of them counts.
                Some(of_server) if key == "references" => value == of_server,
                Some(of_server) => is_same(value, of_server),
                None => is_empty(value),
            });
            let mut of_server = server.iter().filter(|(key, _)| !file.contains_key(*key));
            of_file && of_server.all(|(_, value)| is_empty(value))
        }
        (file, server) => number::is_same(file, server),
    }
}

/// Returns `true` if a field says no more than if it were not there.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_does_to_a_document_is_no_difference() {
        let server = json!({"a": "x", "b": [1, {"c": 5.0}], "d": false, "e": 9_007_199_254_740_993_i64,
            "f": {"g": [], "h": {}, "i": "", "j": null}, "references": {"n": ["Other", 1]}});
        let file = |field: &str, value: Value| {
            let mut file = server.clone();
            file[field] = value;
            file
        };
        let without = |field: &str| {
            let mut file = server.clone();
            file.as_object_mut().unwrap().shift_remove(field);
            file
        };
        let same = [
            server.clone(),
            file("a", json!(" x\n")),
            file("b", json!([1, {"c": 5}])),
            file("unknown", json!([])),
            file("f", json!({})),
            without("d"),
        ];
        for file in same {
            assert!(is_same(&file, &server), "{file}");
        }
        let other = [
            file("a", json!("y")),
            file("b", json!([1])),
            file("b", json!([1, {"c": 5.1}])),
            file("b", json!([1, {}])),
            file("d", json!(null)),
            file("e", json!(9_007_199_254_740_992.0)),
            file("references", json!({})),
            file("references", json!({"n": ["Other", 2]})),
            file("references", json!({"m": ["Other", 1]})),
            file("unknown", json!(1)),
            without("a"),
            without("b"),
            without("e"),
            without("f"),
            without("references"),
        ];
        for file in other {
            assert!(!is_same(&file, &server), "{file}");
        }
    }
}
