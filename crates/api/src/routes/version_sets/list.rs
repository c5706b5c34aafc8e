//! Lists the sets of a service, and what each means now.

use axum::http::StatusCode;
use forge_app::{Caller, version_sets};
use forge_wire::version_sets::VersionSets;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::ServicePath;
use crate::views::set_instance;

pub(crate) async fn handle(call: Call<ServicePath, Nothing, Nothing, Caller>) -> Answer {
    let sets = version_sets::list(call.server.ctx(&call.caller), call.path.service_id).await?;
    reply::large(
        StatusCode::OK,
        VersionSets {
            version_sets: sets.into_iter().map(set_instance).collect(),
        },
    )
    .await
}
