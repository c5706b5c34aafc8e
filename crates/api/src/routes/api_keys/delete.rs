//! Ends an API key.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::api_keys;
use forge_wire::api_keys::ApiKeyDeleted;
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

#[derive(Deserialize)]
pub(crate) struct Path {
    api_key_id: String,
}

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let deleted = api_keys::delete(call.server.ctx(&call.caller), &call.path.api_key_id).await?;
    let response = reply::json(
        StatusCode::OK,
        &ApiKeyDeleted {
            deleted_key_id: call.path.api_key_id,
        },
    )?;
    Ok(reply::with_sequence(response, Some(deleted.change_number)))
}
