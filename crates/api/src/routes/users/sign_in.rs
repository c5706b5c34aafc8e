//! Signs a user in with an API key.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use forge_app::AppError;
use forge_app::access::sign_in;
use forge_contract::contract;
use forge_wire::rfc3339;
use forge_wire::sign_in::{SignInHeaders, SignedIn};

use crate::call::{Call, Nothing};
use crate::caller::Anyone;
use crate::error::ApiError;
use crate::reply::{self, Answer};

const OPERATION: &str = "sign-in-with-api-key";

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Anyone>) -> Answer {
    let headers: SignInHeaders = serde_json::from_value(call.headers.clone().into())
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    let (key_id, secret, user_id) = (&headers.x_api_key_id, &headers.x_api_key, &headers.x_user_id);
    let session = sign_in::with_api_key(&call.server.app, &call.organization, key_id, secret, user_id).await;
    // Failures are counted apart: however often others fail, a correct secret is not locked out by them.
    let outcome = match &session {
        Ok(_) => "succeeded",
        Err(AppError::Unauthenticated(_)) => "failed",
        Err(_) => "",
    };
    let peer = call.peer.map(|peer| peer.to_string()).unwrap_or_default();
    let identity = format!("{outcome} {} {key_id} {user_id} {peer}", call.organization);
    let limit = contract()
        .operation(OPERATION)
        .and_then(|operation| operation.requests_per_minute);
    let verdict = call
        .server
        .limiter
        .count(OPERATION, limit, &identity, call.server.app.clock.now());
    let answer = match session {
        _ if verdict.is_some_and(|verdict| !verdict.decision.is_allowed) => Err(ApiError::TooManyRequests),
        Ok(session) => {
            let body = SignedIn {
                id_token: session.token,
                expires_at: rfc3339(session.expires_at),
            };
            reply::json(StatusCode::OK, &body)
        }
        Err(error) => Err(error.into()),
    };
    let mut response = answer.into_response();
    if let Some(verdict) = verdict {
        verdict.tell(&mut response);
    }
    Ok(reply::secret(response))
}
