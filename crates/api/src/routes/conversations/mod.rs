//! Conversations.

use forge_domain::conversation::Conversation;
use forge_domain::{ConversationId, InteractionId};
use forge_wire::conversations::{ActionFilter, InvalidActionFilter, VersionSetInfo};
use serde::Deserialize;

use crate::call::invalid_query;
use crate::error::ApiError;

pub(crate) mod create;
pub(crate) mod delete;
mod emitter;
pub(crate) mod finish;
pub(crate) mod insights;
pub(crate) mod interact;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod recommend;

/// The path of a conversation.
#[derive(Deserialize)]
pub(crate) struct ConversationPath {
    pub(crate) conversation_id: ConversationId,
}

/// The path of an interaction.
#[derive(Deserialize)]
pub(crate) struct InteractionPath {
    pub(crate) conversation_id: ConversationId,
    pub(crate) interaction_id: InteractionId,
}

/// How messages are sent and wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Text,
    Voice,
}

fn action_filter(pattern: &str) -> Result<ActionFilter, ApiError> {
    pattern
        .parse()
        .map_err(|error: InvalidActionFilter| invalid_query("current_agent_action_type", &error.to_string()))
}

/// Returns what a conversation runs on, as it is told.
fn version_set_info(conversation: &Conversation) -> VersionSetInfo {
    VersionSetInfo {
        name: conversation.set.clone(),
        revision: conversation.revision,
        agent_version_info: conversation.agent,
        context_graph_version_info: conversation.context_graph,
        llm_model_preferences: conversation.model_preferences.clone(),
    }
}
