//! The fields of a set that a plan would change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::effect::HoldEffect;
use crate::model::ModelPreferences;
use crate::version_set::{Binding, Bound, Hold, Pins, RequestedPins};

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its name on the wire; of a preferred model `llm_model_preferences.` and the interaction.
    pub field: String,
    /// What it holds; null where it, or the set, is not there.
    pub from: Value,
    /// What it would hold; null where it, or the set, would not be there.
    pub to: Value,
}

/// Returns the fields in which two pins differ.
pub fn pin_changes(from: &Pins, to: &Pins) -> Vec<FieldChange> {
    of_pins(Some(from), Some(&RequestedPins::from(to)), false)
}

/// Returns the fields that change.
///
/// Of a set that comes into being, or ends, both versions are told, although null may also mean that they float.
pub(super) fn of_pins(
    from: Option<&Pins>,
    to: Option<&RequestedPins>,
    is_deletion: bool,
) -> Vec<FieldChange> {
    if to.is_none() && !is_deletion {
        return Vec::new();
    }
    let is_whole = from.is_none() || to.is_none();
    let from = from.map(RequestedPins::from);
    let numbers = |pins: &Option<RequestedPins>| match pins {
        Some(pins) => (
            json!(pins.agent_version_number),
            json!(pins.context_graph_version_number),
        ),
        None => (Value::Null, Value::Null),
    };
    let to = to.cloned();
    let ((from_agent, from_graph), (to_agent, to_graph)) = (numbers(&from), numbers(&to));
    let mut changes = Vec::new();
    for (field, from, to) in [
        ("agent_version_number", from_agent, to_agent),
        (
            "service_hierarchical_state_machine_version_number",
            from_graph,
            to_graph,
        ),
    ] {
        if is_whole || from != to {
            changes.push(FieldChange {
                field: field.to_owned(),
                from,
                to,
            });
        }
    }
    let none = ModelPreferences::new();
    let before = from.as_ref().map_or(&none, |pins| &pins.llm_model_preferences);
    let after = to.as_ref().map_or(&none, |pins| &pins.llm_model_preferences);
    let interactions: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for interaction in interactions {
        let (from, to) = (before.get(interaction), after.get(interaction));
        if from != to {
            let field = format!("llm_model_preferences.{interaction}");
            changes.push(FieldChange {
                field,
                from: json!(from),
                to: json!(to),
            });
        }
    }
    changes
}

/// Returns which of the agent and the graph change, as the fields that name them.
pub(super) fn of_binding(from: &Binding, to: &Binding) -> Vec<FieldChange> {
    let pairs = [
        ("agent_id", &from.agent, &to.agent),
        (
            "service_hierarchical_state_machine_id",
            &from.context_graph,
            &to.context_graph,
        ),
    ];
    let changed = pairs.into_iter().filter(|(_, from, to)| from.id != to.id);
    let change = |(field, from, to): (&str, &Bound, &Bound)| FieldChange {
        field: field.to_owned(),
        from: json!(from.id),
        to: json!(to.id),
    };
    changed.map(change).collect()
}

/// Returns the change of the hold, if there is one.
pub(super) fn of_hold(hold: Option<&Hold>, effect: HoldEffect) -> Option<FieldChange> {
    let change = |from: bool, to: bool| FieldChange {
        field: "hold".to_owned(),
        from: from.into(),
        to: to.into(),
    };
    match (hold, effect) {
        (Some(_), HoldEffect::Lift) => Some(change(true, false)),
        (None, HoldEffect::Place) => Some(change(false, true)),
        _ => None,
    }
}
