//! Dynamic behavior sets, metrics, personas and scenarios: a file for each verb, with the kinds side by side.

pub(crate) mod create;
pub(crate) mod create_version;
pub(crate) mod delete;
pub(crate) mod evaluate;
mod filter;
pub(crate) mod invocations;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod results;
pub(crate) mod search;
pub(crate) mod update;

use forge_app::items::Item;
use forge_domain::OrganizationId;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The path of an item, whatever the operation calls its id.
#[derive(Deserialize)]
pub(crate) struct ItemPath {
    #[serde(
        alias = "dynamic_behavior_set_id",
        alias = "metric_id",
        alias = "simulation_persona_id",
        alias = "simulation_scenario_id"
    )]
    pub(crate) id: String,
}

fn instances(organization: &OrganizationId, items: Vec<Item>) -> Vec<Map<String, Value>> {
    let instance = |item| forge_wire::items::instance(organization, item);
    items.into_iter().map(instance).collect()
}
