//! Users.

use forge_domain::user::{Preferences, Variables};
use serde::{Deserialize, Serialize};

use crate::erasable::erasable;

/// The body that invites a user.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateInvitedUser {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub role_name: String,
    /// Not sent by Forge, which sends no mail: it comes back for the caller to pass on.
    #[serde(default)]
    pub login_link: Option<String>,
    #[serde(default)]
    pub nonsensitive_user_variables: Variables,
    #[serde(default)]
    pub sensitive_user_variables: Variables,
    #[serde(default)]
    pub user_preferences: Option<Preferences>,
}

/// The answer of an invitation.
#[derive(Debug, Serialize)]
pub struct UserInvited {
    /// The user's id.
    pub user_id: String,
    /// What was given as `login_link`.
    pub verify_link: Option<String>,
}

/// The body that changes a user.
///
/// Where null erases, an absent field or `{}` leaves as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UpdateUserInfo {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enable_response_recommendation: Option<bool>,
    #[serde(deserialize_with = "erasable")]
    pub preferred_language: Option<Option<String>>,
    #[serde(deserialize_with = "erasable")]
    pub timezone: Option<Option<String>>,
    pub conversations_visible_to_admins: Option<bool>,
    pub user_model_visible_to_admins: Option<bool>,
    pub additional_context: Option<Vec<String>>,
    pub audio_keyterms: Option<Vec<String>>,
}

/// What a user has done so far.
#[derive(Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UserStats {
    pub num_conversations: i64,
    pub num_messages: i64,
    pub last_message_time: Option<String>,
}

/// A user in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UserInstance {
    pub org_id: String,
    pub user_id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub user_stats: UserStats,
    /// The id of the role.
    pub role: String,
    pub preferences: Preferences,
    pub nonsensitive_variables: Variables,
    /// The names only.
    pub sensitive_variables: Vec<String>,
    pub enable_actions_access: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_erases_and_an_empty_object_leaves_alone() {
        let read = |text| {
            serde_json::from_str::<UpdateUserInfo>(text)
                .unwrap()
                .preferred_language
        };
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"preferred_language": {}}"#), None);
        assert_eq!(read(r#"{"preferred_language": null}"#), Some(None));
        assert_eq!(
            read(r#"{"preferred_language": "eng"}"#),
            Some(Some("eng".to_owned()))
        );
    }
}
