//! Looking behind the agent's messages.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, Insights};
use forge_domain::{ConversationId, InteractionId};

use crate::access::resource::Resource as _;
use crate::{AppError, Ctx, assets};

/// Returns what happened in a completed interaction.
///
/// Whoever may not read the conversation's messages is told how the agent went about it, without anything that repeats
/// what was said.
pub async fn insights(
    ctx: Ctx<'_>,
    id: ConversationId,
    interaction_id: InteractionId,
) -> Result<Insights, AppError> {
    const PERMISSION: Permission = Permission::GetInteractionInsights;
    ctx.caller.require_any_grant(PERMISSION)?;
    let mut tx = ctx.read(Permission::GetContextGraph).await?;
    let conversation: Conversation = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    let found = tx
        .find_interaction(&ctx.caller.organization, id, interaction_id)
        .await?;
    let mut insights = found
        .ok_or_else(|| AppError::NotFound(format!("the conversation has no interaction {interaction_id}")))?
        .insights;
    let (graph, _) = insights.current_graph.unwrap_or(conversation.context_graph);
    assets::authorize_read(&mut tx, ctx.caller, graph.into()).await?;
    if !conversation.allows(ctx.caller, Permission::GetMessage) {
        insights.keep_words_back();
    }
    Ok(insights)
}
