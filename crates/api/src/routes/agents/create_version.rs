//! Creates a version of an agent.

use forge_app::assets::agents;

use forge_app::Caller;
use forge_domain::AgentId;
use forge_domain::agent::AgentChange;

use crate::call::Call;
use crate::reply::Answer;
use crate::routes::{AssetPath, ExpectedVersion, version_created};

pub(crate) async fn handle(call: Call<AssetPath<AgentId>, ExpectedVersion, AgentChange, Caller>) -> Answer {
    let expected = call.query.version;
    let created =
        agents::create_version(call.server.ctx(&call.caller), call.path.id, expected, call.body).await?;
    version_created(created)
}
