//! Copies the pins of one set onto another.

use forge_app::Caller;
use forge_app::promotion::{self, Terms};
use forge_wire::promotion::Promote;

use super::terms::{answer, idempotency_key, precondition};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Promote, Caller>) -> Answer {
    let SetPath {
        service_id,
        version_set_name,
    } = call.path;
    let path = format!("service/{service_id}/version_sets/{version_set_name}/promote");
    let idempotency_key = idempotency_key(&call.headers, path, &call.body)?;
    let body = call.body;
    let terms = Terms {
        is_dry_run: body.dry_run,
        plan_digest: body.plan_digest,
        message: body.message,
        lift_hold: body.lift_hold,
        precondition: precondition(&call.headers)?,
        idempotency_key,
    };
    let promote = promotion::Promote {
        source: body.source,
        source_revision: body.source_revision,
        freeze: body.freeze,
    };
    let app = &call.server.app;
    let outcome =
        promotion::promote(app, &call.caller, service_id, &version_set_name, promote, &terms).await?;
    answer(&outcome)
}
