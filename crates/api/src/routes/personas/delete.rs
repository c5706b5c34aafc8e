//! Deletes a persona.

use forge_app::{Caller, items};
use forge_domain::simulation::PersonaDetails;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.simulation_persona_id;
    let deleted = items::delete::<PersonaDetails>(call.server.ctx(&call.caller), id).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(deleted.change_number),
    ))
}
