//! Lists dynamic behavior sets.

use forge_domain::behavior::BehaviorSetDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::CreatorForm;
use crate::routes::items::list::{ListCall, list};

pub(crate) async fn handle(mut call: ListCall<BehaviorSetDetails, OwnFilter>) -> Answer {
    // The contract has no word for deleted ones: they are gone.
    call.query.is_deleted = Some(false);
    list(CreatorForm::Either, call).await
}
