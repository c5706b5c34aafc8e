//! The JSON file of `--from`: what a set is to pin, or the body of the API's request, which has that in `version_set`.

use std::path::Path;

use forge_client::answers::Pins;
use indexmap::IndexMap;
use serde::Deserialize;

use crate::error::{Failure, Result};
use crate::input;
use crate::preference::{WrittenPreference, preferences};

/// Pins of which none may be forgotten or misspelt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictPins {
    #[serde(deserialize_with = "Option::deserialize")]
    agent_version_number: Option<i64>,
    #[serde(deserialize_with = "Option::deserialize")]
    service_hierarchical_state_machine_version_number: Option<i64>,
    llm_model_preferences: IndexMap<String, WrittenPreference>,
}

/// Reads a file; `-` is stdin.
pub(super) fn read(path: &Path) -> Result<Pins> {
    let place = path.display();
    let json = input::json(input::bytes(path)?)
        .map_err(|fault| Failure::failed(format!("{place} is no JSON: {fault}")))?;
    let pins = match json.get("version_set") {
        Some(pins) => pins.clone(),
        None => json,
    };
    let pins: StrictPins = serde_json::from_value(pins).map_err(|error| {
        Failure::failed(format!("{place} does not say what a set pins: {error}")).hint(
            "it needs `agent_version_number` and `service_hierarchical_state_machine_version_number`, each a number or null \
             to float, and `llm_model_preferences`, each with `llm_name` and `params`",
        )
    })?;
    Ok(Pins {
        agent_version_number: pins.agent_version_number,
        context_graph_version_number: pins.service_hierarchical_state_machine_version_number,
        llm_model_preferences: preferences(pins.llm_model_preferences),
    })
}
