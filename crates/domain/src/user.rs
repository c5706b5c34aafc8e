//! Users.

use crate::RoleId;
use crate::access::Role;
use crate::time::Timestamp;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What a user chose; the fields and their defaults are the contract's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Whether responses are recommended to a user who hesitates.
    pub enable_response_recommendation: bool,
    /// ISO 639-3 code of the language that agents speak with the user; by default the agent's.
    pub preferred_language: Option<String>,
    /// Whether administrators see the user's conversations.
    pub conversations_visible_to_admins: bool,
    /// Whether administrators see what is known of the user.
    pub user_model_visible_to_admins: bool,
    /// IANA name of the user's time zone; by default UTC.
    pub timezone: Option<String>,
    /// Words of the user that transcription gets wrong.
    pub audio_keyterms: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            enable_response_recommendation: false,
            preferred_language: None,
            conversations_visible_to_admins: true,
            user_model_visible_to_admins: true,
            timezone: None,
            audio_keyterms: Vec::new(),
        }
    }
}

/// A user's variables by name.
pub type Variables = IndexMap<String, String>;

/// A user.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The user's id, a free string.
    pub id: String,
    /// The user's place in the organization's list.
    pub seq: i64,
    /// The user's role.
    pub role: Role,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
    /// What the user chose.
    pub preferences: Preferences,
    /// Variables that may be shown.
    pub nonsensitive_variables: Variables,
    /// The names of the variables that may not.
    pub sensitive_variable_names: Vec<String>,
    /// Whether the user was deleted; then nothing personal is left.
    pub is_deleted: bool,
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user's id, a free string.
    pub id: String,
    /// The user's role.
    pub role_id: RoleId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
    /// What the user chose, or the organization's default.
    pub preferences: Preferences,
    /// Variables that may be shown.
    pub nonsensitive_variables: Variables,
    /// The names of the variables that may not.
    pub sensitive_variable_names: Vec<String>,
    /// The values of those, sealed.
    pub sealed_sensitive_variables: Option<String>,
}

/// A user in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// What they have done in conversations.
    pub stats: UserStats,
}

/// What a user has done in conversations so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserStats {
    /// How many they have had.
    pub conversations: i64,
    /// How many messages those have, the agent's thoughts aside.
    pub messages: i64,
    /// When the last of them was.
    pub last_message_at: Option<Timestamp>,
}
