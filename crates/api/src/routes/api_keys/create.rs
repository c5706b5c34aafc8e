//! Creates an API key.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::api_keys;
use forge_wire::api_keys::{ApiKeyCreated, CreateApiKey, KeyHolder};
use forge_wire::rfc3339;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::duration;

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateApiKey, Caller>) -> Answer {
    let body = call.body;
    let (ctx, is_agent) = (
        call.server.ctx(&call.caller),
        body.actor_kind.map(|holder| holder == KeyHolder::Agent),
    );
    let duration = duration(&body.duration)?;
    let created = api_keys::create(ctx, body.name, &body.role_name, duration, is_agent).await?;
    let key = created.value;
    let body = ApiKeyCreated {
        api_key_id: key.id,
        api_key: key.secret,
        expires_at: rfc3339(key.expires_at),
    };
    Ok(reply::with_sequence(
        reply::secret(reply::json(StatusCode::CREATED, &body)?),
        Some(created.change_number),
    ))
}
