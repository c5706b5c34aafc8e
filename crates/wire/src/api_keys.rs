//! API keys.

use forge_domain::UserRef;
use forge_domain::api_key::ApiKeyId;
use forge_domain::id::ApiKeyObjectId;
use serde::{Deserialize, Serialize};

/// The body that creates a key.
#[derive(Debug, Deserialize)]
pub struct CreateApiKey {
    /// Its name, for people.
    pub name: Option<String>,
    /// How long it lives, in ISO 8601.
    pub duration: String,
    /// The role it is bound to.
    #[serde(default = "default_role")]
    pub role_name: String,
    /// Forge's own: whose the key is; if that is not said, it is of the caller's kind.
    #[serde(default)]
    pub actor_kind: Option<KeyHolder>,
}

fn default_role() -> String {
    forge_domain::access::DefaultRole::Administrator.name().to_owned()
}

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyHolder {
    /// A program's.
    Key,
    /// An AI agent's.
    Agent,
}

/// The answer of the creation of a key.
///
/// The secret is shown this once.
#[derive(Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ApiKeyCreated {
    pub api_key_id: ApiKeyId,
    pub api_key: String,
    pub expires_at: String,
}

/// A key in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ApiKeyInstance {
    #[serde(rename = "_id")]
    pub object_id: ApiKeyObjectId,
    pub name: Option<String>,
    pub org_id: String,
    pub created_at: String,
    pub updated_at: String,
    pub key_id: ApiKeyId,
    pub expires_at: String,
    pub creator: UserRef,
    /// Forge's own: who else could have made the key in the creator's name.
    pub behind: Vec<UserRef>,
    pub role_id: String,
    /// Forge's own: whose the key is.
    pub actor_kind: KeyHolder,
}

/// The answer of a list of keys.
#[derive(Debug, Serialize)]
pub struct ApiKeys {
    /// The keys in order of creation.
    pub api_keys: Vec<ApiKeyInstance>,
}

/// The answer of the deletion of a key.
#[derive(Debug, Serialize)]
pub struct ApiKeyDeleted {
    /// The key's id.
    pub deleted_key_id: String,
}
