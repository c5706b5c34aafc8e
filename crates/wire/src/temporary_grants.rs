//! Temporary permission grants.

use forge_domain::UserRef;
use forge_domain::access::Grant;
use forge_domain::id::TemporaryGrantId;
use forge_domain::tag::Tags;
use serde::{Deserialize, Serialize};

/// The body that gives a grant.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateTemporaryGrant {
    pub user_id: String,
    /// How long it lasts, in ISO 8601.
    pub duration: String,
    pub permission_grant: Grant,
    pub tags: Tags,
    pub justification: String,
}

/// The answer of giving a grant.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct TemporaryGrantCreated {
    pub temporary_permission_grant_id: TemporaryGrantId,
    pub expires_at: String,
}

/// A grant in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct TemporaryGrantInstance {
    #[serde(rename = "_id")]
    pub object_id: TemporaryGrantId,
    pub org_id: String,
    pub created_at: String,
    pub updated_at: String,
    pub user_id: String,
    pub expires_at: String,
    pub permission_grant: Grant,
    pub justification: String,
    pub creator: UserRef,
    pub tags: Tags,
}
