//! API keys, with which programs sign in.

use crate::RoleId;
use crate::access::Role;
use crate::actor::UserRef;
use crate::time::Timestamp;
use forge_types::id::ApiKeyObjectId;

/// An API key; the secret itself is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// Its id: a UUID.
    pub id: String,
    /// A second id, which the contract shows beside the first.
    pub object_id: ApiKeyObjectId,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// The role it is bound to.
    pub role: Role,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who created it.
    pub creator: UserRef,
    /// Who else could have created it in that user's name.
    pub behind: Vec<UserRef>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// An API key to be created.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its id: a UUID.
    pub id: String,
    /// A second id, which the contract shows beside the first.
    pub object_id: ApiKeyObjectId,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// The role it is bound to.
    pub role_id: RoleId,
    /// Its name, for people.
    pub name: Option<String>,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who creates it.
    pub creator: UserRef,
    /// Who else could be creating it in that user's name.
    pub behind: Vec<UserRef>,
    /// When it ends.
    pub expires_at: Timestamp,
}
