//! What a version set pins, and what that means at a given moment.

use serde::{Deserialize, Serialize};

use super::binding::{Binding, ResolvedPins};
use super::rules::check_models;
use crate::model::{ModelCatalogue, ModelPreferences};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::version::VersionNumber;

/// What a caller asks a set to pin; the numbers may be any integers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RequestedPins {
    /// The agent's version; null floats.
    pub agent_version_number: Option<i64>,
    /// The context graph's version; null floats.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version_number: Option<i64>,
    /// Preferred models by interaction.
    pub llm_model_preferences: ModelPreferences,
}

/// What a set pins: numbers that exist, or null, which floats with the latest version.
///
/// Serialised as on the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pins {
    /// The agent's version; `None` floats.
    #[serde(rename = "agent_version_number")]
    pub agent_version: Option<VersionNumber>,
    /// The context graph's version; `None` floats.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version: Option<VersionNumber>,
    /// Preferred models by interaction.
    #[serde(rename = "llm_model_preferences")]
    pub model_preferences: ModelPreferences,
}

impl From<&Pins> for RequestedPins {
    fn from(pins: &Pins) -> Self {
        Self {
            agent_version_number: pins.agent_version.map(VersionNumber::get),
            context_graph_version_number: pins.context_graph_version.map(VersionNumber::get),
            llm_model_preferences: pins.model_preferences.clone(),
        }
    }
}

impl Pins {
    /// Checks what a caller asks a set of this service to pin and returns every reason against it.
    pub fn check(
        requested: RequestedPins,
        binding: &Binding,
        models: &ModelCatalogue,
        now: Timestamp,
    ) -> Result<Self, Vec<Refusal>> {
        let agent_version = binding.agent.pin(requested.agent_version_number);
        let context_graph_version = binding.context_graph.pin(requested.context_graph_version_number);
        let mut refusals = check_models(&requested.llm_model_preferences, models, now);
        match (agent_version, context_graph_version) {
            (Ok(agent_version), Ok(context_graph_version)) if refusals.is_empty() => Ok(Self {
                agent_version,
                context_graph_version,
                model_preferences: requested.llm_model_preferences,
            }),
            (agent_version, context_graph_version) => {
                let numbers = [agent_version.err(), context_graph_version.err()];
                refusals.splice(0..0, numbers.into_iter().flatten());
                Err(refusals)
            }
        }
    }

    /// Returns `true` if either version floats.
    pub fn is_floating(&self) -> bool {
        self.agent_version.is_none() || self.context_graph_version.is_none()
    }

    /// Returns the numbers that the pins mean while these are the latest versions.
    pub fn resolve(&self, binding: &Binding) -> ResolvedPins {
        ResolvedPins {
            agent_version: self.agent_version.or(binding.agent.latest),
            context_graph_version: self.context_graph_version.or(binding.context_graph.latest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::AssetId;
    use crate::model::builtin_models;
    use crate::version_set::Bound;
    use crate::{AgentId, ContextGraphId};
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn bound(id: impl Into<AssetId>, latest: i64) -> Bound {
        Bound {
            id: id.into(),
            latest: latest.try_into().ok(),
            is_deprecated: false,
        }
    }

    fn binding(agent: i64, graph: i64) -> Binding {
        Binding {
            agent: bound(AgentId::new(NOW, [1; 8]), agent),
            context_graph: bound(ContextGraphId::new(NOW, [1; 8]), graph),
        }
    }

    fn check(
        agent: Option<i64>,
        graph: Option<i64>,
        models: serde_json::Value,
    ) -> Result<Pins, Vec<&'static str>> {
        let requested = serde_json::from_value(json!({"agent_version_number": agent,
            "service_hierarchical_state_machine_version_number": graph, "llm_model_preferences": models}));
        let catalogue = ModelCatalogue::new(builtin_models()).unwrap();
        Pins::check(requested.unwrap(), &binding(3, 5), &catalogue, NOW)
            .map_err(|refusals| refusals.iter().map(Refusal::code).collect())
    }

    #[test]
    fn pins_name_versions_that_exist_or_float() {
        assert!(check(Some(3), Some(5), json!({})).is_ok());
        let floating = check(None, None, json!({})).unwrap();
        assert_eq!(floating, Pins::default());
        assert!(floating.is_floating());
        assert_eq!(check(Some(4), Some(5), json!({})), Err(vec!["no_such_version"]));
        assert_eq!(
            check(Some(0), Some(-1), json!({})),
            Err(vec!["no_such_version"; 2])
        );
    }

    #[test]
    fn every_reason_against_a_set_is_told_at_once() {
        let models = json!({"a": {"llm_name": "nothing"},
            "b": {"llm_name": "google_gemini-2.5-pro", "params": {"temperature": 9}}});
        let codes = vec![
            "no_such_version",
            "no_such_version",
            "unknown_model",
            "model_parameters",
        ];
        assert_eq!(check(Some(9), Some(9), models), Err(codes));
    }

    proptest! {
        #[test]
        fn checked_pins_always_resolve_to_existing_versions(
            agent in proptest::option::of(-2..6i64), graph in proptest::option::of(-2..8i64)
        ) {
            let exists = |pin: Option<i64>, latest| pin.is_none_or(|n| (1..=latest).contains(&n));
            match check(agent, graph, json!({})) {
                Ok(pins) => {
                    prop_assert!(exists(agent, 3) && exists(graph, 5));
                    let resolved = pins.resolve(&binding(3, 5));
                    prop_assert_eq!(resolved.agent_version.map(VersionNumber::get), agent.or(Some(3)));
                    prop_assert_eq!(resolved.context_graph_version.map(VersionNumber::get), graph.or(Some(5)));
                }
                Err(_) => prop_assert!(!(exists(agent, 3) && exists(graph, 5))),
            }
        }
    }
}
