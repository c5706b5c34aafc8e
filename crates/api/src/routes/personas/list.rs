//! Lists personas.

use forge_domain::simulation::PersonaDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::CreatorForm;
use crate::routes::items::list::{ListCall, list};

pub(crate) async fn handle(call: ListCall<PersonaDetails, OwnFilter>) -> Answer {
    list(CreatorForm::WithOrganization, call).await
}
