//! Proposes what the user may say.

use axum::http::StatusCode;
use forge_app::{Caller, conversations};
use forge_wire::conversations::{RecommendResponses, RecommendedResponses};

use super::InteractionPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<InteractionPath, Nothing, RecommendResponses, Caller>) -> Answer {
    let interaction = (call.path.conversation_id, call.path.interaction_id);
    let (ctx, context) = (call.server.ctx(&call.caller), &call.body.context);
    let recommended_responses = conversations::recommend(ctx, interaction, context).await?;
    let body = RecommendedResponses {
        recommended_responses,
    };
    reply::json(StatusCode::OK, &body)
}
