//! Tells in what two sets, or two revisions, differ.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::version_sets::diff::{Compared, compare};
use forge_domain::diff::{InvalidSetOrRevision, SetOrRevision};
use forge_wire::version_sets::{ComparedInstance, DiffInstance};
use serde::Deserialize;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::ServicePath;

#[derive(Deserialize)]
pub(crate) struct Query {
    base: String,
    head: String,
}

pub(crate) async fn handle(call: Call<ServicePath, Query, Nothing, Caller>) -> Answer {
    let (base, head) = (named("base", &call.query.base)?, named("head", &call.query.head)?);
    let found = compare(call.server.ctx(&call.caller), call.path.service_id, &base, &head).await?;
    let body = DiffInstance {
        base: instance(found.base),
        head: instance(found.head),
        is_empty: found.diff.is_empty(),
        diff: found.diff,
    };
    reply::large(StatusCode::OK, body).await
}

fn named(parameter: &str, text: &str) -> Result<SetOrRevision, ApiError> {
    text.parse()
        .map_err(|error: InvalidSetOrRevision| invalid_query(parameter, &error.to_string()))
}

fn instance(compared: Compared) -> ComparedInstance {
    let Compared { name, content } = compared;
    ComparedInstance {
        name,
        revision: content.revision,
        pins: content.pins,
        resolved: content.resolved,
        agent_id: content.agent_id,
        context_graph_id: content.context_graph_id,
    }
}
