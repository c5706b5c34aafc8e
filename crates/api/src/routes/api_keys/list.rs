//! Lists the API keys that can be used.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::api_keys;
use forge_wire::api_keys::{ApiKeyInstance, ApiKeys, KeyHolder};
use forge_wire::rfc3339;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Caller>) -> Answer {
    let keys = api_keys::list(call.server.ctx(&call.caller)).await?;
    let instances = keys.into_iter().map(|key| ApiKeyInstance {
        object_id: key.object_id,
        name: key.name,
        org_id: call.organization.to_string(),
        created_at: rfc3339(key.created_at),
        updated_at: rfc3339(key.updated_at),
        key_id: key.id,
        expires_at: rfc3339(key.expires_at),
        creator: key.creator,
        behind: key.behind,
        role_id: key.role.id.to_string(),
        actor_kind: if key.is_agent {
            KeyHolder::Agent
        } else {
            KeyHolder::Key
        },
    });
    reply::large(
        StatusCode::OK,
        ApiKeys {
            api_keys: instances.collect(),
        },
    )
    .await
}
