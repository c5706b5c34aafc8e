//! Makes a link to the artifacts of a run.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_set_runs;
use forge_wire::rfc3339;
use forge_wire::unit_test_set_runs::ArtifactsLink;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.simulation_unit_test_set_run_id;
    let link = unit_test_set_runs::link(call.server.ctx(&call.caller), id).await?;
    let presigned_url = format!(
        "{}/v1/{}/simulation/unit_test_set_run/{id}/artifacts/download?token={}",
        call.origin, call.organization, link.token
    );
    let body = ArtifactsLink {
        presigned_url,
        url_expires_at: rfc3339(link.expires_at),
    };
    Ok(reply::secret(reply::json(StatusCode::OK, &body)?))
}
