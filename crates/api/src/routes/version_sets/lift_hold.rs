//! Lifts the hold on a set.

use forge_app::{Caller, promotion};

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let lifted = promotion::lift_hold(&call.server.app, &call.caller, call.path.service_id, &name).await?;
    Ok(reply::with_sequence(reply::no_content(), lifted))
}
