//! Version sets: what a service runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::actor::UserRef;
use crate::model::{ModelCatalogue, ModelPreferences};
use crate::refusal::{AssetKind, Refusal};
use crate::time::Timestamp;
use crate::version::VersionNumber;

/// How many version sets a service may have, `edge` and `release` included.
pub const MAX_SETS: usize = 100;

/// The name of a version set: `^[A-Za-z0-9_-]+$`, at most 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

/// The text is no name of a version set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a version set's name has 1 to 40 characters, each a letter, a digit, `_` or `-`")]
pub struct InvalidSetName;

impl SetName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 40;

    /// The sets that all who work on a service share. They are no others in capitals, even before they are there:
    /// otherwise whoever may not create one of them could keep everybody from it.
    pub const SHARED: [&str; 4] = ["edge", "release", "preview", "test"];

    /// The set that always floats; it cannot be changed.
    pub fn edge() -> Self {
        Self("edge".to_owned())
    }

    /// The set that runtimes get when they name none.
    pub fn release() -> Self {
        Self("release".to_owned())
    }

    /// Tells whether this is `edge`.
    pub fn is_edge(&self) -> bool {
        self.0 == "edge"
    }

    /// Tells whether every service has this set for as long as it exists.
    pub fn is_permanent(&self) -> bool {
        self.is_edge() || self.0 == "release"
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SetName {
    type Err = InvalidSetName;

    fn from_str(text: &str) -> Result<Self, InvalidSetName> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(valid) {
            return Err(InvalidSetName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SetName {
    type Error = InvalidSetName;

    fn try_from(text: String) -> Result<Self, InvalidSetName> {
        text.parse()
    }
}

impl From<SetName> for String {
    fn from(name: SetName) -> Self {
        name.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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

/// What a set pins: numbers that exist, or null, which floats with the latest version. Serialised as on the wire.
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

/// A mark that a rollback leaves on a set: nothing moves the set forward until someone lifts the hold on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why the set was rolled back.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Who rolled back.
    pub by: UserRef,
}

/// The agent or context graph of a service, as far as pinning needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Which of the two it is.
    pub asset: AssetKind,
    /// Its id.
    pub id: String,
    /// Its newest version, if it has any.
    pub latest: Option<VersionNumber>,
    /// Whether it is deprecated.
    pub is_deprecated: bool,
}

impl Bound {
    /// Returns the version that a pin names, provided that it exists.
    fn pin(&self, number: Option<i64>) -> Result<Option<VersionNumber>, Refusal> {
        let Some(number) = number else { return Ok(None) };
        match VersionNumber::try_from(number) {
            Ok(version) if version.exists(self.latest) => Ok(Some(version)),
            _ => Err(Refusal::NoSuchVersion {
                asset: self.asset,
                id: self.id.clone(),
                number,
                latest: self.latest,
            }),
        }
    }
}

/// The agent and the context graph of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The agent.
    pub agent: Bound,
    /// The context graph.
    pub context_graph: Bound,
}

/// The numbers that pins mean at a given moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The agent's version; `None` only while the agent has none.
    #[serde(rename = "agent_version_number")]
    pub agent_version: Option<VersionNumber>,
    /// The context graph's version; `None` only while the graph has none.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version: Option<VersionNumber>,
}

impl Resolved {
    /// What a deleted set means.
    pub const NOTHING: Self = Self {
        agent_version: None,
        context_graph_version: None,
    };
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

    /// Tells whether either version floats.
    pub fn is_floating(&self) -> bool {
        self.agent_version.is_none() || self.context_graph_version.is_none()
    }

    /// Returns the numbers that the pins mean while these are the latest versions.
    pub fn resolve(&self, binding: &Binding) -> Resolved {
        Resolved {
            agent_version: self.agent_version.or(binding.agent.latest),
            context_graph_version: self.context_graph_version.or(binding.context_graph.latest),
        }
    }
}

/// Returns every reason against preferring these models.
pub fn check_models(preferences: &ModelPreferences, models: &ModelCatalogue, now: Timestamp) -> Vec<Refusal> {
    let refusal = |(interaction, preference): (&String, _)| {
        let preference: &crate::model::ModelPreference = preference;
        models.problem(preference, now).map(|problem| Refusal::Model {
            interaction: interaction.clone(),
            model: preference.llm_name.clone(),
            problem,
        })
    };
    preferences.iter().filter_map(refusal).collect()
}

/// Returns every reason against writing a set of this name, beyond what it pins.
///
/// `is_new` says that the set does not exist yet; `sets` are those that the service has, and of those in `hidden` the caller
/// must not learn the name.
pub fn check_upsert(name: &SetName, is_new: bool, sets: &[SetName], hidden: &[SetName]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if name.is_edge() {
        refusals.push(Refusal::EdgeIsFixed);
    }
    if is_new && sets.len() >= MAX_SETS {
        refusals.push(Refusal::TooManySets { limit: MAX_SETS });
    }
    let is_alike = |other: &&SetName| *other != name && other.0.eq_ignore_ascii_case(&name.0);
    let shared = SetName::SHARED.map(|shared| SetName(shared.to_owned()));
    // Everybody knows the shared names, so that to be told of one does not say whether it is there.
    let known = shared.iter().find(is_alike);
    if is_new && let Some(other) = known.or_else(|| sets.iter().find(is_alike)) {
        refusals.push(Refusal::AlikeName {
            name: name.clone(),
            other: Some(other.clone()).filter(|other| known.is_some() || !hidden.contains(other)),
        });
    }
    refusals
}

/// Returns every reason against deleting a set of this name.
pub fn check_delete(name: &SetName) -> Vec<Refusal> {
    if name.is_permanent() {
        vec![Refusal::SetIsPermanent(name.clone())]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::builtin_models;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn bound(asset: AssetKind, latest: i64) -> Bound {
        Bound {
            asset,
            id: "i".into(),
            latest: latest.try_into().ok(),
            is_deprecated: false,
        }
    }

    fn binding(agent: i64, graph: i64) -> Binding {
        Binding {
            agent: bound(AssetKind::Agent, agent),
            context_graph: bound(AssetKind::ContextGraph, graph),
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
    fn names_follow_the_pattern() {
        let longest = "a".repeat(40);
        for good in ["edge", "release", "personal-alex", "A_b-9", "7", &longest] {
            assert!(good.parse::<SetName>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(41);
        for bad in ["", "a b", "a.b", "é", "a/b", "a\n", &too_long] {
            assert_eq!(bad.parse::<SetName>(), Err(InvalidSetName), "{bad}");
        }
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

    #[test]
    fn edge_is_fixed_and_release_stays() {
        let codes = |refusals: Vec<Refusal>| refusals.iter().map(Refusal::code).collect::<Vec<_>>();
        let personal: SetName = "personal-alex".parse().unwrap();
        let sets: Vec<SetName> = (0..MAX_SETS)
            .map(|number| format!("set-{number}").parse().unwrap())
            .collect();
        assert_eq!(
            codes(check_upsert(&SetName::edge(), false, &sets, &[])),
            ["edge_is_fixed"]
        );
        assert!(check_upsert(&SetName::release(), false, &sets, &[]).is_empty());
        assert!(check_upsert(&personal, true, &sets[1..], &[]).is_empty());
        assert_eq!(
            codes(check_upsert(&personal, true, &sets, &[])),
            ["too_many_sets"]
        );
        assert!(check_upsert(&personal, false, &sets, &[]).is_empty());
        assert_eq!(codes(check_delete(&SetName::edge())), ["set_is_permanent"]);
        assert_eq!(codes(check_delete(&SetName::release())), ["set_is_permanent"]);
        assert!(check_delete(&personal).is_empty());
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
