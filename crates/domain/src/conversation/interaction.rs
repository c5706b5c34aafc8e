//! What a completed interaction leaves.

use super::insights::Insights;
use crate::InteractionId;
use crate::time::Timestamp;

/// A completed interaction.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedInteraction {
    /// Its id.
    pub id: InteractionId,
    /// 1, 2, 3 … within the conversation.
    pub number: i64,
    /// How the agent came to its message.
    pub insights: Insights,
    /// When it was completed.
    pub created_at: Timestamp,
}
