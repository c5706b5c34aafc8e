//! Lists metrics.

use forge_domain::metric::MetricDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::CreatorForm;
use crate::routes::items::list::{ListCall, list};

pub(crate) async fn handle(mut call: ListCall<MetricDetails, OwnFilter>) -> Answer {
    // A deleted one can still be looked up by its id, says the contract; the filter's default is for lists.
    if !call.query.id.is_empty() && !call.names("is_deleted") {
        call.query.is_deleted = None;
    }
    list(CreatorForm::Either, call).await
}
