//! Plans of every kind of change against one made-up service.

mod changes;
mod digest;
mod plans;
mod properties;
mod rebind;
mod rollback;
mod rules;
mod service;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::asset::{AssetId, AssetKind};
use crate::model::{ModelCatalogue, ModelDescription, ModelPreferences};
use crate::prompt::LongPrompt;
use crate::simulation::UnitTestRef;
use crate::time::Timestamp;
use crate::version::VersionNumber;
use crate::version_set::{Binding, Bound, Pins, RequestedPins, ResolvedPins};
use crate::yank::YankedVersion;
use crate::{AgentId, ContextGraphId, ServiceId, UnitTestId, UserRef};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// A service whose agent and context graph have five versions each, and one set of it that a change is about.
#[derive(Debug)]
struct World {
    binding: Binding,
    yanked: Vec<YankedVersion>,
    name: String,
    target: Option<Target>,
    sets: Vec<SetName>,
    hidden_sets: Vec<SetName>,
    unit_tests: Vec<UnitTestRef>,
    models: ModelCatalogue,
    long_prompt: Option<LongPrompt>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            binding: Binding {
                agent: bound(agent_id(1)),
                context_graph: bound(graph_id(1)),
            },
            yanked: Vec::new(),
            name: "test".to_owned(),
            target: Some(target(pins(2, 2))),
            sets: sets(3),
            hidden_sets: Vec::new(),
            unit_tests: Vec::new(),
            models: MODELS.clone(),
            long_prompt: None,
        }
    }
}

impl World {
    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The same world where the set was never there.
    fn without_target(self) -> Self {
        Self { target: None, ..self }
    }

    fn held(mut self) -> Self {
        if let Some(target) = &mut self.target {
            target.hold = Some(hold("it swears"));
        }
        self
    }

    fn tested(mut self) -> Self {
        self.unit_tests.push(UnitTestRef {
            id: UnitTestId::new(NOW, [3; 8]),
            name: "greets".to_owned(),
            is_hidden: false,
        });
        self
    }

    fn with_yanked_agent_version(mut self, version: i64) -> Self {
        self.yanked.push(yanked(AssetKind::Agent, version));
        self
    }

    fn with_deprecated_agent(mut self) -> Self {
        self.binding.agent.is_deprecated = true;
        self
    }

    fn plan_with(&self, change: Change, lift_hold: bool) -> Planned {
        self.plan_in("Live", change, lift_hold)
    }

    /// Plans in a service of this name.
    fn plan_in(&self, service_name: &str, change: Change, lift_hold: bool) -> Planned {
        let input = PlanInput {
            service_id: ServiceId::new(NOW, [9; 8]),
            service_name,
            binding: &self.binding,
            yanked: &self.yanked,
            name: &self.name,
            target: self.target.as_ref(),
            sets: &self.sets,
            hidden_sets: &self.hidden_sets,
            unit_tests: &self.unit_tests,
            models: &self.models,
            long_prompt: self.long_prompt,
            now: NOW,
        };
        plan(&input, change, lift_hold)
    }

    fn plan(&self, change: Change) -> Planned {
        self.plan_with(change, false)
    }
}

/// Returns the names of so many sets; none is the one that changes are about.
fn sets(count: usize) -> Vec<SetName> {
    (0..count)
        .map(|number| format!("set-{number}").parse().unwrap())
        .collect()
}

fn agent_id(number: u8) -> AgentId {
    AgentId::new(NOW, [number; 8])
}

fn graph_id(number: u8) -> ContextGraphId {
    ContextGraphId::new(NOW, [number; 8])
}

fn version(number: i64) -> VersionNumber {
    number.try_into().unwrap()
}

fn bound(id: impl Into<AssetId>) -> Bound {
    Bound {
        id: id.into(),
        latest: Some(version(5)),
        is_deprecated: false,
    }
}

fn yanked(asset: AssetKind, number: i64) -> YankedVersion {
    YankedVersion {
        asset,
        version: version(number),
        reason: "it swears".to_owned(),
    }
}

fn hold(reason: &str) -> Hold {
    Hold {
        reason: Some(reason.to_owned()),
        since: NOW,
        by: UserRef {
            org_id: "acme".parse().unwrap(),
            user_id: "alex".to_owned(),
        },
    }
}

/// A catalogue with a model that stays, one that retires tomorrow and one that is retired.
static MODELS: LazyLock<ModelCatalogue> = LazyLock::new(|| {
    let model = |name: &str, retires_at| ModelDescription {
        name: name.to_owned(),
        provider: "provider".to_owned(),
        params_schema: json!({"type": "object", "properties": {"temperature": {"type": "number"}}}),
        retires_at,
    };
    let tomorrow = NOW + std::time::Duration::from_hours(24);
    ModelCatalogue::new([
        model("staying", None),
        model("retiring", Some(tomorrow)),
        model("retired", Some(NOW)),
    ])
    .unwrap()
});

fn pins(agent: impl Into<Option<i64>>, graph: impl Into<Option<i64>>) -> Pins {
    Pins {
        agent_version: agent.into().map(version),
        context_graph_version: graph.into().map(version),
        model_preferences: ModelPreferences::new(),
    }
}

/// The same pins with a preferred model.
fn preferring(mut pins: Pins, interaction: &str, model: &str, params: Value) -> Pins {
    let preference = serde_json::from_value(json!({"llm_name": model, "params": params})).unwrap();
    pins.model_preferences.insert(interaction.to_owned(), preference);
    pins
}

fn target(pins: Pins) -> Target {
    Target {
        revision: 7,
        pins: Some(pins),
        hold: None,
    }
}

/// A set of that name which was deleted.
fn deleted() -> Target {
    Target {
        revision: 7,
        pins: None,
        hold: None,
    }
}

/// A revision of a set of the service.
///
/// What floats meant the versions 4.
fn content(pins: Pins) -> PinnedRevision {
    PinnedRevision {
        revision: 6,
        agent_id: agent_id(1),
        context_graph_id: graph_id(1),
        resolved: ResolvedPins {
            agent_version: pins.agent_version.or(Some(version(4))),
            context_graph_version: pins.context_graph_version.or(Some(version(4))),
        },
        pins,
    }
}

fn upsert(pins: &Pins) -> Change {
    Change::Upsert(RequestedPins::from(pins))
}

fn upsert_numbers(agent: i64, graph: i64) -> Change {
    Change::Upsert(RequestedPins {
        agent_version_number: Some(agent),
        context_graph_version_number: Some(graph),
        llm_model_preferences: ModelPreferences::new(),
    })
}

fn promote_from(source: &str, pins: Pins, freeze: bool) -> Change {
    Change::Promote {
        source: source.to_owned(),
        source_revision: None,
        content: Some(content(pins)),
        freeze,
    }
}

fn promote(pins: Pins) -> Change {
    promote_from("preview", pins, true)
}

fn roll_back(pins: Pins) -> Change {
    Change::Rollback {
        restored: Ok(content(pins)),
        freeze: true,
    }
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn blockers(planned: &Planned) -> Vec<&str> {
    codes(&planned.plan.blockers)
}

fn warnings(planned: &Planned) -> Vec<&str> {
    codes(&planned.plan.warnings)
}
