//! Sign-in.

use serde::{Deserialize, Serialize};

/// The headers of a sign-in with an API key.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignInHeaders {
    /// The secret.
    pub x_api_key: String,
    /// The id of the key.
    pub x_api_key_id: String,
    /// Who signs in.
    pub x_user_id: String,
}

/// The answer of a sign-in.
#[derive(Serialize)]
pub struct SignedIn {
    /// The token.
    pub id_token: String,
    /// When it ends.
    pub expires_at: String,
}
