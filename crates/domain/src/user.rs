//! Users.

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
