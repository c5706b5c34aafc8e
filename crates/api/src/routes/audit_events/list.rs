//! Lists the events of the audit log.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::audit;
use forge_domain::ActorKind;
use forge_domain::audit::EventFilter;
use forge_wire::audit::EventInstance;
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{moment, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    limit: i64,
    continuation_token: i64,
    object_kind: Option<String>,
    object_id: Option<String>,
    action: Option<String>,
    actor_user_id: Option<String>,
    actor_kind: Option<ActorKind>,
    created_after: Option<String>,
    created_before: Option<String>,
    after_sequence: Option<i64>,
    before_sequence: Option<i64>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let time = |parameter: &str, text: Option<String>| text.map(|text| moment(parameter, &text)).transpose();
    let filter = EventFilter {
        after_sequence: query.after_sequence,
        before_sequence: query.before_sequence,
        created_after: time("created_after", query.created_after)?,
        created_before: time("created_before", query.created_before)?,
        object_kind: query.object_kind,
        object_id: query.object_id,
        action: query.action,
        actor_user_id: query.actor_user_id,
        actor_kind: query.actor_kind,
    };
    let token = token(query.continuation_token)?;
    let page = audit::list(call.server.ctx(&call.caller), &filter, query.limit, token).await?;
    let entries = page.items.into_iter();
    let events: Vec<_> = entries
        .map(|(event, hash)| EventInstance::new(event, hash))
        .collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new("audit_events", events, page.continuation_token),
    )
    .await
}
