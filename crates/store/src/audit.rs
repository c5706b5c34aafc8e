//! The audit log.

use forge_domain::audit::{AuditEvent, AuditObject, EventFilter, GENESIS_HASH};
use forge_domain::{Actor, OrganizationId, Timestamp};
use serde_json::Value;

use crate::StoreError;
use crate::row::{Row, args, behind, to_json};
use crate::rows::Rows;
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

/// Events as they are read, whoever reads them: what lacks a column here cannot be held against its hash.
macro_rules! select_events {
    ($rest:literal) => {
        concat!(
            "SELECT sequence, change_number, created_at, actor_org_id, actor_user_id, actor_kind, actor_key_id,
                actor_key_org_id, actor_key_user_id, actor_key_behind, action, object_kind, object_id, before_document,
                after_document, previous_hash, hash
            FROM audit_event ",
            $rest
        )
    };
}

statements! {
    LAST_EVENT = "SELECT sequence, hash FROM audit_event
        WHERE organization_id = $1 ORDER BY sequence DESC LIMIT 1";
    EVENT_AND_LAST = "SELECT sequence, hash FROM audit_event WHERE organization_id = $1
            AND (sequence = $2 OR sequence = (SELECT MAX(sequence) FROM audit_event WHERE organization_id = $1))
        ORDER BY sequence";
    INSERT_EVENT = "INSERT INTO audit_event (organization_id, sequence, change_number, created_at, actor_org_id,
            actor_user_id, actor_kind, actor_key_id, actor_key_org_id, actor_key_user_id, actor_key_behind, action, object_kind,
            object_id, before_document, after_document, previous_hash, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    // Neither times nor change numbers ever go back along the chain.
    FIND_CHANGE_AT = "SELECT change_number FROM audit_event WHERE organization_id = $1 AND created_at <= $2
        ORDER BY created_at DESC, sequence DESC LIMIT 1";
    LIST_EVENTS = select_events!("WHERE organization_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3");
    FIND_EVENTS = select_events!("WHERE organization_id = $1
            AND sequence > $2 AND sequence < $3
            AND (CAST($4 AS BIGINT) IS NULL OR created_at > $4)
            AND (CAST($5 AS BIGINT) IS NULL OR created_at < $5)
            AND (CAST($6 AS TEXT) IS NULL OR object_kind = $6)
            AND (CAST($7 AS TEXT) IS NULL OR object_id = $7)
            AND (CAST($8 AS TEXT) IS NULL OR action = $8)
            AND (CAST($9 AS TEXT) IS NULL OR actor_user_id = $9)
            AND (CAST($10 AS TEXT) IS NULL OR actor_kind = $10)
        ORDER BY sequence DESC LIMIT $11");
    // Of a log that may have been tampered with. Whatever is no number there is beyond the bounds, or is none of them.
    SCAN_EVENTS = select_events!("WHERE organization_id = $1
            AND sequence >= $2 AND sequence <= $3
        ORDER BY sequence LIMIT $4");
    COUNT_EVENTS = "SELECT COUNT(*) AS entries, MAX(CAST(sequence AS BIGINT)) AS last
        FROM audit_event WHERE organization_id = $1";
    // Those of organizations that were deleted, or that are not there at all, too: what they wrote stays.
    LIST_CHAINS = "SELECT organization_id AS id FROM audit_event UNION SELECT id FROM organization ORDER BY 1";
    LAST_CHANGE = "SELECT change_number FROM organization WHERE id = $1";
}

/// A row of a log that may have been tampered with.
#[derive(Debug)]
pub struct ScannedEvent {
    /// Its number.
    pub sequence: i64,
    /// The event with its stored hash, or why it cannot be read.
    pub event: Result<(AuditEvent, String), String>,
}

/// The last event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// Its number; 0 before the first event.
    pub sequence: i64,
    /// Its hash; the genesis hash before the first event.
    pub hash: String,
}

impl ChainHead {
    fn genesis() -> Self {
        Self {
            sequence: 0,
            hash: GENESIS_HASH.to_owned(),
        }
    }
}

/// How much of a log is there, however it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLength {
    /// How many rows.
    pub entries: u64,
    /// The highest number, or `None` if there is none.
    pub last: Option<i64>,
}

fn head(row: &Row<'_>) -> Result<ChainHead, StoreError> {
    Ok(ChainHead {
        sequence: row.integer("sequence")?,
        hash: row.text("hash")?,
    })
}

fn event(organization: &OrganizationId, row: &Row<'_>) -> Result<(AuditEvent, String), StoreError> {
    let event = AuditEvent {
        organization: organization.clone(),
        sequence: row.integer("sequence")?,
        change_number: row.integer("change_number")?,
        created_at: row.time("created_at")?,
        actor: row.actor()?,
        action: row.text("action")?,
        object: row.object()?,
        before: row.json("before_document")?,
        after: row.json("after_document")?,
        previous_hash: row.text("previous_hash")?,
    };
    Ok((event, row.text("hash")?))
}

/// The same, of a row whose documents must be, byte for byte, what Forge writes.
///
/// A hash covers their values only: a key that stands there twice is read as the first by some and as the last by
/// others.
fn exact_event(organization: &OrganizationId, row: &Row<'_>) -> Result<(AuditEvent, String), StoreError> {
    let (event, hash) = event(organization, row)?;
    for (column, value) in [
        ("before_document", &event.before),
        ("after_document", &event.after),
    ] {
        if row.text(column)? != to_json(value) {
            return Err(StoreError::Corrupt {
                column: column.to_owned(),
                reason: "the document is not in the form in which it is written".to_owned(),
            });
        }
    }
    Ok((event, hash))
}

impl Tx {
    /// Returns up to `limit` events after the one of that number, oldest first, each with its stored hash.
    pub async fn list_audit_events(
        &mut self,
        organization: &OrganizationId,
        after: i64,
        limit: i64,
    ) -> Result<Rows<(AuditEvent, String)>, StoreError> {
        self.some(&LIST_EVENTS, args![organization, after, limit], |row| {
            event(organization, row)
        })
        .await
    }
}

impl Tx {
    /// Returns the events of a log that may have been tampered with, after one and up to another, oldest first, at most
    /// `limit` rows of them.
    ///
    /// A row whose number cannot be read is left out: [`Tx::audit_chain_length`] counts it.
    pub async fn scan_audit_events(
        &mut self,
        organization: &OrganizationId,
        after: Option<i64>,
        last: i64,
        limit: i64,
    ) -> Result<Rows<ScannedEvent>, StoreError> {
        let first = after.map_or(Some(i64::MIN), |after| after.checked_add(1));
        let Some(first) = first else {
            // No number is greater.
            return Ok(Rows::for_room(self.room));
        };
        let args = args![organization, first, last, limit];
        let rows = self.some(&SCAN_EVENTS, args, |row| {
            Ok(row.integer("sequence").ok().map(|sequence| ScannedEvent {
                sequence,
                event: exact_event(organization, row).map_err(|error| error.to_string()),
            }))
        });
        Ok(rows.await?.present())
    }

    /// Counts the rows of a log, whatever is in them.
    pub async fn audit_chain_length(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<ChainLength, StoreError> {
        let counted = self.optional(&COUNT_EVENTS, args![organization], |row| {
            Ok(ChainLength {
                entries: row.convert("entries")?,
                last: row.optional_integer("last")?,
            })
        });
        Ok(counted.await?.unwrap_or(ChainLength {
            entries: 0,
            last: None,
        }))
    }

    /// Returns up to `limit` events that pass the filter, newest first, each with its stored hash.
    pub async fn find_audit_events(
        &mut self,
        organization: &OrganizationId,
        filter: &EventFilter,
        limit: i64,
    ) -> Result<Rows<(AuditEvent, String)>, StoreError> {
        let filter = filter.clone();
        let args = args![
            organization,
            filter.after_sequence.unwrap_or(i64::MIN),
            filter.before_sequence.unwrap_or(i64::MAX),
            filter.created_after,
            filter.created_before,
            filter.object_kind,
            filter.object_id,
            filter.action,
            filter.actor_user_id,
            filter.actor_kind.map(|kind| kind.as_str().to_owned()),
            limit,
        ];
        self.some(&FIND_EVENTS, args, |row| event(organization, row))
            .await
    }

    /// Returns the end of an organization's log.
    pub async fn audit_head(&mut self, organization: &OrganizationId) -> Result<ChainHead, StoreError> {
        let found = self.optional(&LAST_EVENT, args![organization], head).await?;
        Ok(found.unwrap_or_else(ChainHead::genesis))
    }

    /// Returns the same, if the log goes on from what was its end, or `None` if that is no part of it.
    pub async fn audit_head_after(
        &mut self,
        organization: &OrganizationId,
        before: &ChainHead,
    ) -> Result<Option<ChainHead>, StoreError> {
        let mut found = self
            .all(&EVENT_AND_LAST, args![organization, before.sequence], head)
            .await?;
        let goes_on = before.sequence == 0 || found.first() == Some(before);
        let last = found.pop().unwrap_or_else(ChainHead::genesis);
        Ok(goes_on.then_some(last))
    }

    /// Returns the ids of all organizations that have a log, or of an id that no organization can have, why; for
    /// operators only.
    pub async fn list_audit_chains(&mut self) -> Result<Vec<Result<OrganizationId, String>>, StoreError> {
        let id = |row: &Row<'_>| Ok(row.parse("id").map_err(|error| error.to_string()));
        self.all(&LIST_CHAINS, args![], id).await
    }

    /// Returns the number of the last change of an organization, deleted or not, or `None` if there is none of that id.
    pub async fn last_change(&mut self, organization: &OrganizationId) -> Result<Option<i64>, StoreError> {
        self.optional(&LAST_CHANGE, args![organization], |row| {
            row.integer("change_number")
        })
        .await
    }

    /// Returns the number of the last change that the organization had made at a moment; 0 before the first.
    pub async fn change_number_at(
        &mut self,
        organization: &OrganizationId,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        let found = self
            .optional(&FIND_CHANGE_AT, args![organization, at], |row| {
                row.integer("change_number")
            })
            .await?;
        Ok(found.unwrap_or(0))
    }
}

impl WriteTx {
    /// Appends an event about this write to the organization's chain.
    pub async fn append_audit_event(
        &mut self,
        actor: &Actor,
        action: &str,
        object: AuditObject,
        before: Value,
        after: Value,
    ) -> Result<(), StoreError> {
        let organization = self.organization.clone();
        let head = self.audit_head(&organization).await?;
        let event = AuditEvent {
            organization,
            sequence: head.sequence + 1,
            change_number: self.change_number(),
            created_at: self.changed_at(),
            actor: actor.clone(),
            action: action.to_owned(),
            object,
            before,
            after,
            previous_hash: head.hash,
        };
        let hash = event.hash();
        let key = event.actor.key.as_ref();
        let args = args![
            &event.organization,
            event.sequence,
            event.change_number,
            event.created_at,
            &event.actor.user.org_id,
            event.actor.user.user_id,
            event.actor.kind.as_str(),
            key.map(|key| key.id.clone()),
            key.map(|key| key.created_by.org_id.to_string()),
            key.map(|key| key.created_by.user_id.clone()),
            key.and_then(behind),
            event.action,
            event.object.kind,
            event.object.id,
            to_json(&event.before),
            to_json(&event.after),
            event.previous_hash,
            hash,
        ];
        self.execute(&INSERT_EVENT, args).await.map(drop)
    }
}
