//! Proposing what a user may want to say.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, MessageType};
use forge_domain::{ConversationId, InteractionId};

use super::{person, setup, transcript};
use crate::{AppError, Ctx};

/// Proposes what the user may say after the latest interaction of an unfinished conversation, in a context that the
/// caller describes.
///
/// Nothing of it is stored.
pub async fn recommend(
    ctx: Ctx<'_>,
    id: ConversationId,
    interaction_id: InteractionId,
    context: &str,
) -> Result<Vec<String>, AppError> {
    const PERMISSION: Permission = Permission::GetRecommendedResponses;
    let Ctx { app, caller } = ctx;
    caller.require_any_grant(PERMISSION)?;
    let organization = &caller.organization;
    let mut tx = ctx.read(Permission::GetMessage).await?;
    let conversation: Conversation = caller.fetch(&mut tx, PERMISSION, &id).await?;
    // Proposals can be made to repeat what was said, for the context goes into the same prompt.
    caller.authorize_on(Permission::GetMessage, &conversation)?;
    if conversation.finished_at.is_some() {
        return Err(AppError::Refused("the conversation is finished".to_owned()));
    }
    if conversation.last_interaction_id != Some(interaction_id) || conversation.is_busy(app.clock.now()) {
        return Err(AppError::Refused(
            "this is not the latest interaction of the conversation, or another one is running".to_owned(),
        ));
    }
    let (user_id, service_id) = (&conversation.user_id, conversation.service_id);
    let person = person::read(&mut tx, organization, user_id, service_id, conversation.seq).await?;
    let mut transcript = transcript::for_prompts(app, &mut tx, organization, id).await?;
    drop(tx);
    // What is proposed to the user must not tell what the agent kept to itself.
    transcript.retain(|message| message.message_type != MessageType::AgentInnerThought);
    let (agent, graph) = (conversation.agent, conversation.context_graph);
    let setup = setup::load(app, organization, agent, graph, conversation.model_preferences).await?;
    Ok(app
        .runtime
        .recommend(&setup, &person, &transcript, context)
        .await?)
}
