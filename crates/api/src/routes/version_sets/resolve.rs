//! Tells a runtime exactly what to run.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use forge_app::snapshot::PreparedAnswer;
use forge_app::version_sets::resolve;
use forge_app::version_sets::resolve::Resolution;
use forge_app::{AppError, Caller, aside};
use forge_domain::OrganizationId;
use forge_domain::asset::AssetId;
use forge_wire::version_sets::ResolutionInstance;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::existing;
use crate::bodies::shared;
use crate::call::{Call, Nothing};
use crate::error::ApiError;
use crate::reply::Answer;
use crate::routes::{SetPath, moment, version_instance};
use crate::tags::opaque;

#[derive(Deserialize)]
pub(crate) struct Query {
    include: Vec<String>,
    #[serde(default)]
    at: Option<String>,
}

pub(crate) async fn handle(call: Call<SetPath, Query, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let at = call.query.at.as_deref().map(|at| moment("at", at)).transpose()?;
    let with_documents = call.query.include.iter().any(|part| part == "documents");
    let (ctx, service_id) = (call.server.ctx(&call.caller), call.path.service_id);
    let held = call.headers.get("If-None-Match").and_then(Value::as_str);
    let (found, stale_for) = if let Some(at) = at {
        // The past is not in memory.
        let _place = call.server.reading.take(call.place.holders()).await?;
        let found = resolve::resolve_at(ctx, service_id, &name, at).await?;
        (found, None)
    } else {
        let present = resolve::current_set(ctx, service_id, name).await?;
        if !with_documents {
            let prepared = present.answer(|found| prepare(&call.organization, found))?;
            let answer = shared(answer(&prepared, held)?);
            return Ok(with_staleness(answer, present.stale_for));
        }
        (present.resolution()?, present.stale_for)
    };
    if !with_documents {
        let prepared = prepare(&call.organization, found)?;
        return Ok(with_staleness(answer(&prepared, held)?, stale_for));
    }
    let found = resolve::with_documents(ctx, found).await?;
    let size = found.documents_bytes();
    let organization = call.organization.clone();
    let prepared = aside::run(size, move || prepare(&organization, found)).await?;
    Ok(with_staleness(answer(&prepared, held)?, stale_for))
}

/// Builds the answer's body.
///
/// Its entity tag is its hash.
fn prepare(organization: &OrganizationId, found: Resolution) -> Result<PreparedAnswer, ApiError> {
    let instance = |id: AssetId, version| version_instance(organization, id, version);
    let (agent, context_graph) = match &found.documents {
        Some((agent, graph)) => (
            Some(instance(found.agent.0.into(), agent)?),
            Some(instance(found.context_graph.0.into(), graph)?),
        ),
        None => (None, None),
    };
    let instance = ResolutionInstance {
        is_floating: found.pins.is_floating(),
        name: found.name,
        agent_version_info: found.agent,
        context_graph_version_info: found.context_graph,
        llm_model_preferences: found.pins.model_preferences,
        service_id: found.service_id,
        revision: found.revision,
        agent,
        context_graph,
    };
    let body = serde_json::to_vec(&instance).map_err(|error| AppError::Internal(Box::new(error)))?;
    let hash = forge_domain::hex(&Sha256::digest(&body)[..16]);
    Ok(PreparedAnswer {
        body: body.into(),
        entity_tag: format!("\"{hash}\"").into(),
    })
}

/// Answers with the content, which is not copied, or only says that the caller has it already.
pub(crate) fn answer(prepared: &PreparedAnswer, held: Option<&str>) -> Answer {
    let tag = HeaderValue::from_maybe_shared(prepared.entity_tag.clone());
    let tag = tag.map_err(|error| AppError::Internal(Box::new(error)))?;
    let is_held = held.is_some_and(|held| holds(held, tag.to_str().unwrap_or_default()));
    let mut response = if is_held {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(prepared.body.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    };
    // What runs may change at any moment, so whoever keeps an answer asks before using it again.
    let keep = HeaderValue::from_static("private, no-cache");
    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, keep);
    Ok(response)
}

/// Tells how old the answer is, if the database is away: RFC 9111 calls such an answer stale.
fn with_staleness(mut response: Response, stale_for: Option<Duration>) -> Response {
    if let Some(stale_for) = stale_for {
        let headers = response.headers_mut();
        headers.insert(
            header::WARNING,
            HeaderValue::from_static("110 forge \"Response is Stale\""),
        );
        headers.insert(header::AGE, HeaderValue::from(stale_for.as_secs()));
    }
    response
}

/// Returns `true` if a list of entity tags has this one.
///
/// Weak tags count: what a proxy calls equal is equal here.
fn holds(list: &str, etag: &str) -> bool {
    let names = |tag: &str| tag.trim() == "*" || opaque(tag) == opaque(etag);
    list.split(',').any(names)
}
