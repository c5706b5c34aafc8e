//! Deletes a dynamic behavior set.

use axum::http::StatusCode;
use forge_app::{Caller, items};
use forge_domain::behavior::BehaviorSetDetails;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.dynamic_behavior_set_id;
    let deleted = items::delete::<BehaviorSetDetails>(call.server.ctx(&call.caller), id).await?;
    Ok(reply::with_sequence(
        reply::done(StatusCode::OK)?,
        Some(deleted.change_number),
    ))
}
