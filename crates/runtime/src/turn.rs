//! What goes into a turn of a conversation, and what comes out of it.

use std::collections::HashMap;
use std::sync::Arc;

use forge_domain::agent::AgentDocument;
use forge_domain::behavior::BehaviorDocument;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::conversation::{
    AgentAction, GraphVersion, Insights, Message, MessageType, ModelCall, Position,
};
use forge_domain::metric::MeasuredValue;
use forge_domain::model::ModelPreferences;
use forge_domain::simulation::{PersonaDocument, ScenarioDocument};
use forge_domain::{AgentId, BehaviorSetId, InteractionId, MessageId, Timestamp, VersionNumber};

use crate::RuntimeError;

/// What a conversation runs on, from its beginning to its end.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The agent.
    pub agent: AgentVersion,
    /// The outermost graph.
    pub graph: GraphVersion,
    /// The outermost graph and all that it refers to, directly or not.
    pub graphs: HashMap<GraphVersion, Arc<ContextGraphDocument>>,
    /// Which models are called.
    pub models: ModelPreferences,
}

/// A version of an agent.
#[derive(Debug, Clone)]
pub struct AgentVersion {
    /// The agent.
    pub id: AgentId,
    /// The version's number.
    pub version: VersionNumber,
    /// Its content.
    pub document: Arc<AgentDocument>,
}

/// Who the agent talks with.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The name that messages are signed with.
    pub name: String,
    /// ISO 639-3 code of the language that they prefer.
    pub preferred_language: Option<String>,
    /// Their IANA time zone.
    pub timezone: Option<String>,
    /// Whether this is their first conversation with the service.
    pub is_new: bool,
    /// What is known of them, one fact each; what recall states look through.
    pub facts: Vec<String>,
}

/// A dynamic behavior set that may apply.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// The set.
    pub id: BehaviorSetId,
    /// Its version.
    pub version: VersionNumber,
    /// The version's content.
    pub document: Arc<BehaviorDocument>,
}

/// Something that reaches the agent at the beginning of a turn.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its id as a message.
    pub id: MessageId,
    /// [`MessageType::UserMessage`] or [`MessageType::ExternalEvent`].
    pub message_type: MessageType,
    /// What it says.
    pub message: String,
    /// When it was said, or happened.
    pub created_at: Timestamp,
}

/// Creates ids of messages and tells the time.
pub trait Ids: Send + Sync {
    /// Returns an id that nothing else has.
    fn message_id(&self) -> Result<MessageId, RuntimeError>;
    /// Returns the time.
    fn now(&self) -> Timestamp;
}

/// One turn: what reached the agent, until it has answered.
pub struct Turn<'a> {
    /// What the conversation runs on.
    pub setup: &'a Setup,
    /// Who it is with.
    pub person: &'a Person,
    /// The behavior sets that may apply.
    pub behaviors: &'a [Behavior],
    /// What was said before, oldest first, thoughts included.
    pub transcript: &'a [Message],
    /// Where the conversation stands; `Position::default()` in its first turn.
    pub position: Position,
    /// The interaction that the turn is.
    pub interaction_id: InteractionId,
    /// What reaches the agent now, oldest first; nothing lets it speak by itself.
    pub incoming: Vec<Incoming>,
    /// Where new ids come from.
    pub ids: &'a dyn Ids,
}

/// What a turn tells while it is taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step of the agent.
    Action(AgentAction),
    /// A piece of the agent's message, in order.
    Piece {
        /// The agent's message.
        message_id: MessageId,
        /// The piece's number, from 0.
        number: u32,
        /// Its text; that of the last one may be empty.
        text: String,
        /// Whether it is the last one.
        is_last: bool,
    },
}

/// What a turn came to.
#[derive(Debug, Clone)]
pub struct TurnOutcome {
    /// Where the conversation stands now.
    pub position: Position,
    /// The turn's messages in order: what arrived, the agent's thoughts, and its message last.
    pub messages: Vec<Message>,
    /// How it came about.
    pub insights: Insights,
    /// Whether the terminal state was reached: the conversation is over.
    pub is_finished: bool,
}

impl TurnOutcome {
    /// Returns the agent's message.
    pub fn agent_message(&self) -> Option<&Message> {
        let last = self.messages.last()?;
        (last.message_type == MessageType::AgentMessage).then_some(last)
    }
}

/// What a judge says of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The metric's value, or `None` if the conversation does not show it.
    pub value: Option<MeasuredValue>,
    /// Why, for people.
    pub justification: String,
    /// The messages that it rests on.
    pub references: Vec<MessageId>,
    /// The calls of models that it took.
    pub model_calls: Vec<ModelCall>,
}

/// A persona in a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Simulation<'a> {
    /// Who talks.
    pub persona: &'a PersonaDocument,
    /// The name that the persona goes by.
    pub name: &'a str,
    /// What they do for a living, or are to the service.
    pub role: &'a str,
    /// What they are after.
    pub scenario: &'a ScenarioDocument,
}

/// What a persona does next.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedTurn {
    /// What they say, or `None` if they are done with the conversation.
    pub message: Option<String>,
    /// The calls of models that it took.
    pub model_calls: Vec<ModelCall>,
}
