//! Lists the revisions of a set.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::version_sets::history::{self, History};
use forge_domain::revision::{Revision, RevisionAction};
use forge_wire::promotion::{RevisionInstance, RevisionPins};
use forge_wire::rfc3339;
use forge_wire::version_sets::Source;
use serde::{Deserialize, Serialize, Serializer};

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
    let (ctx, service_id) = (call.server.ctx(&call.caller), call.path.service_id);
    let found = history::list(ctx, service_id, &name, call.query.limit, token).await?;
    let token = found.page.continuation_token;
    let page = forge_wire::Page::new("revisions", Revisions(found), token);
    reply::large(StatusCode::OK, page).await
}

/// The revisions of a page, which are told as they are, twice each, and not copied.
struct Revisions(History);

impl Serialize for Revisions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .entries()
                .map(|(revision, previous)| instance(revision, previous)),
        )
    }
}

fn instance<'r>(revision: &'r Revision, previous: Option<&'r Revision>) -> RevisionInstance<'r> {
    RevisionInstance {
        after: pins(revision),
        action: revision.action,
        previous: previous.map(pins),
        agent_id: revision.agent_id,
        context_graph_id: revision.context_graph_id,
        source: revision
            .source
            .clone()
            .map(|(name, revision)| Source { name, revision }),
        restored_revision: revision.restored_revision,
        actor: &revision.actor,
        message: revision.message.as_deref(),
        change_number: revision.change_number,
        created_at: rfc3339(revision.created_at),
    }
}

fn pins(revision: &Revision) -> RevisionPins<'_> {
    let is_deletion = revision.action == RevisionAction::Delete;
    RevisionPins {
        revision: revision.revision,
        pins: (!is_deletion).then_some(&revision.pins),
        resolved: revision.resolved,
    }
}
