//! What is said, thought and done in a conversation.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::{InteractionId, MessageId};

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The interaction that it belongs to.
    pub interaction_id: InteractionId,
    /// When it was said, thought or happened.
    pub created_at: Timestamp,
    /// A name for people.
    pub sender: String,
    /// What it says.
    pub message: String,
    /// Who it comes from.
    pub message_type: MessageType,
}

/// Who a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageType {
    /// The user.
    UserMessage,
    /// The agent, to the user.
    AgentMessage,
    /// The agent, to itself: the user never sees it.
    AgentInnerThought,
    /// Something that happened outside.
    ExternalEvent,
}

impl MessageType {
    /// Returns the wire's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserMessage => "user-message",
            Self::AgentMessage => "agent-message",
            Self::AgentInnerThought => "agent-inner-thought",
            Self::ExternalEvent => "external-event",
        }
    }
}

/// The text is no type of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such type of message")]
pub struct InvalidMessageType;

impl std::str::FromStr for MessageType {
    type Err = InvalidMessageType;

    fn from_str(text: &str) -> Result<Self, InvalidMessageType> {
        let all = [
            Self::UserMessage,
            Self::AgentMessage,
            Self::AgentInnerThought,
            Self::ExternalEvent,
        ];
        all.into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(InvalidMessageType)
    }
}

/// A message and its place in the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedMessage {
    /// 1, 2, 3 … in the order in which things were said, the agent's thoughts included.
    pub number: i64,
    /// The message.
    pub message: Message,
}
