//! Creates a service, with its `edge` and its `release`.

use forge_app::Caller;
use forge_app::services;
use forge_domain::service::ServiceFields;
use forge_wire::Created;
use forge_wire::services::CreateService;

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateService, Caller>) -> Answer {
    let body = call.body;
    let fields = ServiceFields {
        name: body.name,
        description: body.description,
        is_active: body.is_active,
        agent_id: body.agent_id,
        context_graph_id: body.context_graph_id,
        tags: body.tags,
        keyterms: body.keyterms,
    };
    let written = services::create(call.server.ctx(&call.caller), &fields, body.release_version_set).await?;
    created(written, |id| Created { id })
}
