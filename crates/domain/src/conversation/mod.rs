//! Conversations: what is said in them, where they stand in their context graph, and what the agent did.
//!
//! What is said and done has the wire's field names, so that it is stored and sent as it is. What walks a graph is the
//! crate `runtime`.

mod action;
mod insights;
mod interaction;
mod message;
mod position;
mod user_input;

use crate::model::ModelPreferences;
use crate::tag::Tags;
use crate::time::Timestamp;
use crate::user::Preferences;
use crate::{
    AgentId, ContextGraphId, ConversationId, InteractionId, ServiceId, SetName, UnitTestSetRunId,
    VersionNumber, lease,
};

pub use action::{AgentAction, GraphVersion};
pub use insights::{Insights, ModelCall, ToolCallLog, Transition, TransitionCause, WorkingMemory};
pub use interaction::CompletedInteraction;
pub use message::{InvalidMessageType, Message, MessageType, NumberedMessage};
pub use position::{Frame, KeptResult, Position};
pub use user_input::{
    ExternalEvent, InvalidInput, MAX_CONVERSATION_BYTES, MAX_EXTERNAL_EVENTS, MAX_MESSAGE_CHARACTERS,
    MAX_MESSAGES, MAX_SAID_BYTES, SoFar, UserInput,
};

/// A conversation, without where it stands and what was said.
///
/// A deleted one is never returned.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Its place in the organization's list; grows with creation.
    pub seq: i64,
    /// Who started it.
    pub user_id: String,
    /// The service.
    pub service_id: ServiceId,
    /// The service's name, as it is now.
    pub service_name: String,
    /// The set that it was started with.
    pub set: SetName,
    /// The set's revision then.
    pub revision: i64,
    /// The agent and its version.
    pub agent: (AgentId, VersionNumber),
    /// The context graph and its version.
    pub context_graph: (ContextGraphId, VersionNumber),
    /// Which models are called.
    pub model_preferences: ModelPreferences,
    /// Its tags.
    pub tags: Tags,
    /// The run of a simulation that it is part of.
    pub simulation_run_id: Option<UnitTestSetRunId>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it was finished, if it is.
    pub finished_at: Option<Timestamp>,
    /// How many messages it has, the agent's thoughts included.
    pub message_total: i64,
    /// How many bytes they have together.
    pub message_bytes: i64,
    /// How many messages it has without them.
    pub message_count: i64,
    /// How many interactions were completed.
    pub interaction_count: i64,
    /// The latest of them.
    pub last_interaction_id: Option<InteractionId>,
    /// What was said last; empty before anything was.
    pub last_message: String,
    /// When that was.
    pub last_message_at: Option<Timestamp>,
    /// The interaction that runs now, and until when it is believed to be alive.
    pub busy: Option<(InteractionId, Timestamp)>,
    /// What the user chose.
    pub user_preferences: Preferences,
}

impl Conversation {
    /// Returns `true` if an interaction runs.
    pub fn is_busy(&self, now: Timestamp) -> bool {
        self.busy.is_some_and(|(_, until)| lease::holds(until, now))
    }
}

/// A conversation to be started, with the interaction that starts it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a conversation")]
pub struct NewConversation {
    pub id: ConversationId,
    pub user_id: String,
    pub service_id: ServiceId,
    pub set: SetName,
    pub revision: i64,
    pub agent: (AgentId, VersionNumber),
    pub context_graph: (ContextGraphId, VersionNumber),
    pub model_preferences: ModelPreferences,
    pub tags: Tags,
    pub simulation_run_id: Option<UnitTestSetRunId>,
    pub created_at: Timestamp,
    pub interaction_id: InteractionId,
    pub busy_until: Timestamp,
}

/// Which conversations a list has.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// Only those of this user.
    pub user_id: Option<String>,
    /// Only those in this service.
    pub service_id: Option<ServiceId>,
    /// Only finished ones, or only others.
    pub is_finished: Option<bool>,
}

/// How many unfinished conversations a revision of a set started; those of simulations are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningConversations {
    /// The service.
    pub service_id: ServiceId,
    /// The set.
    pub set: SetName,
    /// The revision.
    pub revision: i64,
    /// How many; never 0.
    pub conversations: i64,
}
