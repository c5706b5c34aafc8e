//! Changes a service.

use axum::http::StatusCode;
use forge_app::{Caller, services};
use forge_wire::services::UpdateService;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::ServicePath;

pub(crate) async fn handle(call: Call<ServicePath, Nothing, UpdateService, Caller>) -> Answer {
    let body = call.body;
    let update = services::UpdateService {
        name: body.name,
        description: body.description,
        is_active: body.is_active,
        agent_id: body.agent_id,
        context_graph_id: body.context_graph_id,
        tags: body.tags,
        keyterms: body.keyterms,
    };
    let change_number =
        services::update(&call.server.app, &call.caller, call.path.service_id, update).await?;
    Ok(reply::with_sequence(reply::done(StatusCode::OK)?, change_number))
}
