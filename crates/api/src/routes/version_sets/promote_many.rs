//! Promotes in several services at once: all or nothing.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::version_sets::promotion::{self, Promotion};
use forge_wire::promotion::{PromotionOfMany, Promotions, PromotionsAnswer};

use super::options::options;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Promotions, Caller>) -> Answer {
    let options = options(call.body.options, &call.headers)?;
    let promotions: Vec<Promotion> = call.body.promotions.into_iter().map(promotion).collect();
    let outcome = promotion::promote_many(call.server.ctx(&call.caller), &promotions, &options).await?;
    let body = PromotionsAnswer {
        applied: outcome.is_applied,
        plans: &outcome.plans,
        digest: &outcome.digest,
    };
    let response = reply::json(StatusCode::OK, &body)?;
    Ok(reply::with_sequence(response, outcome.change_number))
}

fn promotion(one: PromotionOfMany) -> Promotion {
    Promotion {
        service_id: one.service_id,
        source: one.source,
        target: one.target,
    }
}
