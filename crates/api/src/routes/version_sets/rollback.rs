//! Restores an earlier revision of a set.

use forge_app::Caller;
use forge_app::version_sets::promotion::{self, ChangeOptions};
use forge_wire::promotion::Rollback;

use super::options::{answer, precondition};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Rollback, Caller>) -> Answer {
    let SetPath {
        service_id,
        version_set_name,
    } = call.path;
    let body = call.body;
    let options = ChangeOptions {
        is_dry_run: body.dry_run,
        plan_digest: body.plan_digest,
        message: body.message,
        lift_hold: body.lift_hold,
        precondition: precondition(&call.headers)?,
    };
    let rollback = promotion::Rollback {
        to_revision: body.to_revision,
        freeze: body.freeze,
    };
    let ctx = call.server.ctx(&call.caller);
    let outcome = promotion::roll_back(ctx, service_id, &version_set_name, rollback, &options).await?;
    answer(&outcome)
}
