//! What prompts say before anybody has said a word.

use forge_domain::agent::AgentDocument;
use forge_domain::context_graph::{ContextGraphDocument, State};

use super::{Agent, Data, Prompt, Scene};
use crate::Person;

/// Returns how many bytes the longest prompt of a graph's states has at the least.
///
/// Tools and the graphs that it refers to are left out.
pub(crate) fn longest(agent: &AgentDocument, graph: &ContextGraphDocument) -> usize {
    let person = Person::default();
    let scene = Scene {
        agent: Agent {
            document: agent,
            person: &person,
        },
        graph,
        instructions: &[],
        is_overridden: false,
    };
    let longest_of = |state: &State| {
        let prompts: Vec<Prompt> = match state {
            State::Action(state) => {
                let spoken = state
                    .actions
                    .iter()
                    .max_by_key(|action| action.len())
                    .map(|action| scene.engage_user(state, action, Data::default()));
                let selected = (state.actions.len() > 1).then(|| scene.select_action(state, Data::default()));
                let left = (!state.exit_conditions.is_empty())
                    .then(|| scene.evaluate_exit_conditions(state, Data::default()));
                spoken.into_iter().chain(selected).chain(left).collect()
            }
            State::Decision(state) if state.exit_conditions.len() > 1 => {
                vec![scene.decide(state, Data::default())]
            }
            State::Reflection(state) => vec![scene.reflect(state, Data::default())],
            State::Decision(_) | State::Recall(_) | State::Annotation(_) | State::ToolCall(_) => Vec::new(),
        };
        prompts.iter().map(Prompt::len).max()
    };
    graph.states.iter().filter_map(longest_of).max().unwrap_or(0)
}

/// Returns `true` if documents of so many bytes may make a prompt that is longer than so many: a list of short things
/// doubles in length at most, and what Forge says itself has its place.
pub(crate) fn may_be_longer(document_bytes: usize, most: usize) -> bool {
    document_bytes.saturating_mul(2).saturating_add(8 * 1024) > most
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn graph(change: impl Fn(&mut Value)) -> ContextGraphDocument {
        let text = include_str!("../../../../examples/context_graph/v1.json");
        let mut value: Value = serde_json::from_str(text).unwrap();
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_said_before_anybody_speaks_is_never_more_than_the_documents_may_make() {
        let agent_text = include_str!("../../../../examples/agent/v1.json");
        let agent: AgentDocument = serde_json::from_str(agent_text).unwrap();
        let short = graph(|_| {});
        let many = graph(|graph| {
            for state in graph["states"].as_array_mut().unwrap() {
                if state["type"] == "action" {
                    state["actions"] = json!(vec!["a"; 5000]);
                }
            }
        });
        let long = graph(|graph| graph["description"] = json!("x".repeat(100_000)));
        for graph in [&short, &many, &long] {
            let bytes = longest(&agent, graph);
            let documents = agent_text.len() + serde_json::to_string(graph).unwrap().len();
            assert!(
                bytes > 500 && may_be_longer(documents, bytes - 1),
                "{bytes} {documents}"
            );
        }
        assert!(longest(&agent, &long) > 100_000 && longest(&agent, &short) < 20_000);
        assert!(!may_be_longer(10_000, 128 * 1024));
    }
}
