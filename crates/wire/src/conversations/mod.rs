//! Conversations: what is sent to them, what they answer while they run, and how they are told afterwards.

mod event;
mod request;

use forge_domain::conversation::{Insights, Message, MessageType};
use forge_domain::model::ModelPreferences;
use forge_domain::tag::Tags;
use forge_domain::{
    AgentId, ContextGraphId, ConversationId, InteractionId, MessageId, ServiceId, SetName, VersionNumber,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::rfc3339;

pub use event::{ActionFilter, ConversationEvent, InvalidActionFilter};
pub use request::{CreateConversation, Form, InitialType, RecommendResponses, form_fields};

/// A conversation in a list.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ConversationInstance {
    pub id: ConversationId,
    pub user_id: String,
    pub created_at: String,
    pub is_finished: bool,
    /// Never: Forge does not analyse conversations afterwards.
    pub is_analyzed: bool,
    /// None, likewise.
    pub completed_post_processings: Vec<String>,
    /// Empty for whoever may not read it.
    pub final_message: String,
    pub service_id: ServiceId,
    /// Null for whoever may not know it.
    pub version_set_info: Option<VersionSetInfo>,
    pub num_messages: i64,
    pub tags: Tags,
}

/// What a conversation runs on from its beginning to its end.
#[derive(Debug, Serialize)]
pub struct VersionSetInfo {
    /// The set's name.
    pub name: SetName,
    /// The set's revision when the conversation was started. An extension of the contract.
    pub revision: i64,
    /// The agent's id and version.
    pub agent_version_info: (AgentId, VersionNumber),
    /// The context graph's id and version.
    #[serde(rename = "service_hierarchical_state_machine_version_info")]
    pub context_graph_version_info: (ContextGraphId, VersionNumber),
    /// Preferred models by interaction.
    pub llm_model_preferences: ModelPreferences,
}

/// A message in a list.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MessageInstance {
    pub id: MessageId,
    pub interaction_id: InteractionId,
    pub created_at: String,
    pub sender: String,
    pub message: String,
    /// Always `text`.
    pub format: &'static str,
    pub message_type: MessageType,
}

impl MessageInstance {
    /// Builds the answer about a message.
    pub fn new(message: Message) -> Self {
        Self {
            id: message.id,
            interaction_id: message.interaction_id,
            created_at: rfc3339(message.created_at),
            sender: message.sender,
            message: message.message,
            format: "text",
            message_type: message.message_type,
        }
    }
}

/// Proposals of what the user may say.
#[derive(Debug, Serialize)]
pub struct RecommendedResponses {
    /// Each as the user would say it.
    pub recommended_responses: Vec<String>,
}

/// Builds the answer about what happened in an interaction: the contract's fields, and every call of a model.
pub fn insights(insights: &Insights) -> Result<Map<String, Value>, serde_json::Error> {
    let mut fields = match serde_json::to_value(insights)? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    // For those who decide who may see the rest.
    fields.remove("current_graph");
    Ok(fields)
}
