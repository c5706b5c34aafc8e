//! Lists scenarios.

use forge_domain::simulation::ScenarioDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::CreatorForm;
use crate::routes::items::list::{ListCall, list};

pub(crate) async fn handle(call: ListCall<ScenarioDetails, OwnFilter>) -> Answer {
    list(CreatorForm::WithOrganization, call).await
}
