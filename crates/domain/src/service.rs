//! Services: what conversations start in.

use crate::actor::UserRef;
use crate::model::ModelCatalogue;
use crate::refusal::Refusal;
use crate::tag::Tags;
use crate::time::Timestamp;
use crate::version::VersionNumber;
use crate::version_set::{Binding, Bound, Pins, RequestedPins, SetName, check_models};
use crate::yank::{self, YankedVersion};
use crate::{AgentId, ContextGraphId, ServiceId};

/// A service, without its sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its place in the organization's list; grows with creation.
    pub seq: i64,
    /// Its name; unique among active services.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// The graph that conversations walk.
    pub context_graph_id: ContextGraphId,
    /// Its tags.
    pub tags: Tags,
    /// Words that transcription gets wrong.
    pub keyterms: Vec<String>,
    /// Who created it.
    pub creator: UserRef,
    /// Who changed it last; what its sets pin has a history of its own.
    pub updated_by: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The fields of a service that a caller decides.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceFields {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// The graph that conversations walk.
    pub context_graph_id: ContextGraphId,
    /// Its tags.
    pub tags: Tags,
    /// Words that transcription gets wrong.
    pub keyterms: Vec<String>,
}

impl From<&Service> for ServiceFields {
    fn from(service: &Service) -> Self {
        let service = service.clone();
        Self {
            name: service.name,
            description: service.description,
            is_active: service.is_active,
            agent_id: service.agent_id,
            context_graph_id: service.context_graph_id,
            tags: service.tags,
            keyterms: service.keyterms,
        }
    }
}

/// What changes about a service; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a service")]
pub struct UpdateService {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_active: Option<bool>,
    pub agent_id: Option<AgentId>,
    pub context_graph_id: Option<ContextGraphId>,
    pub tags: Option<Tags>,
    pub keyterms: Option<Vec<String>>,
}

impl UpdateService {
    /// Returns a service as it is after the change.
    #[must_use]
    pub fn apply(self, service: &Service) -> Service {
        let service = service.clone();
        Service {
            name: self.name.unwrap_or(service.name),
            description: self.description.unwrap_or(service.description),
            is_active: self.is_active.unwrap_or(service.is_active),
            agent_id: self.agent_id.unwrap_or(service.agent_id),
            context_graph_id: self.context_graph_id.unwrap_or(service.context_graph_id),
            tags: self.tags.unwrap_or(service.tags),
            keyterms: self.keyterms.unwrap_or(service.keyterms),
            ..service
        }
    }
}

/// Returns every reason against running a service on this agent or graph.
pub fn check_bound(bound: &Bound) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if bound.is_deprecated {
        refusals.push(Refusal::Deprecated { asset: bound.id });
    }
    if bound.latest.is_none() {
        refusals.push(Refusal::NoVersions { asset: bound.id });
    }
    refusals
}

/// Returns every reason against running a service on this agent and graph.
pub fn check_binding(binding: &Binding) -> Vec<Refusal> {
    let mut refusals = check_bound(&binding.agent);
    refusals.extend(check_bound(&binding.context_graph));
    refusals
}

/// Returns every reason against activating a service with these sets.
///
/// A deprecated agent or graph, a pinned version that was yanked and a model that is unknown or retired count, in whichever
/// set: conversations could begin in each.
pub fn check_activation(
    binding: &Binding,
    yanked: &[YankedVersion],
    sets: &[(SetName, Pins)],
    models: &ModelCatalogue,
    now: Timestamp,
) -> Vec<Refusal> {
    let mut refusals = check_binding(binding);
    for (name, pins) in sets {
        refusals.extend(in_set(name, yank::of_pins(binding, yanked, pins).0));
        refusals.extend(in_set(name, check_models(&pins.model_preferences, models, now)));
    }
    refusals
}

/// Checks what the `release` of a new service is asked to pin and returns every reason against the service.
pub fn check_creation(
    binding: &Binding,
    yanked: &[YankedVersion],
    release: RequestedPins,
    models: &ModelCatalogue,
    now: Timestamp,
) -> Result<Pins, Vec<Refusal>> {
    let mut refusals = check_binding(binding);
    let checked = Pins::check(release, binding, models, now).and_then(|pins| {
        let (pinned, _) = yank::of_pins(binding, yanked, &pins);
        if pinned.is_empty() { Ok(pins) } else { Err(pinned) }
    });
    match checked {
        Ok(pins) if refusals.is_empty() => return Ok(pins),
        Ok(_) => {}
        Err(reasons) => refusals.extend(in_set(&SetName::release(), reasons)),
    }
    Err(refusals)
}

fn in_set(set: &SetName, reasons: Vec<Refusal>) -> impl Iterator<Item = Refusal> {
    reasons.into_iter().map(|reason| Refusal::InSet {
        set: set.clone(),
        reason: Box::new(reason),
    })
}

/// Returns every reason against giving a service with these sets another agent or graph.
///
/// Only what changes is checked: a service whose agent is deprecated may still change its graph.
pub fn check_rebind(old: &Binding, new: &Binding, sets: &[(SetName, Pins)]) -> Vec<Refusal> {
    let pairs = [(&old.agent, &new.agent), (&old.context_graph, &new.context_graph)];
    let changed = pairs.into_iter().filter(|(old, new)| old.id != new.id);
    let mut refusals: Vec<Refusal> = changed.flat_map(|(_, new)| check_bound(new)).collect();
    for (set, pins) in sets {
        refusals.extend(check_rebound_pins(old, new, set, pins));
    }
    refusals
}

/// Returns the versions that a set pins and that its service's new agent or graph does not have.
pub fn check_rebound_pins(old: &Binding, new: &Binding, set: &SetName, pins: &Pins) -> Vec<Refusal> {
    let pairs = [
        (&old.agent, &new.agent, pins.agent_version),
        (&old.context_graph, &new.context_graph, pins.context_graph_version),
    ];
    let lost = |(old, new, pinned): (&Bound, &Bound, Option<VersionNumber>)| {
        let number = pinned.filter(|number| old.id != new.id && !number.exists(new.latest))?;
        Some(Refusal::PinLostByRebind {
            set: set.clone(),
            asset: new.id.kind(),
            number,
            latest: new.latest,
        })
    };
    pairs.into_iter().filter_map(lost).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asset::{AssetId, AssetKind};

    /// Returns the agent or context graph that a letter stands for.
    fn bound(kind: AssetKind, letter: &str, latest: i64) -> Bound {
        Bound {
            id: AssetId::parse(kind, &letter.repeat(24)).unwrap(),
            latest: latest.try_into().ok(),
            is_deprecated: false,
        }
    }

    fn binding(agent: (&str, i64), graph: (&str, i64)) -> Binding {
        Binding {
            agent: bound(AssetKind::Agent, agent.0, agent.1),
            context_graph: bound(AssetKind::ContextGraph, graph.0, graph.1),
        }
    }

    fn set(name: &str, agent: Option<i64>, graph: Option<i64>) -> (SetName, Pins) {
        let number = |n: Option<i64>| n.map(|n| n.try_into().unwrap());
        let pins = Pins {
            agent_version: number(agent),
            context_graph_version: number(graph),
            ..Pins::default()
        };
        (name.parse().unwrap(), pins)
    }

    fn codes(refusals: &[Refusal]) -> Vec<&'static str> {
        refusals.iter().map(Refusal::code).collect()
    }

    #[test]
    fn a_service_runs_on_living_assets_that_have_versions() {
        assert!(check_binding(&binding(("a", 1), ("c", 1))).is_empty());
        assert_eq!(
            codes(&check_binding(&binding(("a", 0), ("c", 0)))),
            ["no_versions"; 2]
        );
        let mut deprecated = binding(("a", 1), ("c", 1));
        deprecated.context_graph.is_deprecated = true;
        assert_eq!(codes(&check_binding(&deprecated)), ["deprecated"]);
    }

    #[test]
    fn activation_looks_at_the_models_of_every_set() {
        let (name, mut pins) = set("test", None, None);
        let model = serde_json::from_str(r#"{"llm_name": "gone"}"#).unwrap();
        pins.model_preferences.insert("engage-user".into(), model);
        let models = ModelCatalogue::new([]).unwrap();
        let refusals = check_activation(
            &binding(("a", 1), ("c", 1)),
            &[],
            &[(name, pins)],
            &models,
            Timestamp::from_millis(0),
        );
        assert_eq!(codes(&refusals), ["unknown_model"]);
        assert!(refusals[0].to_string().starts_with("version set `test`: "));
    }

    #[test]
    fn no_service_begins_or_goes_on_with_a_yanked_version_pinned() {
        let yanked = [YankedVersion {
            asset: AssetKind::Agent,
            version: VersionNumber::FIRST,
            reason: "it tells dosages".to_owned(),
        }];
        let (binding, models) = (binding(("a", 1), ("c", 1)), ModelCatalogue::new([]).unwrap());
        let now = Timestamp::from_millis(0);
        let requested = |agent_version_number| RequestedPins {
            agent_version_number,
            context_graph_version_number: None,
            llm_model_preferences: indexmap::IndexMap::new(),
        };
        let create = |agent| check_creation(&binding, &yanked, requested(agent), &models, now);
        let refusals = create(Some(1)).unwrap_err();
        assert_eq!(codes(&refusals), ["yanked_version"]);
        assert!(refusals[0].to_string().starts_with("version set `release`: "));
        assert!(
            create(None).is_ok(),
            "what floats leaves the yanked version with the next one"
        );
        let activate = |agent| check_activation(&binding, &yanked, &[set("test", agent, None)], &models, now);
        assert_eq!(codes(&activate(Some(1))), ["yanked_version"]);
        assert_eq!(codes(&activate(None)), [""; 0]);
    }

    #[test]
    fn a_rebind_names_every_set_whose_pin_would_be_lost() {
        let old = binding(("a", 5), ("c", 5));
        let sets = [
            set("edge", None, None),
            set("release", Some(3), Some(3)),
            set("test", Some(2), None),
        ];
        assert!(check_rebind(&old, &binding(("b", 3), ("c", 5)), &sets).is_empty());
        let refusals = check_rebind(&old, &binding(("b", 1), ("d", 2)), &sets);
        assert_eq!(codes(&refusals), ["pin_lost_by_rebind"; 3]);
        let text = refusals[0].to_string();
        assert!(
            text.contains("`release`") && text.contains("version 3 of the agent"),
            "{text}"
        );
        assert_eq!(
            codes(&check_rebind(&old, &binding(("b", 0), ("c", 5)), &[])),
            ["no_versions"]
        );
    }
}
