//! The audit log: one event for every configuration write, each holding the hash of the one before.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::OrganizationId;
use crate::actor::Actor;
use crate::time::Timestamp;

mod chain;
mod checkpoint;
mod filter;
mod object;

pub use chain::{ChainCheck, ChainFault, ChainFaultKind, ChainReport, ExpectedHead};
pub use checkpoint::Checkpoint;
pub use filter::EventFilter;
pub use object::{AuditObject, ObjectKind, UnknownObjectKind};

/// The `previous_hash` of an organization's first event.
pub const GENESIS_HASH: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// A write, as the audit log keeps it.
///
/// `before` and `after` hold configuration only: no personal data, secrets or transcripts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The organization written to.
    pub organization: OrganizationId,
    /// 1, 2, 3 … without gaps within the organization.
    pub sequence: i64,
    /// The organization's change number that the write took.
    pub change_number: i64,
    /// When it was written; never before the event before it.
    pub created_at: Timestamp,
    /// Who wrote.
    pub actor: Actor,
    /// What was done, such as `create` or `update`.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// What was there before; null if nothing.
    pub before: Value,
    /// What is there now; null if nothing.
    pub after: Value,
    /// The hash of the event before this one.
    pub previous_hash: String,
}

impl AuditEvent {
    /// Returns the event's hash: SHA-256, in hex, over its canonical JSON, the hash of the event before included.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "an event is made of JSON values only"
    )]
    pub fn hash(&self) -> String {
        let value = serde_json::to_value(self).expect("an event is made of JSON values");
        crate::hex(&Sha256::digest(canonical_json(&value).as_bytes()))
    }
}

/// Returns the one text that stands for a JSON value here: keys sorted, no blanks.
///
/// Hashes are taken over it, so that storing a document with other blanks or another order of keys changes none.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&fields[key], out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{ActorKey, ActorKind, UserRef};
    use serde_json::json;

    fn key(id: &str, creator: &str) -> ActorKey {
        ActorKey {
            id: id.into(),
            created_by: UserRef {
                org_id: "acme".parse().unwrap(),
                user_id: creator.into(),
            },
            behind: Vec::new(),
        }
    }

    fn event() -> AuditEvent {
        AuditEvent {
            organization: "acme".parse().unwrap(),
            sequence: 1,
            change_number: 1,
            created_at: Timestamp::from_millis(5),
            actor: Actor {
                user: UserRef {
                    org_id: "acme".parse().unwrap(),
                    user_id: "u".into(),
                },
                kind: ActorKind::Key,
                key: Some(key("k", "v")),
            },
            action: "create".into(),
            object: AuditObject {
                kind: "agent".into(),
                id: "a".into(),
            },
            before: Value::Null,
            after: json!({"name": "Mira", "tags": [1, 2]}),
            previous_hash: GENESIS_HASH.into(),
        }
    }

    #[test]
    fn canonical_json_does_not_depend_on_order_or_blanks() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"y": null, "x": "é\n"}], "a": true}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":true,"b":[1,{"x":"é\n","y":null}]}"#).unwrap();
        assert_eq!(canonical_json(&one), canonical_json(&two));
        assert_eq!(canonical_json(&one), r#"{"a":true,"b":[1,{"x":"é\n","y":null}]}"#);
    }

    /// What others check their own implementations with; `docs/api.md` tells the rules in words.
    #[test]
    fn the_canonical_form_is_as_the_published_vectors_say() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../docs/audit-vectors.json")).unwrap();
        let values = vectors["values"].as_array().unwrap();
        assert!(!values.is_empty());
        for vector in values {
            let text = |field: &str| vector[field].as_str().unwrap();
            let canonical = canonical_json(&serde_json::from_str(text("json")).unwrap());
            assert_eq!(canonical, text("canonical"), "{}", text("what"));
            assert_eq!(crate::hex(&Sha256::digest(canonical.as_bytes())), text("sha256"));
            let again = canonical_json(&serde_json::from_str(&canonical).unwrap());
            assert_eq!(again, canonical, "{}", text("what"));
        }
        for event in ["event", "event_with_key"] {
            let text = |field: &str| vectors[event][field].as_str().unwrap();
            let event: AuditEvent = serde_json::from_str(text("canonical")).unwrap();
            assert_eq!(event.hash(), text("sha256"));
        }
    }

    #[test]
    fn every_field_is_part_of_the_hash() {
        let original = event().hash();
        assert_eq!(original.len(), 64);
        let changes: [fn(&mut AuditEvent); 12] = [
            |e| e.organization = "other".parse().unwrap(),
            |e| e.sequence = 2,
            |e| e.change_number = 2,
            |e| e.created_at = Timestamp::from_millis(6),
            |e| e.actor.kind = ActorKind::Agent,
            |e| e.actor.key = None,
            |e| e.actor.key = Some(key("l", "v")),
            |e| e.actor.key = Some(key("k", "w")),
            |e| e.actor.key.as_mut().unwrap().behind = vec![key("k", "w").created_by],
            |e| e.action = "update".into(),
            |e| e.after = json!({}),
            |e| e.previous_hash = "1".into(),
        ];
        for change in changes {
            let mut changed = event();
            change(&mut changed);
            assert_ne!(changed.hash(), original);
        }
    }
}
