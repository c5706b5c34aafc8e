//! Creates the next version of a persona.

use forge_app::Caller;
use forge_app::items::personas;
use forge_wire::items::NumberCreated;
use forge_wire::personas::CreatePersonaVersion;

use super::Path;
use crate::call::Call;
use crate::reply::{Answer, created};
use crate::routes::ExpectedVersion;

pub(crate) async fn handle(call: Call<Path, ExpectedVersion, CreatePersonaVersion, Caller>) -> Answer {
    let (ctx, id, expected) = (
        call.server.ctx(&call.caller),
        call.path.simulation_persona_id,
        call.query.version,
    );
    let written = personas::create_version(ctx, id, expected, call.body.into()).await?;
    created(written, |version| NumberCreated { version })
}
