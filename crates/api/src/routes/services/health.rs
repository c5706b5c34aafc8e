//! Tells how a service is.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::version_sets::SetView;
use forge_app::version_sets::health;
use forge_wire::health::{HealthInstance, RunningRevision, SetHealth};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::ServicePath;
use crate::views::set_instance;

pub(crate) async fn handle(call: Call<ServicePath, Nothing, Nothing, Caller>) -> Answer {
    let found = health::check(call.server.ctx(&call.caller), call.path.service_id).await?;
    let health = found.health;
    let sets = found.sets.into_iter().map(|view| SetHealth {
        status: health.status_of(&view.set.name),
        running_revisions: running(&view),
        set: set_instance(view),
    });
    let answer = HealthInstance {
        status: health.status(),
        version_sets: sets.collect(),
        reasons: health.reasons,
    };
    reply::large(StatusCode::OK, answer).await
}

fn running(view: &SetView) -> Vec<RunningRevision> {
    let revisions = view
        .running
        .iter()
        .map(|(revision, conversations)| RunningRevision {
            revision: *revision,
            running_conversations: *conversations,
        });
    revisions.collect()
}
