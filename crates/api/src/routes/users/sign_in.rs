//! Signs a user in with an API key.

use axum::http::StatusCode;
use forge_app::{AppError, sign_in};
use forge_wire::rfc3339;
use forge_wire::sign_in::{SignInHeaders, SignedIn};

use crate::call::{Call, Nothing};
use crate::caller::Anyone;
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Anyone>) -> Answer {
    let headers: SignInHeaders =
        serde_json::from_value(call.headers.into()).map_err(|error| AppError::Internal(Box::new(error)))?;
    let (key_id, secret, user_id) = (&headers.x_api_key_id, &headers.x_api_key, &headers.x_user_id);
    let session = sign_in::with_api_key(&call.app, &call.organization, key_id, secret, user_id).await?;
    let body = SignedIn {
        id_token: session.token,
        expires_at: rfc3339(session.expires_at),
    };
    reply::json(StatusCode::OK, &body)
}
