//! Searches personas.

use forge_domain::simulation::PersonaDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::search::{SearchCall, search};

pub(crate) async fn handle(call: SearchCall<OwnFilter>) -> Answer {
    search::<PersonaDetails, _>(call).await
}
