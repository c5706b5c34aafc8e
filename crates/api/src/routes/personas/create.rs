//! Creates a persona with its first version.

use forge_app::Caller;
use forge_app::items::personas;
use forge_wire::personas::{CreatePersona, PersonaCreated};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreatePersona, Caller>) -> Answer {
    let written = personas::create(call.server.ctx(&call.caller), call.body.into()).await?;
    created(written, |simulation_persona_id| PersonaCreated {
        simulation_persona_id,
    })
}
