//! The name that a caller gives to a call, so that it is done once.

use forge_app::IdempotencyKey;
use forge_contract::Operation;
use forge_domain::audit::canonical_json;
use forge_domain::number::integral_numbers;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::headers::IDEMPOTENCY_KEY;

/// Returns the name that a caller gave to the call, if any.
///
/// The same name may not be given to another request, for which path, query, body and the conditions in the headers
/// stand. A dry run changes nothing, however often it is made.
pub(crate) fn of_request(
    operation: &Operation,
    path: &Map<String, Value>,
    query: &Map<String, Value>,
    headers: &Map<String, Value>,
    body: &Value,
) -> Option<IdempotencyKey> {
    let key = headers.get(IDEMPOTENCY_KEY)?.as_str()?;
    if query.get("dry_run") == Some(&Value::Bool(true)) || body["dry_run"] == true {
        return None;
    }
    let hash = |value: &Value| {
        let text = canonical_json(&integral_numbers(value));
        forge_domain::hex(&Sha256::digest(text.as_bytes()))
    };
    let conditions = (headers.get("If-Match"), headers.get("If-None-Match"));
    Some(IdempotencyKey {
        // What stands in a path may be long; its hash is not.
        scope: format!("{} {}", operation.id, hash(&json!(path))),
        key: key.to_owned(),
        request_hash: hash(&json!([query, body, conditions])),
    })
}
