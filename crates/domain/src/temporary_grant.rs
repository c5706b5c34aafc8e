//! Grants that a user has for a while, beside those of the role.

use crate::access::Grant;
use crate::actor::UserRef;
use crate::tag::Tags;
use crate::time::Timestamp;
use forge_types::id::TemporaryGrantId;

/// A grant that a user has until it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct TemporaryGrant {
    /// Its id.
    pub id: TemporaryGrantId,
    /// Its place in the organization's list; of one not yet stored, 0.
    pub seq: i64,
    /// Who has it.
    pub user_id: String,
    /// What it grants.
    pub grant: Grant,
    /// Its tags.
    pub tags: Tags,
    /// Why it was given.
    pub justification: String,
    /// Who gave it.
    pub creator: UserRef,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it ended before that.
    pub ended_at: Option<Timestamp>,
}

impl TemporaryGrant {
    /// Returns when it ends, or ended.
    pub fn end(&self) -> Timestamp {
        self.ended_at.unwrap_or(self.expires_at)
    }
}
