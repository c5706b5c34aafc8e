//! Searches scenarios.

use forge_domain::simulation::ScenarioDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::search::{SearchCall, search};

pub(crate) async fn handle(call: SearchCall<OwnFilter>) -> Answer {
    search::<ScenarioDetails, _>(call).await
}
