//! Proposes what the user may say.

use axum::http::StatusCode;
use forge_app::{Caller, conversations};
use forge_wire::conversations::{RecommendResponses, RecommendedResponses};

use super::InteractionPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<InteractionPath, Nothing, RecommendResponses, Caller>) -> Answer {
    let (ctx, path) = (call.server.ctx(&call.caller), &call.path);
    let (id, interaction_id) = (path.conversation_id, path.interaction_id);
    let recommended_responses = conversations::recommend(ctx, id, interaction_id, &call.body.context).await?;
    let body = RecommendedResponses {
        recommended_responses,
    };
    reply::json(StatusCode::OK, &body)
}
