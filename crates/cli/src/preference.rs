//! Preferred models in files that people write.

use forge_client::answers::ModelPreference;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A preferred model of which nothing may be forgotten or misspelt: without its parameters, it would be another one.
///
/// Answers of a server are read otherwise, as a newer one may say more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenPreference {
    llm_name: String,
    params: Map<String, Value>,
}

/// Returns what files say of models by interaction.
pub(crate) fn preferences(written: IndexMap<String, WrittenPreference>) -> IndexMap<String, ModelPreference> {
    let preference = |(interaction, written): (String, WrittenPreference)| {
        let preference = ModelPreference {
            llm_name: written.llm_name,
            params: written.params,
        };
        (interaction, preference)
    };
    written.into_iter().map(preference).collect()
}
