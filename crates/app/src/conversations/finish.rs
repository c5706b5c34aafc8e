//! Finishing a conversation.

use forge_domain::access::Permission;
use forge_domain::conversation::Conversation;
use forge_domain::{ConversationId, OrganizationId};

use super::{authorize_user, busy, finished};
use crate::{App, AppError, Ctx};

/// Finishes a conversation.
///
/// One whose first interaction was never completed is removed, and that is told.
pub async fn finish(ctx: Ctx<'_>, id: ConversationId) -> Result<(), AppError> {
    const PERMISSION: Permission = Permission::FinishConversation;
    ctx.caller.require_any_grant(Permission::UpdateUserInfo)?;
    let now = ctx.app.clock.now();
    let mut tx = ctx.write_run(PERMISSION).await?;
    let conversation: Conversation = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    authorize_user(&mut tx, ctx.caller, &conversation).await?;
    if tx.finish_conversation(id, now).await? {
        tx.commit().await?;
        return Ok(());
    }
    // As it is now: it may have changed since it was looked at.
    let conversation: Conversation = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    if conversation.finished_at.is_some() {
        return Err(finished());
    }
    if conversation.is_busy(now) {
        return Err(busy());
    }
    let (user_id, service_id) = (&conversation.user_id, conversation.service_id);
    tx.remove_abandoned_conversation(user_id, service_id, now).await?;
    tx.commit().await?;
    Err(AppError::Refused(
        "the conversation has no interactions: its first one was never completed; it was removed".to_owned(),
    ))
}

/// Finishes the conversation of a simulated user, if it is unfinished, without asking whether anybody may.
pub(crate) async fn finish_simulated(
    app: &App,
    organization: &OrganizationId,
    id: ConversationId,
) -> Result<(), AppError> {
    let mut tx = app.store.write_run(organization).await?;
    if tx.finish_conversation(id, app.clock.now()).await? {
        tx.commit().await?;
    }
    Ok(())
}
