//! Tells a runtime exactly what to run.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use forge_app::{AppError, Caller, resolve};
use forge_domain::refusal::AssetKind;
use forge_wire::version_sets::ResolutionInstance;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::{SetPath, moment, version_instance};

#[derive(Deserialize)]
pub(crate) struct Query {
    include: Vec<String>,
    #[serde(default)]
    at: Option<String>,
}

pub(crate) async fn handle(call: Call<SetPath, Query, Nothing, Caller>) -> Answer {
    call.refuse_unserved(&["subject"], &[])?;
    let name = existing(&call.path.version_set_name)?;
    let at = call.query.at.as_deref().map(|at| moment("at", at)).transpose()?;
    let with_documents = call.query.include.iter().any(|part| part == "documents");
    let (app, service_id) = (&call.server.app, call.path.service_id);
    let found = resolve::resolve(app, &call.caller, service_id, &name, at, with_documents).await?;
    let (agent_id, graph_id) = (found.agent.0.to_string(), found.context_graph.0.to_string());
    let instance = |kind, id: &str, version| version_instance(&call.organization, kind, id, version);
    let (agent, context_graph) = match &found.documents {
        Some((agent, graph)) => (
            Some(instance(AssetKind::Agent, &agent_id, agent)?),
            Some(instance(AssetKind::ContextGraph, &graph_id, graph)?),
        ),
        None => (None, None),
    };
    let body = ResolutionInstance {
        is_floating: found.pins.is_floating(),
        name: found.name,
        agent_version_info: (agent_id, found.agent.1),
        context_graph_version_info: (graph_id, found.context_graph.1),
        llm_model_preferences: found.pins.model_preferences,
        service_id,
        revision: found.revision,
        agent,
        context_graph,
    };
    let bytes = serde_json::to_vec(&body).map_err(|error| AppError::Internal(Box::new(error)))?;
    answer(bytes, call.headers.get("If-None-Match").and_then(Value::as_str))
}

/// Answers with the content, or only says that the caller has it already. The entity tag is the content's hash.
fn answer(bytes: Vec<u8>, held: Option<&str>) -> Answer {
    let hash = forge_domain::hex(&Sha256::digest(&bytes)[..16]);
    let etag = format!("\"{hash}\"");
    let is_held = held.is_some_and(|held| holds(held, &etag));
    let tag = HeaderValue::try_from(etag).map_err(|error| AppError::Internal(Box::new(error)))?;
    // What runs may change at any moment, so whoever keeps an answer asks before using it again.
    let headers = [
        (header::ETAG, tag),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ),
    ];
    if is_held {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((StatusCode::OK, headers, json, bytes).into_response())
}

/// Tells whether a list of entity tags has this one. Weak tags count: what a proxy calls equal is equal here.
fn holds(list: &str, etag: &str) -> bool {
    let tag = |part: &str| {
        let part = part.trim();
        part == "*" || part.strip_prefix("W/").unwrap_or(part) == etag
    };
    list.split(',').any(tag)
}
