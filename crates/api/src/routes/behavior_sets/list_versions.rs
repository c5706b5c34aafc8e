//! Lists the versions of a dynamic behavior set.

use forge_domain::behavior::BehaviorSetDetails;

use super::Path;
use crate::reply::Answer;
use crate::routes::items::list_versions::{VersionsCall, list};

pub(crate) async fn handle(call: VersionsCall<Path>) -> Answer {
    list::<BehaviorSetDetails, _>(call.path.dynamic_behavior_set_id, call).await
}
