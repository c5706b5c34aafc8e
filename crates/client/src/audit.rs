//! The audit log.

use serde::Deserialize;

use crate::answers::Actor;
use crate::request::Request;
use crate::stream::Stream;
use crate::watch::Object;
use crate::{Client, ClientError, Pages};

/// An event of the log.
#[derive(Debug, Clone, Deserialize)]
pub struct AuditEvent {
    /// Its place in the log.
    pub sequence: i64,
    /// The organization's change number of the write.
    pub change_number: i64,
    /// When, in RFC 3339.
    pub created_at: String,
    /// By whom.
    pub actor: Actor,
    /// What was done.
    pub action: String,
    /// To what.
    pub object: Object,
}

/// Which events are listed: those that are all of this.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of an event")]
pub struct AuditFilter {
    pub object_kind: Option<String>,
    pub object_id: Option<String>,
    pub action: Option<String>,
    pub actor_user_id: Option<String>,
    pub actor_kind: Option<String>,
    pub created_after: Option<String>,
    pub created_before: Option<String>,
    pub after_sequence: Option<i64>,
    pub before_sequence: Option<i64>,
}

/// The log as it comes, line by line.
pub struct Export {
    stream: Stream,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// The longest line that is taken, in bytes.
    longest: usize,
    /// The number of the last event that came.
    last_sequence: Option<i64>,
    is_complete: bool,
}

impl Client {
    /// Lists the events of the audit log that the user may see, newest first.
    pub fn audit_events(&self, filter: &AuditFilter) -> Pages<'_, AuditEvent> {
        let filter = filter.clone();
        Pages::new(self, "audit_events", 100, move |limit, token| {
            let filter = filter.clone();
            Request::get("audit_event/")
                .query("limit", limit)
                .query("continuation_token", token)
                .query_if("object_kind", filter.object_kind)
                .query_if("object_id", filter.object_id)
                .query_if("action", filter.action)
                .query_if("actor_user_id", filter.actor_user_id)
                .query_if("actor_kind", filter.actor_kind)
                .query_if("created_after", filter.created_after)
                .query_if("created_before", filter.created_before)
                .query_if("after_sequence", filter.after_sequence)
                .query_if("before_sequence", filter.before_sequence)
        })
    }

    /// Begins to export the log behind an event.
    ///
    /// # Errors
    ///
    /// [`ClientError::Forbidden`] if the user may not see all of the log.
    pub async fn export_audit_log(&self, after: Option<i64>) -> Result<Export, ClientError> {
        let request = Request::get("audit_event/export").query_if("after_sequence", after);
        Ok(Export {
            stream: self.stream(&request).await?,
            line: Vec::new(),
            longest: self.bounds().line,
            last_sequence: None,
            is_complete: false,
        })
    }
}

/// As much of a line of an export as tells what it is.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    sequence: Option<i64>,
    #[serde(default)]
    checkpoint: Option<serde::de::IgnoredAny>,
}

impl Export {
    /// Returns what came next, as it was sent; nothing at the end.
    ///
    /// # Errors
    ///
    /// [`ClientError::BrokenOff`] or [`ClientError::Silent`] if the rest of the log does not come, [`ClientError::Unexpected`]
    /// if a line is none of a log.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let Some(bytes) = self.stream.next().await? else {
            return Ok(None);
        };
        let bytes = bytes.as_ref();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if part.len() > self.longest - self.line.len() {
                let too_long = serde::de::Error::custom("a line is too long");
                return Err(self.stream.unexpected(too_long));
            }
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line: Line =
                    serde_json::from_slice(&line).map_err(|source| self.stream.unexpected(source))?;
                self.is_complete = line.checkpoint.is_some();
                self.last_sequence = line.sequence.or(self.last_sequence);
            }
        }
        Ok(Some(bytes.to_vec()))
    }

    /// Returns `true` if the last line is the signed checkpoint, which is missing if the export broke off.
    pub fn is_complete(&self) -> bool {
        self.is_complete && self.line.is_empty()
    }

    /// Returns the number of the last event that came whole, if one did.
    pub fn last_sequence(&self) -> Option<i64> {
        self.last_sequence
    }
}
