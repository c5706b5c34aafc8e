//! In which conversations behavior sets applied.

use crate::time::Timestamp;
use crate::{BehaviorInvocationId, BehaviorSetId, ConversationId, MessageId, ServiceId, VersionNumber};

/// An invocation to be recorded.
#[derive(Debug, Clone)]
pub struct NewBehaviorInvocation {
    /// Its id.
    pub id: BehaviorInvocationId,
    /// The set and the version that applied.
    pub set: (BehaviorSetId, VersionNumber),
    /// The conversation.
    pub conversation_id: ConversationId,
    /// What the interaction began with.
    pub initial_message_id: MessageId,
    /// What the agent answered.
    pub agent_message_id: MessageId,
    /// What the agent thought before it answered.
    pub inner_thought_ids: Vec<MessageId>,
    /// What happened beside what the interaction began with.
    pub external_event_ids: Vec<MessageId>,
    /// When it was.
    pub invoked_at: Timestamp,
}

/// A recorded invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `NewBehaviorInvocation`")]
pub struct BehaviorInvocation {
    pub id: BehaviorInvocationId,
    /// Its place in the organization's list.
    pub seq: i64,
    pub version: VersionNumber,
    pub conversation_id: ConversationId,
    /// The service that the conversation is in.
    pub service_id: ServiceId,
    /// Whose conversation it is.
    pub user_id: String,
    pub initial_message_id: MessageId,
    pub agent_message_id: MessageId,
    pub inner_thought_ids: Vec<MessageId>,
    pub external_event_ids: Vec<MessageId>,
    pub invoked_at: Timestamp,
}
