//! Tells where a version runs.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::assets::references::{self, References};
use forge_domain::asset::AssetId;
use forge_domain::reference::ServiceReference;
use forge_domain::{AgentId, ContextGraphId};
use forge_wire::health::{RunningReference, ServiceReferenceInstance, SetReferenceInstance};
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{VersionPath, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn agent(call: Call<VersionPath<AgentId>, Query, Nothing, Caller>) -> Answer {
    list(call).await
}

pub(crate) async fn context_graph(call: Call<VersionPath<ContextGraphId>, Query, Nothing, Caller>) -> Answer {
    list(call).await
}

async fn list<I: Into<AssetId>>(call: Call<VersionPath<I>, Query, Nothing, Caller>) -> Answer {
    let version = call.path.version_ref();
    let (limit, token) = (call.query.limit, token(call.query.continuation_token)?);
    let found = references::list(call.server.ctx(&call.caller), version, limit, token).await?;
    reply::large(StatusCode::OK, instance(found)).await
}

pub(super) fn instance(found: References) -> forge_wire::health::References {
    let page = found.services;
    let sets = |service: ServiceReference| {
        let sets = service.sets.into_iter().map(|set| SetReferenceInstance {
            name: set.name,
            revision: set.revision,
            is_floating: set.is_floating,
        });
        ServiceReferenceInstance {
            service_id: service.service_id,
            service_name: service.service_name,
            is_active: service.is_active,
            version_sets: sets.collect(),
        }
    };
    let services: Vec<ServiceReferenceInstance> = page.items.into_iter().map(sets).collect();
    let running = found.running.into_iter().map(|running| RunningReference {
        service_id: running.service_id,
        version_set_name: running.set,
        revision: running.revision,
        running_conversations: running.conversations,
    });
    let running: Vec<RunningReference> = running.collect();
    forge_wire::health::references(services, &running, &found.unit_tests, page.continuation_token)
}
