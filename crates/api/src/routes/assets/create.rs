//! Creates an agent or a context graph, without versions.

use forge_app::{Caller, Ctx, assets};
use forge_domain::asset::AssetKind;
use forge_wire::Created;
use forge_wire::assets::{CreateAgent, CreateContextGraph};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn agent(call: Call<Nothing, Nothing, CreateAgent, Caller>) -> Answer {
    create(
        call.server.ctx(&call.caller),
        AssetKind::Agent,
        &call.body.agent_name,
    )
    .await
}

pub(crate) async fn context_graph(call: Call<Nothing, Nothing, CreateContextGraph, Caller>) -> Answer {
    create(
        call.server.ctx(&call.caller),
        AssetKind::ContextGraph,
        &call.body.state_machine_name,
    )
    .await
}

async fn create(ctx: Ctx<'_>, kind: AssetKind, name: &str) -> Answer {
    let written = assets::create(ctx, kind, name).await?;
    created(written, |id| Created { id })
}
