//! A conversation for tests: it remembers what a server would store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use forge_domain::conversation::{AgentAction, GraphVersion, Insights, Message, MessageType, Position};
use forge_domain::model::ModelPreferences;
use forge_domain::{ContextGraphId, InteractionId, MessageId, Timestamp, VersionNumber};
use forge_runtime::{
    AgentVersion, Behavior, Event, Ids, Incoming, Limits, Models, Person, Runtime, RuntimeError, Script,
    Setup, Tools, Turn, TurnOutcome,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Counts ids and milliseconds.
#[derive(Default)]
pub(crate) struct Counter(AtomicI64);

impl Counter {
    fn next(&self) -> (Timestamp, [u8; 8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        (Timestamp::from_millis(n), n.to_be_bytes())
    }
}

impl Ids for Counter {
    fn message_id(&self) -> Result<MessageId, RuntimeError> {
        let (now, random) = self.next();
        Ok(MessageId::new(now, random))
    }

    fn now(&self) -> Timestamp {
        self.next().0
    }
}

pub(crate) struct Talk {
    pub(crate) runtime: Runtime,
    pub(crate) setup: Setup,
    pub(crate) person: Person,
    pub(crate) behaviors: Vec<Behavior>,
    pub(crate) transcript: Vec<Message>,
    pub(crate) position: Position,
    pub(crate) ids: Counter,
}

/// What a turn told, and what it came to.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) actions: Vec<AgentAction>,
    pub(crate) pieces: Vec<String>,
    pub(crate) insights: Insights,
    pub(crate) is_finished: bool,
    pub(crate) message: String,
}

pub(crate) fn script(rules: Value) -> Models {
    Models::scripted(Script::from_json(&json!({"rules": rules}).to_string()).unwrap())
}

pub(crate) fn graph_id(n: u8) -> ContextGraphId {
    ContextGraphId::new(Timestamp::from_millis(0), [n; 8])
}

pub(crate) fn version(n: u8) -> GraphVersion {
    (graph_id(n), VersionNumber::try_from(1).unwrap())
}

/// Returns an action state.
pub(crate) fn action(name: &str, actions: &[&str], exits: Value) -> Value {
    json!({"type": "action", "name": name, "objective": format!("objective of {name}"), "actions": actions,
        "intra_state_navigation_guidelines": [], "action_guidelines": ["be kind"],
        "boundary_constraints": ["give no medical advice"], "exit_conditions": exits, "action_tool_call_specs": [],
        "exit_condition_tool_call_specs": [], "skip_active_memory_retrieval": true})
}

pub(crate) fn exit(description: &str, next_state: Value) -> Value {
    json!({"description": description, "next_state": next_state})
}

/// Returns a graph whose first state is the initial one and whose last state is the terminal one.
pub(crate) fn graph(states: &[Value], references: Value) -> Value {
    let (first, last) = (&states[0]["name"], &states[states.len() - 1]["name"]);
    json!({"description": "a graph for tests", "states": states, "new_user_initial_state": first,
        "returning_user_initial_state": first, "terminal_state": last, "references": references,
        "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
        "global_boundary_constraints": []})
}

impl Talk {
    /// Begins a conversation in the first of some graphs, which are numbered from 0.
    pub(crate) fn new(models: Models, graphs: &[Value]) -> Self {
        let agent = include_str!("../../../../examples/agent/v1.json");
        let graphs: HashMap<_, _> = (0..)
            .zip(graphs)
            .map(|(n, graph)| {
                (
                    version(n),
                    Arc::new(serde_json::from_value(graph.clone()).unwrap()),
                )
            })
            .collect();
        Self {
            runtime: Runtime::new(models, Tools::default(), Limits::default()),
            setup: Setup {
                agent: AgentVersion {
                    id: forge_domain::AgentId::new(Timestamp::from_millis(0), [0; 8]),
                    version: VersionNumber::try_from(1).unwrap(),
                    document: Arc::new(serde_json::from_str(agent).unwrap()),
                },
                graph: version(0),
                graphs,
                models: ModelPreferences::new(),
            },
            person: Person {
                name: "Robin".to_owned(),
                is_new: true,
                ..Person::default()
            },
            behaviors: Vec::new(),
            transcript: Vec::new(),
            position: Position::default(),
            ids: Counter::default(),
        }
    }

    pub(crate) fn with_tools(mut self, models: Models, tools: Tools) -> Self {
        self.runtime = Runtime::new(models, tools, Limits::default());
        self
    }

    pub(crate) fn with_limits(mut self, models: Models, limits: Limits) -> Self {
        self.runtime = Runtime::new(models, Tools::default(), limits);
        self
    }

    /// Takes a turn of the user, if something is said, and remembers it if it succeeds.
    pub(crate) async fn say(&mut self, text: &str) -> Result<Told, RuntimeError> {
        let (sender, mut receiver) = mpsc::channel(10_000);
        let outcome = self.interact(text, &sender).await?;
        drop(sender);
        let (mut actions, mut pieces) = (Vec::new(), Vec::new());
        while let Some(event) = receiver.recv().await {
            match event {
                Event::Action(AgentAction::EngageUserMessageFragmentGenerated { .. }) => {}
                Event::Action(action) => actions.push(action),
                Event::Piece {
                    number,
                    text,
                    is_last,
                    ..
                } => {
                    assert_eq!(number as usize, pieces.len());
                    assert!(!is_last || text.is_empty());
                    pieces.push(text);
                }
            }
        }
        let message = outcome.agent_message().unwrap().message.clone();
        assert_eq!(pieces.concat(), message, "the pieces together are the message");
        self.position = outcome.position;
        self.transcript.extend(outcome.messages);
        Ok(Told {
            actions,
            pieces,
            insights: outcome.insights,
            is_finished: outcome.is_finished,
            message,
        })
    }

    pub(crate) async fn interact(
        &self,
        text: &str,
        events: &mpsc::Sender<Event>,
    ) -> Result<TurnOutcome, RuntimeError> {
        let (now, random) = self.ids.next();
        let message = Incoming {
            id: MessageId::new(now, random),
            message_type: MessageType::UserMessage,
            message: text.to_owned(),
            created_at: now,
        };
        let turn = Turn {
            setup: &self.setup,
            person: &self.person,
            behaviors: &self.behaviors,
            transcript: &self.transcript,
            position: self.position.clone(),
            interaction_id: InteractionId::new(now, random),
            incoming: if text.is_empty() {
                Vec::new()
            } else {
                vec![message]
            },
            ids: &self.ids,
        };
        self.runtime.interact(turn, events).await
    }

    /// Returns the current state of the innermost graph.
    pub(crate) fn state(&self) -> &str {
        &self.position.frames.last().unwrap().state
    }
}
