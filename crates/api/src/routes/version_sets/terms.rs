//! The terms of a change, as a request states them.

use axum::http::StatusCode;
use forge_app::AppError;
use forge_app::promotion::{Outcome, Precondition, Terms};
use forge_domain::fault::Fault;
use forge_wire::promotion::{PromotionAnswer, TermsQuery};
use serde_json::{Map, Value, json};

use super::tags::opaque;
use crate::error::ApiError;
use crate::reply::{self, Answer};

/// Returns what the headers of a request ask of the set.
pub(super) fn precondition(headers: &Map<String, Value>) -> Result<Precondition, ApiError> {
    let text = |name: &str| headers.get(name).and_then(Value::as_str).map(str::trim);
    match (text("If-Match"), text("If-None-Match")) {
        (None, None) => Ok(Precondition::None),
        (Some(_), Some(_)) => {
            let msg = "the header cannot be combined with If-Match: a set is there or it is not";
            Err(invalid_header("If-None-Match", msg))
        }
        (None, Some("*")) => Ok(Precondition::IsAbsent),
        (None, Some(_)) => Err(invalid_header(
            "If-None-Match",
            "expected `*`: the set must not be there yet",
        )),
        (Some("*"), None) => Ok(Precondition::Exists),
        (Some(list), None) => {
            let revision = |part: &str| opaque(part).parse().ok().filter(|number| *number > 0);
            let revisions: Option<Vec<i64>> = list.split(',').map(revision).collect();
            let msg = "expected the set's revision in quotes, such as `\"3\"`, or `*`: the set must be there";
            revisions
                .map(Precondition::IsAt)
                .ok_or_else(|| invalid_header("If-Match", msg))
        }
    }
}

fn invalid_header(name: &str, msg: &str) -> ApiError {
    AppError::Invalid(vec![Fault::new(
        vec!["header".into(), name.into()],
        "invalid",
        msg,
    )])
    .into()
}

/// Returns the terms that a query and the headers state.
pub(crate) fn of_query(query: TermsQuery, headers: &Map<String, Value>) -> Result<Terms, ApiError> {
    Ok(Terms {
        is_dry_run: query.dry_run,
        plan_digest: query.plan_digest,
        message: query.message,
        lift_hold: query.lift_hold,
        precondition: precondition(headers)?,
    })
}

/// Answers a change of Classic: with the plan if only that was asked for, else with nothing.
pub(super) fn classic_answer(outcome: &Outcome, is_dry_run: bool) -> Answer {
    if is_dry_run {
        return reply::json(StatusCode::OK, &json!(outcome.plan));
    }
    Ok(reply::with_sequence(reply::no_content(), outcome.change_number))
}

/// Answers a promotion or a rollback.
pub(super) fn answer(outcome: &Outcome) -> Answer {
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
