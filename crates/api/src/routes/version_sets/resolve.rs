//! Tells a runtime exactly what to run.

use axum::http::StatusCode;
use forge_app::{Caller, version_sets};
use forge_domain::refusal::AssetKind;
use forge_wire::version_sets::ResolutionInstance;
use serde::Deserialize;

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{SetPath, version_instance};

#[derive(Deserialize)]
pub(crate) struct Query {
    include: Vec<String>,
}

pub(crate) async fn handle(call: Call<SetPath, Query, Nothing, Caller>) -> Answer {
    call.refuse_unserved(&["at", "subject"], &[])?;
    let name = existing(&call.path.version_set_name)?;
    let with_documents = call.query.include.iter().any(|part| part == "documents");
    let service_id = call.path.service_id;
    let found =
        version_sets::resolve(&call.server.app, &call.caller, service_id, &name, with_documents).await?;
    let agent_id = found.service.agent_id.to_string();
    let graph_id = found.service.context_graph_id.to_string();
    let (agent, context_graph) = match &found.documents {
        Some((agent, graph)) => (
            Some(version_instance(
                &call.organization,
                AssetKind::Agent,
                &agent_id,
                agent,
            )?),
            Some(version_instance(
                &call.organization,
                AssetKind::ContextGraph,
                &graph_id,
                graph,
            )?),
        ),
        None => (None, None),
    };
    let body = ResolutionInstance {
        is_floating: found.set.pins.is_floating(),
        name: found.set.name,
        agent_version_info: (agent_id, found.agent_version),
        context_graph_version_info: (graph_id, found.context_graph_version),
        llm_model_preferences: found.set.pins.model_preferences,
        service_id,
        revision: found.set.revision,
        agent,
        context_graph,
    };
    reply::json(StatusCode::OK, &body)
}
