//! Promotes in several services at once: all or nothing.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::version_sets::promotion::{self, ChangeOptions, Precondition, Promotion};
use forge_wire::promotion::{Promotions, PromotionsAnswer};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Promotions, Caller>) -> Answer {
    let body = call.body;
    let options = ChangeOptions {
        is_dry_run: body.dry_run,
        plan_digest: body.plan_digest,
        message: body.message,
        lift_hold: body.lift_hold,
        precondition: Precondition::None,
    };
    let promotions: Vec<Promotion> = body
        .promotions
        .into_iter()
        .map(|one| Promotion {
            service_id: one.service_id,
            source: one.source,
            target: one.target,
        })
        .collect();
    let outcome = promotion::promote_many(call.server.ctx(&call.caller), &promotions, &options).await?;
    let answer = PromotionsAnswer {
        applied: outcome.is_applied,
        plans: &outcome.plans,
        digest: &outcome.digest,
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::OK, &answer)?,
        outcome.change_number,
    ))
}
