//! Deleting what was said.

use forge_domain::ConversationId;
use forge_domain::access::Permission;
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::conversation::Conversation;
use serde_json::{Value, json};

use super::busy;
use crate::access::resource::Resource as _;
use crate::{AppError, Ctx, Written, commit};

/// Deletes a conversation for good: what was said, thought and kept, and its tags.
///
/// That it took place, and on what it ran, stays known to what refers to it. The audit log says that it was deleted,
/// and nothing of its content.
pub async fn delete(ctx: Ctx<'_>, id: ConversationId) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::DeleteConversation;
    let mut tx = ctx.write(PERMISSION).await?;
    let conversation: Conversation = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    if conversation.is_busy(ctx.app.clock.now()) {
        return Err(busy());
    }
    if !tx.delete_conversation(id).await? {
        return Err(Conversation::not_found(&id));
    }
    let object = AuditObject::new(ObjectKind::Conversation, id);
    let before = json!({
        "service_id": conversation.service_id,
        "version_set_name": conversation.set,
        "revision": conversation.revision,
    });
    tx.append_audit_event(&ctx.caller.actor(), "delete", object, before, Value::Null)
        .await?;
    commit(tx, ()).await
}
