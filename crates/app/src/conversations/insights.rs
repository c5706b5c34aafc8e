//! Looking behind the agent's messages.

use forge_domain::access::Permission;
use forge_domain::asset::AssetKind;
use forge_domain::conversation::Insights;
use forge_domain::{ConversationId, InteractionId};

use super::{authorize, find, may_see};
use crate::{App, AppError, Caller, assets};

/// Returns what happened in a completed interaction.
///
/// Whoever may not read the conversation's messages is told how the agent went about it, without anything that repeats
/// what was said.
pub async fn insights(
    app: &App,
    caller: &Caller,
    id: ConversationId,
    interaction_id: InteractionId,
) -> Result<Insights, AppError> {
    caller.require_any_grant(Permission::GetInteractionInsights)?;
    caller.require_any_grant(Permission::GetContextGraph)?;
    let mut tx = app.store.read().await?;
    let conversation = find(&mut tx, caller, id).await?;
    authorize(caller, Permission::GetInteractionInsights, &conversation)?;
    let found = tx
        .find_interaction(&caller.organization, id, interaction_id)
        .await?;
    let mut insights = found
        .ok_or_else(|| AppError::NotFound(format!("the conversation has no interaction {interaction_id}")))?
        .insights;
    let (graph, _) = insights.current_graph.unwrap_or(conversation.context_graph);
    assets::authorize_read(&mut tx, caller, AssetKind::ContextGraph, &graph.to_string()).await?;
    if !may_see(caller, Permission::GetMessage, &conversation) {
        insights.keep_words_back();
    }
    Ok(insights)
}
