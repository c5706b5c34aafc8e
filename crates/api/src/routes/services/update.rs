//! Changes a service, or plans to.

use axum::http::StatusCode;
use forge_app::{Caller, services};
use forge_wire::promotion::Options;
use forge_wire::services::UpdateService;

use crate::call::Call;
use crate::reply::{self, Answer};
use crate::routes::ServicePath;
use crate::routes::version_sets::options;

pub(crate) async fn handle(call: Call<ServicePath, Options, UpdateService, Caller>) -> Answer {
    let options = options(call.query, &call.headers)?;
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.service_id);
    let outcome = services::update(ctx, id, call.body.into(), &options).await?;
    if options.is_dry_run {
        return reply::json(StatusCode::OK, &outcome.plan);
    }
    Ok(reply::with_sequence(
        reply::done(StatusCode::OK)?,
        outcome.change_number,
    ))
}
