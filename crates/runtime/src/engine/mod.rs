//! Walks a conversation through its context graph, from what the user said to what the agent says.
//!
//! A turn begins in the state that the last one ended in. Whoever is in an action state looks first whether one of its
//! exit conditions holds; states of other kinds are passed through; where no exit condition holds, the agent acts, and
//! the turn is over. An action state that a turn comes to for the second time is not left again: the agent acts there,
//! so that two states whose conditions both hold do not keep it from answering.

mod act;
mod behavior;
mod graphs;
mod memory;
mod pass;
mod tools;

use std::collections::HashSet;

use forge_domain::MessageId;
use forge_domain::context_graph::{ContextGraphDocument, ExitCondition, State};
use forge_domain::conversation::{
    AgentAction, GraphVersion, Insights, KeptResult, Message, MessageType, Position, ToolCallLog, Transition,
    TransitionCause,
};
use tokio::sync::mpsc::Sender;

use crate::models::{Hints, ModelClient, Models, Request};
use crate::prompt::{Agent, Data, Prompt};
use crate::tools::Tools;
use crate::turn::{Behavior, Incoming};
use crate::{Event, Ids, Limits, Person, RuntimeError, Setup, Turn, TurnOutcome};

/// One turn, while it is taken.
pub(crate) struct Walk<'a> {
    setup: &'a Setup,
    person: &'a Person,
    behaviors: &'a [Behavior],
    transcript: &'a [Message],
    ids: &'a dyn Ids,
    limits: &'a Limits,
    tools: &'a Tools,
    client: ModelClient<'a>,
    events: &'a Sender<Event>,
    incoming: Vec<Incoming>,
    interaction_id: forge_domain::InteractionId,
    position: Position,
    messages: Vec<Message>,
    insights: Insights,
    behavior: Option<&'a Behavior>,
    /// What reached the agent last.
    said: String,
    /// Which turn of the agent it is, from 1.
    number: u32,
    states: u32,
    tool_calls: u32,
    /// The action states that the turn came to.
    visited: HashSet<(GraphVersion, &'a str)>,
}

/// Something for the model to choose.
struct Choice<'c> {
    llm_interaction: &'static str,
    options: &'c [&'c str],
    /// Whether none of them may fit.
    admits_none: bool,
}

/// The state that the walk is in.
#[derive(Clone, Copy)]
struct Place<'a> {
    version: GraphVersion,
    graph: &'a ContextGraphDocument,
    state: &'a State,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        models: &'a Models,
        tools: &'a Tools,
        limits: &'a Limits,
        turn: Turn<'a>,
        events: &'a Sender<Event>,
    ) -> Self {
        let is_agent = |message: &&Message| message.message_type == MessageType::AgentMessage;
        let spoken = turn.transcript.iter().filter(is_agent).count();
        Self {
            client: ModelClient::new(models, &turn.setup.models, limits),
            setup: turn.setup,
            person: turn.person,
            behaviors: turn.behaviors,
            transcript: turn.transcript,
            ids: turn.ids,
            limits,
            tools,
            events,
            incoming: turn.incoming,
            interaction_id: turn.interaction_id,
            position: turn.position,
            messages: Vec::new(),
            insights: Insights::default(),
            behavior: None,
            said: String::new(),
            number: u32::try_from(spoken).unwrap_or(u32::MAX).saturating_add(1),
            states: 0,
            tool_calls: 0,
            visited: HashSet::new(),
        }
    }

    /// Takes the turn.
    pub(crate) async fn run(mut self) -> Result<TurnOutcome, RuntimeError> {
        self.receive();
        self.select_behavior().await?;
        self.enter_first_state()?;
        let is_finished = loop {
            self.states += 1;
            if self.states > self.limits.states {
                return Err(RuntimeError::Limit(format!(
                    "it walked through {} states",
                    self.limits.states
                )));
            }
            let place = self.place()?;
            match place.state {
                State::Action(state) if state.name == place.graph.terminal_state => {
                    if !self.jump_back(place).await? {
                        self.act(place, state, &[]).await?;
                        break true;
                    }
                }
                State::Action(state) => {
                    if let Some(results) = self.leave_action_state(place, state).await? {
                        self.act(place, state, &results).await?;
                        break false;
                    }
                }
                State::Decision(state) => self.decide(place, state).await?,
                State::Recall(state) => self.recall(place, state).await?,
                State::Annotation(state) => self.annotate(place, state).await?,
                State::Reflection(state) => self.reflect(place, state).await?,
                State::ToolCall(state) => self.call_designated_tool(place, state).await?,
            }
        };
        self.insights.model_calls = self.client.into_calls();
        self.insights
            .working_memory
            .clone_from(&self.position.working_memory);
        Ok(TurnOutcome {
            position: self.position,
            messages: self.messages,
            insights: self.insights,
            is_finished,
        })
    }

    /// Writes down what reached the agent.
    fn receive(&mut self) {
        for message in std::mem::take(&mut self.incoming) {
            let sender = match message.message_type {
                MessageType::ExternalEvent => "Event",
                _ if self.person.name.is_empty() => "User",
                _ => &self.person.name,
            };
            self.messages.push(Message {
                id: message.id,
                interaction_id: self.interaction_id,
                created_at: message.created_at,
                sender: sender.to_owned(),
                message: message.message,
                message_type: message.message_type,
            });
        }
        let from_outside = |message: &&Message| {
            matches!(
                message.message_type,
                MessageType::UserMessage | MessageType::ExternalEvent
            )
        };
        let last = self.messages.iter().rev().find(from_outside);
        let last = last.or_else(|| self.transcript.iter().rev().find(from_outside));
        self.said = last.map(|message| message.message.clone()).unwrap_or_default();
    }

    /// Adds a message of the agent's own.
    fn note(&mut self, id: MessageId, message_type: MessageType, message: String) {
        self.messages.push(Message {
            id,
            interaction_id: self.interaction_id,
            created_at: self.ids.now(),
            sender: self.setup.agent.document.identity.name.clone(),
            message,
            message_type,
        });
    }

    async fn tell(&self, action: AgentAction) {
        // Nobody has to listen: the turn counts all the same.
        let _ = self.events.send(Event::Action(action)).await;
    }

    fn agent(&self) -> Agent<'a> {
        Agent {
            document: &self.setup.agent.document,
            person: self.person,
        }
    }

    /// Lets the model choose in a state.
    ///
    /// Returns the position of what it chose, or `None` if none fits.
    async fn choose(
        &mut self,
        place: Place<'a>,
        prompt: Prompt,
        choice: Choice<'_>,
    ) -> Result<Option<usize>, RuntimeError> {
        let request = Request {
            llm_interaction: choice.llm_interaction,
            prompt,
            hints: Hints {
                options: choice.options,
                ..hints(&self.said, self.number, place)
            },
        };
        let read = |text: &str| crate::answer::choice(text, choice.options, choice.admits_none);
        self.client.ask(request, read).await
    }

    /// Returns `true` if anything was said or happened so far.
    fn has_begun(&self) -> bool {
        !self.transcript.is_empty() || !self.messages.is_empty()
    }

    /// Returns what the agent knows: about the user, from tools, and from the conversation.
    fn knowledge(&self, results: &[ToolCallLog]) -> Data {
        let mut data = Data::default();
        if !self.person.name.is_empty() {
            data.add([("user's name", self.person.name.as_str())]);
        }
        if let Some(timezone) = &self.person.timezone {
            data.add([("user's time zone", timezone.as_str())]);
        }
        for memory in &self.position.working_memory {
            data.add([
                ("about", memory.context.as_str()),
                ("remembered", memory.content.as_str()),
            ]);
        }
        for kept in &self.position.kept_results {
            let (tool, input, output) = (kept.tool_name.as_str(), kept.input.as_str(), kept.output.as_str());
            data.add([("tool", tool), ("called with", input), ("answered", output)]);
        }
        for log in results {
            let input = serde_json::to_string(&log.input).unwrap_or_default();
            let output = log.output.as_deref().unwrap_or_default();
            let is_told = |kept: &KeptResult| {
                kept.tool_name == log.tool_name && kept.input == input && kept.output == output
            };
            if self.position.kept_results.iter().any(is_told) {
                continue;
            }
            data.add([
                ("tool", log.tool_name.as_str()),
                ("called with", &input),
                ("answered", output),
            ]);
        }
        // What is left, but for a quarter that instructions may take.
        let room = self.limits.prompt_bytes / 4 * 3;
        let room = room.saturating_sub(data.len()).min(self.limits.prompt_bytes / 2);
        data.add_messages(self.transcript.iter().chain(&self.messages), room);
        data
    }

    /// Notes the way from one state to the next, and tells of it.
    async fn moved(&mut self, from: Place<'a>, cause: TransitionCause) -> Result<(), RuntimeError> {
        let next = self.place()?;
        self.insights.state_transition_logs.push(Transition {
            previous_state: from.state.name().to_owned(),
            previous_service_hierarchical_state_machine_version_info: from.version,
            next_state: next.state.name().to_owned(),
            next_service_hierarchical_state_machine_version_info: next.version,
            cause,
        });
        self.tell(AgentAction::NavigateStateMachineStateTransitioned {
            prev_state: from.state.name().to_owned(),
            prev_state_state_machine_version_info: from.version,
            next_state: next.state.name().to_owned(),
            next_state_state_machine_version_info: next.version,
        })
        .await;
        Ok(())
    }
}

/// Drops the oldest of some things until the rest has room in so many bytes; the latest stays in any case.
fn keep_latest<T>(things: &mut Vec<T>, room: usize, size: impl Fn(&T) -> usize) {
    let mut used = 0;
    let has_room = |thing: &&T| {
        used += size(thing);
        used <= room
    };
    let kept = things.iter().rev().take_while(has_room).count().max(1);
    things.drain(..things.len().saturating_sub(kept));
}

fn descriptions(exits: &[ExitCondition]) -> Vec<&str> {
    exits.iter().map(|exit| exit.description.as_str()).collect()
}

/// Returns what a script decides by.
///
/// No method, so that it borrows no more of a walk than it needs.
fn hints<'h>(said: &'h str, number: u32, place: Place<'h>) -> Hints<'h> {
    Hints {
        said,
        state: place.state.name(),
        turn: number,
        ..Hints::default()
    }
}
