//! A context graph as a picture of text.

use std::collections::{HashMap, HashSet, VecDeque};

use forge_domain::context_graph::{ContextGraphDocument, NextState, State};

/// One line of the picture, and what programs see of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// A state, or a way out of one.
    pub(super) drawn: String,
    /// What is to be said about it.
    pub(super) remark: String,
    /// `state`, name, type and what it is for the graph; or `transition`, from, to and the condition.
    pub(super) fields: [String; 4],
}

/// Draws every state with its ways out, in the order in which a conversation can come to them.
pub(super) fn picture(graph: &ContextGraphDocument) -> Vec<Line> {
    let unreachable: HashSet<&str> = graph.unreachable_states().into_iter().collect();
    let mut lines = Vec::new();
    for state in in_order(graph) {
        lines.push(state_line(graph, state, &unreachable));
        let ways = ways_of(state);
        let last = ways.len().saturating_sub(1);
        for (position, (next, condition)) in ways.into_iter().enumerate() {
            lines.push(way_line(state.name(), next, condition, position == last));
        }
    }
    lines
}

/// Returns the states from the beginnings on, nearest first; those that nothing leads to come last.
fn in_order(graph: &ContextGraphDocument) -> Vec<&State> {
    let by_name: HashMap<&str, &State> = graph.states.iter().map(|state| (state.name(), state)).collect();
    let mut open = VecDeque::from([
        graph.new_user_initial_state.as_str(),
        graph.returning_user_initial_state.as_str(),
    ]);
    let mut seen = HashSet::new();
    let mut states = Vec::new();
    while let Some(name) = open.pop_front() {
        if let Some(state) = by_name.get(name).filter(|_| seen.insert(name)) {
            states.push(*state);
            open.extend(state.ways_out().map(NextState::comes_to));
        }
    }
    let others = graph.states.iter();
    states.extend(others.filter(|state| !seen.contains(state.name())));
    states
}

fn kind(state: &State) -> &'static str {
    match state {
        State::Action(_) => "action",
        State::Decision(_) => "decision",
        State::Recall(_) => "recall",
        State::Annotation(_) => "annotation",
        State::Reflection(_) => "reflection",
        State::ToolCall(_) => "tool-call",
    }
}

fn state_line(graph: &ContextGraphDocument, state: &State, unreachable: &HashSet<&str>) -> Line {
    let name = state.name();
    let begins = match (
        name == graph.new_user_initial_state,
        name == graph.returning_user_initial_state,
    ) {
        (true, true) => Some("everybody begins here"),
        (true, false) => Some("new users begin here"),
        (false, true) => Some("returning users begin here"),
        (false, false) => None,
    };
    let (mark, role, remark) = match begins {
        Some(remark) => ("▶", "begin", remark),
        None if name == graph.terminal_state => ("■", "end", "conversations end here"),
        None if unreachable.contains(name) => ("✗", "unreachable", "no conversation comes here"),
        None => ("○", "", ""),
    };
    let between = if remark.is_empty() { "" } else { ", " };
    Line {
        drawn: format!("{mark} {name}"),
        remark: format!("{}{between}{remark}", kind(state)),
        fields: ["state", name, kind(state), role].map(str::to_owned),
    }
}

/// Returns where a state leads, and when.
fn ways_of(state: &State) -> Vec<(&NextState, &str)> {
    let exits = state.exit_conditions().iter();
    let exits = exits.map(|exit| (&exit.next_state, exit.description.as_str()));
    exits.chain(state.next_state().map(|next| (next, ""))).collect()
}

fn way_line(from: &str, next: &NextState, condition: &str, is_last: bool) -> Line {
    let to = match next {
        NextState::Internal(name) => name.clone(),
        NextState::External(target, back) => format!("{target} ↩ {back}"),
    };
    let branch = if is_last { "└─▶" } else { "├─▶" };
    Line {
        drawn: format!("{branch} {to}"),
        remark: condition.to_owned(),
        fields: ["transition", from, &to, condition].map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn action(name: &str, exits: &[(Value, &str)]) -> Value {
        let exits: Vec<Value> = exits
            .iter()
            .map(|(next, when)| json!({"next_state": next, "description": when}))
            .collect();
        json!({
            "type": "action", "name": name, "objective": "o", "actions": ["a"],
            "intra_state_navigation_guidelines": [], "action_guidelines": [], "boundary_constraints": [],
            "exit_conditions": exits, "action_tool_call_specs": [], "exit_condition_tool_call_specs": [],
            "skip_active_memory_retrieval": false,
        })
    }

    fn drawn(states: &[Value]) -> Vec<String> {
        let graph = json!({
            "description": "d", "states": states, "new_user_initial_state": "hello",
            "returning_user_initial_state": "again", "terminal_state": "bye", "references": {},
            "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
            "global_boundary_constraints": [],
        });
        let graph = serde_json::from_value(graph).unwrap();
        let line = |line: Line| format!("{} | {}", line.drawn, line.remark);
        picture(&graph).into_iter().map(line).collect()
    }

    #[test]
    fn states_stand_in_the_order_in_which_conversations_come_to_them() {
        let thought =
            json!({"type": "annotation", "name": "think", "inner_thought": "t", "next_state": "bye"});
        let states = [
            action("lost", &[(json!("bye"), "never")]),
            action("bye", &[]),
            thought,
            action(
                "again",
                &[(json!(["other.start", "bye"]), "it is about something else")],
            ),
            action(
                "hello",
                &[(json!("think"), "it is clear"), (json!("bye"), "it is not")],
            ),
        ];
        assert_eq!(
            drawn(&states),
            [
                "▶ hello | action, new users begin here",
                "├─▶ think | it is clear",
                "└─▶ bye | it is not",
                "▶ again | action, returning users begin here",
                "└─▶ other.start ↩ bye | it is about something else",
                "○ think | annotation",
                "└─▶ bye | ",
                "■ bye | action, conversations end here",
                "✗ lost | action, no conversation comes here",
                "└─▶ bye | never",
            ]
        );
    }
}
