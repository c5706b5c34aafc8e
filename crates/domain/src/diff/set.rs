//! Differences between what two version sets, or two revisions, mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AgentDiff, ContextGraphDiff, compare_agents, compare_context_graphs};
use crate::agent::AgentDocument;
use crate::context_graph::ContextGraphDocument;
use crate::model::{ModelPreference, ModelPreferences};
use crate::number;
use crate::plan::FieldChange;
use crate::version_set::ResolvedPins;
use crate::{AgentId, ContextGraphId};

/// What one of the two means.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The agent.
    pub agent_id: AgentId,
    /// The context graph.
    pub context_graph_id: ContextGraphId,
    /// The versions of both.
    pub resolved: ResolvedPins,
    /// Preferred models by interaction.
    pub model_preferences: &'a ModelPreferences,
}

/// In what two sets differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SetDiff {
    /// The agent, the context graph and the versions of both. A pin that floats is compared by what it means, so that a
    /// set which floats and one which pins the latest version do not differ.
    pub pins: Vec<FieldChange>,
    /// The preferred models.
    pub llm_model_preferences: Vec<PreferenceChange>,
    /// The agent's content, or `None` if it is the same.
    pub agent: Option<AgentDiff>,
    /// The context graph's content, or `None` if it is the same.
    #[serde(rename = "service_hierarchical_state_machine")]
    pub context_graph: Option<ContextGraphDiff>,
}

/// How a preferred model differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreferenceChange {
    /// The interaction.
    pub interaction: String,
    /// `llm_name`, or `params.` and the name of a parameter. Nothing if only one side prefers a model at all: then the
    /// values are whole preferences.
    pub field: Option<String>,
    /// Its value before; null if there was none.
    pub from: Value,
    /// Its value after; null if there is none.
    pub to: Value,
}

impl SetDiff {
    /// Returns `true` if nothing differs.
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
            && self.llm_model_preferences.is_empty()
            && self.agent.is_none()
            && self.context_graph.is_none()
    }
}

/// Returns in what two sets differ, given the contents of their agents and context graphs.
///
/// Contents may be left out where both sides mean the same version.
pub fn compare_sets(
    base: &Side<'_>,
    head: &Side<'_>,
    agents: Option<(&AgentDocument, &AgentDocument)>,
    context_graphs: Option<(&ContextGraphDocument, &ContextGraphDocument)>,
) -> SetDiff {
    let agent = agents.map(|(from, to)| compare_agents(from, to));
    let context_graph = context_graphs.map(|(from, to)| compare_context_graphs(from, to));
    SetDiff {
        pins: compare_pins(base, head),
        llm_model_preferences: compare_preferences(base.model_preferences, head.model_preferences),
        agent: agent.filter(|diff| !diff.is_empty()),
        context_graph: context_graph.filter(|diff| !diff.is_empty()),
    }
}

fn compare_pins(base: &Side<'_>, head: &Side<'_>) -> Vec<FieldChange> {
    let fields = |side: &Side<'_>| {
        [
            ("agent_id", json!(side.agent_id)),
            ("agent_version_number", json!(side.resolved.agent_version)),
            (
                "service_hierarchical_state_machine_id",
                json!(side.context_graph_id),
            ),
            (
                "service_hierarchical_state_machine_version_number",
                json!(side.resolved.context_graph_version),
            ),
        ]
    };
    let pairs = fields(base).into_iter().zip(fields(head));
    let changed = pairs.filter(|((_, from), (_, to))| from != to);
    changed
        .map(|((field, from), (_, to))| FieldChange {
            field: field.to_owned(),
            from,
            to,
        })
        .collect()
}

fn compare_preferences(base: &ModelPreferences, head: &ModelPreferences) -> Vec<PreferenceChange> {
    let interactions: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    let mut changes = Vec::new();
    for interaction in interactions {
        match (base.get(interaction), head.get(interaction)) {
            (Some(from), Some(to)) => changes.extend(compare_models(interaction, from, to)),
            (from, to) => changes.push(PreferenceChange {
                interaction: interaction.clone(),
                field: None,
                from: json!(from),
                to: json!(to),
            }),
        }
    }
    changes
}

fn compare_models(interaction: &str, from: &ModelPreference, to: &ModelPreference) -> Vec<PreferenceChange> {
    let change = |field: String, from: Value, to: Value| PreferenceChange {
        interaction: interaction.to_owned(),
        field: Some(field),
        from,
        to,
    };
    let mut changes = Vec::new();
    if from.llm_name != to.llm_name {
        changes.push(change(
            "llm_name".to_owned(),
            json!(from.llm_name),
            json!(to.llm_name),
        ));
    }
    let parameters: BTreeSet<&String> = from.params.keys().chain(to.params.keys()).collect();
    for parameter in parameters {
        let (before, after) = (from.params.get(parameter), to.params.get(parameter));
        let is_same = before
            .zip(after)
            .is_some_and(|(before, after)| number::is_same(before, after));
        if !is_same {
            changes.push(change(format!("params.{parameter}"), json!(before), json!(after)));
        }
    }
    changes
}
