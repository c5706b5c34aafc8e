//! The options of a change, as a request states them.

use axum::http::StatusCode;
use forge_app::version_sets::promotion::{ChangeOptions, ChangeOutcome, Precondition};
use forge_domain::numeral::integer;
use forge_wire::promotion::{Options, PromotionAnswer};
use serde_json::{Map, Value, json};

use crate::conditions::{self, About};
use crate::error::ApiError;
use crate::reply::{self, Answer};

/// Returns what the headers of a request ask of the set.
pub(super) fn precondition(headers: &Map<String, Value>) -> Result<Precondition, ApiError> {
    conditions::precondition(
        headers,
        &About {
            thing: "the set",
            tags: "the set's revision in quotes, such as `\"3\"`",
            read: |tag| integer(tag).filter(|revision| *revision > 0),
        },
    )
}

/// Returns the options that a body or a query and the headers state.
pub(crate) fn options(stated: Options, headers: &Map<String, Value>) -> Result<ChangeOptions, ApiError> {
    Ok(ChangeOptions {
        is_dry_run: stated.dry_run,
        plan_digest: stated.plan_digest,
        message: stated.message,
        lift_hold: stated.lift_hold,
        precondition: precondition(headers)?,
    })
}

/// Answers a change of Classic: with the plan if only that was asked for, else with nothing.
pub(super) fn classic_answer(outcome: &ChangeOutcome, is_dry_run: bool) -> Answer {
    if is_dry_run {
        return reply::json(StatusCode::OK, &json!(outcome.plan));
    }
    Ok(reply::with_sequence(reply::no_content(), outcome.change_number))
}

/// Answers a promotion or a rollback.
pub(super) fn answer(outcome: ChangeOutcome) -> Answer {
    let body = PromotionAnswer {
        applied: outcome.is_applied,
        revision: outcome.revision,
        plan: &outcome.plan,
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::OK, &body)?,
        outcome.change_number,
    ))
}
