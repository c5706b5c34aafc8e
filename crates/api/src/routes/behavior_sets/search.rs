//! Searches dynamic behavior sets.

use forge_domain::behavior::BehaviorSetDetails;

use super::OwnFilter;
use crate::reply::Answer;
use crate::routes::items::search::{SearchCall, search};

pub(crate) async fn handle(call: SearchCall<OwnFilter>) -> Answer {
    search::<BehaviorSetDetails, _>(call).await
}
