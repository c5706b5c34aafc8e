//! Lists conversations.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::conversations::{self, ConversationSort, ListConversations, ListedConversation};
use forge_domain::{ConversationId, ServiceId, Sort};
use forge_wire::conversations::ConversationInstance;
use forge_wire::rfc3339;
use serde::Deserialize;

use super::version_set_info;
use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, tag_filter, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    user_id: Vec<String>,
    service_id: Vec<ServiceId>,
    #[serde(default)]
    is_finished: Option<bool>,
    id: Vec<ConversationId>,
    tag: Vec<String>,
    sort_by: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let tags = query.tag.iter().map(|text| tag_filter("tag", text));
    let query = ListConversations {
        tags: tags.collect::<Result<_, _>>()?,
        sort: query
            .sort_by
            .iter()
            .map(|text| sort(text))
            .collect::<Result<_, _>>()?,
        ids: query.id,
        user_ids: query.user_id,
        service_ids: query.service_id,
        is_finished: query.is_finished,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let page = conversations::list(call.server.ctx(&call.caller), &query).await?;
    let rows: Vec<ConversationInstance> = page.items.into_iter().map(instance).collect();
    let page = forge_wire::Page::new("conversations", rows, page.continuation_token);
    reply::large(StatusCode::OK, page).await
}

fn sort(text: &str) -> Result<Sort<ConversationSort>, ApiError> {
    match sort_key(text) {
        Some((direction, "created_at")) => Ok(direction.of(ConversationSort::CreatedAt)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+created_at` or `-created_at`",
        )),
    }
}

fn instance(listed: ListedConversation) -> ConversationInstance {
    let conversation = listed.conversation;
    ConversationInstance {
        version_set_info: listed.shows_set.then(|| version_set_info(&conversation)),
        id: conversation.id,
        user_id: conversation.user_id,
        created_at: rfc3339(conversation.created_at),
        is_finished: conversation.finished_at.is_some(),
        is_analyzed: false,
        completed_post_processings: Vec::new(),
        final_message: if listed.shows_message {
            conversation.last_message
        } else {
            String::new()
        },
        service_id: conversation.service_id,
        num_messages: conversation.message_count,
        tags: conversation.tags,
    }
}
