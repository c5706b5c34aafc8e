//! Dynamic behavior sets.

pub(crate) mod create;
pub(crate) mod create_version;
pub(crate) mod delete;
pub(crate) mod invocations;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod search;
pub(crate) mod update;

use forge_domain::behavior::BehaviorSetFilter;
use forge_domain::{BehaviorSetId, ServiceId};
use serde::Deserialize;

/// The path of a dynamic behavior set.
#[derive(Deserialize)]
pub(crate) struct Path {
    pub(crate) dynamic_behavior_set_id: BehaviorSetId,
}

/// What only behavior sets can be filtered by, as queries say it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct OwnFilter {
    is_active: Option<bool>,
    applied_to_service: Vec<ServiceId>,
}

impl From<OwnFilter> for BehaviorSetFilter {
    fn from(query: OwnFilter) -> Self {
        Self {
            is_active: query.is_active,
            applied_to_services: query.applied_to_service,
        }
    }
}
