//! Lists the revisions of a set.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::history::{self, HistoryEntry};
use forge_app::version_sets::Revision;
use forge_domain::revision::RevisionAction;
use forge_wire::promotion::{RevisionInstance, RevisionPins};
use forge_wire::rfc3339;
use forge_wire::version_sets::Source;
use serde::Deserialize;

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{SetPath, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn handle(call: Call<SetPath, Query, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let token = token(call.query.continuation_token)?;
    let (app, service_id) = (&call.server.app, call.path.service_id);
    let page = history::list(app, &call.caller, service_id, &name, call.query.limit, token).await?;
    let rows: Vec<RevisionInstance> = page.items.into_iter().map(instance).collect();
    reply::json(
        StatusCode::OK,
        &forge_wire::page("revisions", &rows, page.continuation_token),
    )
}

fn instance(entry: HistoryEntry) -> RevisionInstance {
    let HistoryEntry { revision, previous } = entry;
    RevisionInstance {
        after: pins(&revision),
        action: revision.action,
        previous: previous.as_ref().map(pins),
        agent_id: revision.agent_id,
        context_graph_id: revision.context_graph_id,
        source: revision.source.map(|(name, revision)| Source { name, revision }),
        restored_revision: revision.restored_revision,
        actor: revision.actor,
        message: revision.message,
        change_number: revision.change_number,
        created_at: rfc3339(revision.created_at),
    }
}

fn pins(revision: &Revision) -> RevisionPins {
    let is_deletion = revision.action == RevisionAction::Delete;
    RevisionPins {
        revision: revision.revision,
        pins: (!is_deletion).then(|| revision.pins.clone()),
        resolved: revision.resolved,
    }
}
