//! Tells how the agent came to a message.

use axum::http::StatusCode;
use forge_app::{AppError, Caller, conversations};

use super::InteractionPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<InteractionPath, Nothing, Nothing, Caller>) -> Answer {
    let (id, interaction_id) = (call.path.conversation_id, call.path.interaction_id);
    let seen = conversations::insights(call.server.ctx(&call.caller), id, interaction_id).await?;
    let body = forge_wire::conversations::insights(&seen);
    let body = body.map_err(|error| AppError::Internal(Box::new(error)))?;
    reply::json(StatusCode::OK, &body)
}
