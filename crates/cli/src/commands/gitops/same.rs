//! Whether a document on the server is what a file says.

use forge_domain::number;
use serde_json::Value;

/// Tells whether the server has what a file says. The server adds defaults, cuts blanks around texts, and leaves out fields
/// that it does not know; none of that is a difference.
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
            file.iter().all(|(key, value)| match server.get(key) {
                // Its keys are names that the author gave, so that each of them counts.
                Some(of_server) if key == "references" => value == of_server,
                Some(of_server) => is_same(value, of_server),
                None => true,
            })
        }
        (file, server) => number::is_same(file, server),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_does_to_a_document_is_no_difference() {
        let server = json!({"a": "x", "b": [1, {"c": 5.0}], "d": false, "e": 9_007_199_254_740_993_i64,
            "references": {"n": ["Other", 1]}});
        let same = [
            json!({"a": " x\n"}),
            json!({"b": [1, {"c": 5}]}),
            json!({"unknown": 1, "references": {"n": ["Other", 1]}}),
            server.clone(),
        ];
        for file in same {
            assert!(is_same(&file, &server), "{file}");
        }
        let other = [
            json!({"a": "y"}),
            json!({"b": [1]}),
            json!({"b": [1, {"c": 5.1}]}),
            json!({"d": null}),
            json!({"references": {}}),
            json!({"e": 9_007_199_254_740_992.0}),
            json!({"references": {"n": ["Other", 2]}}),
            json!({"references": {"m": ["Other", 1]}}),
        ];
        for file in other {
            assert!(!is_same(&file, &server), "{file}");
        }
    }
}
