//! Lists where a dynamic behavior set applied.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::behavior_sets::{self, InvocationSort, ListInvocations};
use forge_domain::Sort;
use forge_domain::behavior::BehaviorInvocation;
use forge_wire::behavior_sets::InvocationInstance;
use forge_wire::rfc3339;
use serde::Deserialize;

use super::Path;
use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    limit: i64,
    continuation_token: i64,
    sort_by: Vec<String>,
}

pub(crate) async fn handle(call: Call<Path, Query, Nothing, Caller>) -> Answer {
    let sort = call.query.sort_by.iter().map(|text| sort(text));
    let query = ListInvocations {
        sort: sort.collect::<Result<_, _>>()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.dynamic_behavior_set_id);
    let page = behavior_sets::invocations(ctx, id, &query).await?;
    let instance = |invocation: BehaviorInvocation| {
        let invoked_at = rfc3339(invocation.invoked_at);
        InvocationInstance {
            object_id: invocation.id,
            org_id: call.organization.to_string(),
            created_at: invoked_at.clone(),
            updated_at: invoked_at.clone(),
            conversation_id: invocation.conversation_id,
            service_id: invocation.service_id,
            user_id: invocation.user_id,
            initial_message_id: invocation.initial_message_id,
            agent_message_id: invocation.agent_message_id,
            agent_inner_thoughts_ids: invocation.inner_thought_ids,
            dynamic_behavior_set_version_info: (id, invocation.version),
            invoked_at,
            external_event_message_ids: invocation.external_event_ids,
        }
    };
    let instances: Vec<InvocationInstance> = page.items.into_iter().map(instance).collect();
    let list = "dynamic_behavior_invocations";
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new(list, instances, page.continuation_token),
    )
    .await
}

fn sort(text: &str) -> Result<Sort<InvocationSort>, ApiError> {
    match sort_key(text) {
        Some((direction, "invoked_at")) => Ok(direction.of(InvocationSort::InvokedAt)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+invoked_at` or `-invoked_at`",
        )),
    }
}
