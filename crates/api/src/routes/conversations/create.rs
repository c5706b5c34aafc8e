//! Starts a conversation and tells what happens in its first interaction.

use axum::http::StatusCode;
use forge_app::{Caller, conversations};
use forge_wire::conversations::{ConversationEvent, CreateConversation};
use serde::Deserialize;

use super::{Format, action_filter, emitter};
use crate::call::{Call, Nothing};
use crate::error::ApiError;
use crate::reply::Answer;

#[derive(Deserialize)]
pub(crate) struct Query {
    response_format: Format,
    current_agent_action_type: String,
}

pub(crate) async fn handle(call: Call<Nothing, Query, CreateConversation, Caller>) -> Answer {
    let filter = action_filter(&call.query.current_agent_action_type)?;
    let said = call.body.said().map_err(ApiError::Invalid)?;
    conversations::require_text(call.query.response_format == Format::Text)?;
    let create = conversations::Create {
        service_id: call.body.service_id,
        set: call.body.service_version_set_name,
        said,
        tags: call.body.tags,
    };
    let interaction = conversations::create(call.server.ctx(&call.caller), create).await?;
    let created = ConversationEvent::ConversationCreated {
        conversation_id: interaction.conversation.id.to_string(),
    };
    let may_see_actions = conversations::may_look_behind(&call.caller, &interaction.conversation);
    let actions = may_see_actions.then_some(filter);
    let status = StatusCode::CREATED;
    Ok(emitter::tell(
        &call.server,
        status,
        interaction,
        Some(created),
        actions,
    ))
}
