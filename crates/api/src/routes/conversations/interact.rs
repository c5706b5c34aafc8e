//! Says something to a conversation and tells what happens.

use axum::http::StatusCode;
use forge_app::{Caller, conversations};
use forge_wire::conversations::{ConversationEvent, Form, form_fields};
use serde::Deserialize;

use super::{ConversationPath, Format, action_filter, emitter};
use crate::call::Call;
use crate::error::ApiError;
use crate::reply::Answer;

#[derive(Deserialize)]
pub(crate) struct Query {
    request_format: Format,
    response_format: Format,
    current_agent_action_type: String,
}

pub(crate) async fn handle(call: Call<ConversationPath, Query, Form, Caller>) -> Answer {
    let filter = action_filter(&call.query.current_agent_action_type)?;
    let is_text = [call.query.request_format, call.query.response_format] == [Format::Text; 2];
    conversations::require_text(is_text)?;
    let said = form_fields(&call.body).map_err(ApiError::Invalid)?;
    let id = call.path.conversation_id;
    let interaction = conversations::interact(call.server.ctx(&call.caller), id, said).await?;
    let available = interaction
        .said()
        .map(|said| ConversationEvent::UserMessageAvailable {
            message_id: said.id.to_string(),
            user_message: said.message.clone(),
        });
    let may_see_actions = conversations::may_look_behind(&call.caller, &interaction.conversation);
    let actions = may_see_actions.then_some(filter);
    Ok(emitter::tell(
        &call.server,
        StatusCode::OK,
        interaction,
        available,
        actions,
    ))
}
