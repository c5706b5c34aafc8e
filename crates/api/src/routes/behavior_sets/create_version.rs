//! Creates the next version of a dynamic behavior set.

use forge_app::Caller;
use forge_app::items::behavior_sets;
use forge_domain::behavior::BehaviorDocument;
use forge_wire::behavior_sets::BehaviorVersionCreated;

use super::Path;
use crate::call::Call;
use crate::reply::{Answer, created};
use crate::routes::ExpectedVersion;

pub(crate) async fn handle(call: Call<Path, ExpectedVersion, BehaviorDocument, Caller>) -> Answer {
    let (ctx, id, expected) = (
        call.server.ctx(&call.caller),
        call.path.dynamic_behavior_set_id,
        call.query.version,
    );
    let written = behavior_sets::create_version(ctx, id, expected, call.body).await?;
    created(written, |new_version_number| BehaviorVersionCreated {
        new_version_number,
    })
}
