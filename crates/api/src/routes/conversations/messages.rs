//! Lists the messages of a conversation.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::conversations::{self, ListMessages, MessageSort};
use forge_domain::conversation::MessageType;
use forge_domain::{InteractionId, MessageId, Sort};
use forge_wire::conversations::MessageInstance;
use serde::Deserialize;

use super::ConversationPath;
use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<MessageId>,
    message_type: Vec<MessageType>,
    interaction_id: Vec<InteractionId>,
    sort_by: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn handle(call: Call<ConversationPath, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let query = ListMessages {
        ids: query.id,
        message_types: query.message_type,
        interaction_ids: query.interaction_id,
        sort: query
            .sort_by
            .iter()
            .map(|text| sort(text))
            .collect::<Result<_, _>>()?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let id = call.path.conversation_id;
    let page = conversations::messages(call.server.ctx(&call.caller), id, &query).await?;
    let rows = page
        .items
        .into_iter()
        .map(|row| MessageInstance::new(row.message));
    let rows: Vec<MessageInstance> = rows.collect();
    let page = forge_wire::Page::new("messages", rows, page.continuation_token);
    reply::large(StatusCode::OK, page).await
}

fn sort(text: &str) -> Result<Sort<MessageSort>, ApiError> {
    match sort_key(text) {
        Some((direction, "interaction_id")) => Ok(direction.of(MessageSort::InteractionId)),
        Some((direction, "created_at")) => Ok(direction.of(MessageSort::CreatedAt)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+` or `-` and one of `interaction_id`, `created_at`",
        )),
    }
}
