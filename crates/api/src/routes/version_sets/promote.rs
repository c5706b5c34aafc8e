//! Copies the pins of one set onto another.

use forge_app::Caller;
use forge_app::version_sets::promotion::{self, ChangeOptions};
use forge_wire::promotion::Promote;

use super::options::{answer, precondition};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Promote, Caller>) -> Answer {
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
    let promote = promotion::Promote {
        beside: Vec::new(),
        source: body.source,
        source_revision: body.source_revision,
        freeze: body.freeze,
    };
    let ctx = call.server.ctx(&call.caller);
    let outcome = promotion::promote(ctx, service_id, &version_set_name, promote, &options).await?;
    answer(&outcome)
}
