//! Creates a version of a context graph, or only checks it.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::assets::context_graphs;
use forge_domain::ContextGraphId;
use forge_domain::context_graph::ContextGraphDocument;

use crate::call::Call;
use crate::reply::{self, Answer};
use crate::routes::{AssetPath, ExpectedVersion, version_created};

pub(crate) async fn handle(
    call: Call<AssetPath<ContextGraphId>, ExpectedVersion, ContextGraphDocument, Caller>,
) -> Answer {
    let (ctx, id, expected) = (call.server.ctx(&call.caller), call.path.id, call.query.version);
    if call.query.dry_run {
        context_graphs::dry_run_version(ctx, id, expected, &call.body).await?;
        return reply::json(StatusCode::CREATED, &());
    }
    let created = context_graphs::create_version(ctx, id, expected, &call.body).await?;
    version_created(created)
}
