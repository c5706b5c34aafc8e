//! Lists the versions of a persona.

use forge_domain::simulation::PersonaDetails;

use super::Path;
use crate::reply::Answer;
use crate::routes::items::list_versions::{VersionsCall, list};

pub(crate) async fn handle(call: VersionsCall<Path>) -> Answer {
    list::<PersonaDetails, _>(call.path.simulation_persona_id, call).await
}
