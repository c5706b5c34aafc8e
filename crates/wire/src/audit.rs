//! The audit log: its events, and its export line by line.

use forge_domain::audit::{AuditEvent, AuditObject, Checkpoint};
use forge_domain::{Actor, OrganizationId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{json, parse_rfc3339, rfc3339};

/// An event of the log: everything that its hash is taken over, and the hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventInstance {
    /// The organization written to.
    pub organization: OrganizationId,
    /// Its place in the log.
    pub sequence: i64,
    /// The organization's change number of the write.
    pub change_number: i64,
    /// When.
    pub created_at: String,
    /// Who.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// What was there before.
    pub before: Value,
    /// What is there now.
    pub after: Value,
    /// The hash of all of this.
    pub hash: String,
    /// The hash of the event before it.
    pub previous_hash: String,
}

impl EventInstance {
    /// Builds the answer about an event from the event and its stored hash.
    pub fn new(event: AuditEvent, hash: String) -> Self {
        Self {
            organization: event.organization,
            sequence: event.sequence,
            change_number: event.change_number,
            created_at: rfc3339(event.created_at),
            actor: event.actor,
            action: event.action,
            object: event.object,
            before: event.before,
            after: event.after,
            hash,
            previous_hash: event.previous_hash,
        }
    }

    /// Returns the event and the hash that was stored with it.
    pub fn into_event(self) -> Result<(AuditEvent, String), String> {
        let event = AuditEvent {
            organization: self.organization,
            sequence: self.sequence,
            change_number: self.change_number,
            created_at: exact_time(&self.created_at)?,
            actor: self.actor,
            action: self.action,
            object: self.object,
            before: self.before,
            after: self.after,
            previous_hash: self.previous_hash,
        };
        Ok((event, self.hash))
    }
}

/// Reads a time in the very form that it is written in: a hash covers the milliseconds, and nothing else about the
/// text may differ unnoticed.
fn exact_time(text: &str) -> Result<Timestamp, String> {
    // Most languages know no year 0.
    let time = parse_rfc3339(text).filter(|time| rfc3339(*time) == text && !text.starts_with("0000"));
    time.ok_or_else(|| format!("`{text}` is no time in the form of the log"))
}

/// A checkpoint with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointInstance {
    /// Whose log.
    pub organization: OrganizationId,
    /// The number of its last event.
    pub sequence: i64,
    /// The hash of that event.
    pub hash: String,
    /// When it was signed.
    pub created_at: String,
    /// The id of the key.
    pub kid: String,
    /// The Ed25519 signature, in base64.
    pub signature: String,
}

impl CheckpointInstance {
    /// Builds the answer about a checkpoint.
    pub fn new(checkpoint: Checkpoint, signature: String) -> Self {
        Self {
            organization: checkpoint.organization,
            sequence: checkpoint.sequence,
            hash: checkpoint.hash,
            created_at: rfc3339(checkpoint.created_at),
            kid: checkpoint.kid,
            signature,
        }
    }

    /// Returns the checkpoint and its signature.
    pub fn into_checkpoint(self) -> Result<(Checkpoint, String), String> {
        let checkpoint = Checkpoint {
            organization: self.organization,
            sequence: self.sequence,
            hash: self.hash,
            created_at: exact_time(&self.created_at)?,
            kid: self.kid,
        };
        Ok((checkpoint, self.signature))
    }
}

/// The last line of an export.
#[derive(Debug, Serialize, Deserialize)]
pub struct CheckpointLine {
    /// What the log ended with.
    pub checkpoint: CheckpointInstance,
}

/// The present end of a log.
#[derive(Debug, Serialize, Deserialize)]
pub struct HeadInstance {
    /// The number of its last event.
    pub sequence: i64,
    /// The hash of that event.
    pub hash: String,
    /// The same, signed.
    pub checkpoint: CheckpointInstance,
    /// The key that belongs to the signature, in base64.
    pub public_key: String,
}

/// A line of an export.
#[derive(Debug)]
pub enum Line {
    /// An event, and the hash that was stored with it.
    Event(Box<(AuditEvent, String)>),
    /// A checkpoint and its signature.
    Checkpoint(Checkpoint, String),
}

/// Reads a line of an export, or says what is wrong with it.
pub fn parse_line(line: &[u8]) -> Result<Line, String> {
    // Other readers of JSON stumble over what bodies may begin with.
    if line.starts_with(json::BYTE_ORDER_MARK) {
        return Err("it begins with a byte order mark".to_owned());
    }
    if line.trim_ascii().is_empty() {
        return Err("it is blank".to_owned());
    }
    let value = json::parse(line).map_err(|fault| fault.to_string())?;
    if value.get("checkpoint").is_some() {
        let line: CheckpointLine = exactly(value)?;
        let (checkpoint, signature) = line.checkpoint.into_checkpoint()?;
        return Ok(Line::Checkpoint(checkpoint, signature));
    }
    let event: EventInstance = exactly(value)?;
    Ok(Line::Event(Box::new(event.into_event()?)))
}

/// Reads a value that holds nothing beyond what the type has: no hash and no signature would cover it.
fn exactly<T: Serialize + DeserializeOwned>(value: Value) -> Result<T, String> {
    let read: T = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    if serde_json::to_value(&read).is_ok_and(|again| again == value) {
        Ok(read)
    } else {
        Err("it has more fields than belong there".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use forge_domain::audit::{ChainCheck, GENESIS_HASH};
    use forge_domain::{ActorKey, ActorKind, UserRef};
    use serde_json::json;

    use super::*;

    fn event() -> AuditEvent {
        AuditEvent {
            organization: "acme".parse().unwrap(),
            sequence: 1,
            change_number: 1,
            created_at: Timestamp::from_millis(1_795_447_756_042),
            actor: Actor {
                user: UserRef {
                    org_id: "acme".parse().unwrap(),
                    user_id: "u".into(),
                },
                kind: ActorKind::Key,
                key: Some(ActorKey {
                    id: "k".into(),
                    created_by: UserRef {
                        org_id: "acme".parse().unwrap(),
                        user_id: "v".into(),
                    },
                    behind: vec![UserRef {
                        org_id: "acme".parse().unwrap(),
                        user_id: "w".into(),
                    }],
                }),
            },
            action: "create".into(),
            object: AuditObject {
                kind: "agent".into(),
                id: "a".into(),
            },
            before: Value::Null,
            after: json!({"temperature": 0.123_456_789_012_345_68, "big": u64::MAX}),
            previous_hash: GENESIS_HASH.into(),
        }
    }

    fn line() -> String {
        serde_json::to_string(&EventInstance::new(event(), event().hash())).unwrap()
    }

    #[test]
    fn an_event_comes_back_from_its_line_with_the_same_hash() {
        let Ok(Line::Event(read)) = parse_line(line().as_bytes()) else {
            panic!("no event")
        };
        assert_eq!(*read, (event(), event().hash()));
        assert_eq!(read.0.hash(), read.1);
    }

    #[test]
    fn the_published_line_has_the_published_hash() {
        let vectors: Value = serde_json::from_str(include_str!("../../../docs/audit-vectors.json")).unwrap();
        for vector in [&vectors["event"], &vectors["event_with_key"]] {
            let Ok(Line::Event(read)) = parse_line(vector["line"].as_str().unwrap().as_bytes()) else {
                panic!("no event")
            };
            assert_eq!(read.0.hash(), read.1);
            assert_eq!(vector["sha256"], json!(read.1));
        }
    }

    #[test]
    fn the_published_exports_are_judged_as_they_say() {
        let vectors: Value = serde_json::from_str(include_str!("../../../docs/audit-vectors.json")).unwrap();
        let exports = vectors["exports"].as_array().unwrap();
        assert!(!exports.is_empty());
        for export in exports {
            let mut check = ChainCheck::new(Vec::new()).with_checkpoint();
            for line in export["lines"].as_array().unwrap() {
                match parse_line(line.as_str().unwrap().as_bytes()) {
                    Ok(Line::Event(event)) => check.add(&event.0, &event.1),
                    Ok(Line::Checkpoint(checkpoint, _)) => check.add_checkpoint(&checkpoint),
                    Err(why) => check.add_unreadable(why),
                }
            }
            let report = check.finish();
            assert_eq!(
                report.is_intact(),
                export["is_intact"],
                "{}: {report:?}",
                export["what"]
            );
        }
    }

    #[test]
    fn whatever_a_hash_does_not_cover_is_refused() {
        let line = line();
        for (from, to) in [
            ("{\"organization\"", "{\"note\":1,\"organization\""),
            (".042Z", ".0421Z"),
            (".042Z", ".042+00:00"),
            ("\"org_id\"", "\"x\":1,\"org_id\""),
            ("\"id\":\"k\"", "\"id\":\"k\",\"x\":1"),
            ("\"before\":null", "\"before\":null,\"before\":null"),
            ("\"big\"", "\"temperature\":1,\"big\""),
            ("\"kind\":\"agent\"", "\"kind\":\"agent\",\"x\":1"),
            ("\"action\":\"create\",", ""),
        ] {
            let edited = line.replacen(from, to, 1);
            assert_ne!(edited, line, "{from}");
            assert!(parse_line(edited.as_bytes()).is_err(), "{edited}");
        }
        assert!(parse_line(b"").is_err() && parse_line(b"[]").is_err() && parse_line(b"{\"a").is_err());
    }
}
