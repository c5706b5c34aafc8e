//! Reading what was said.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, Message, MessageType, NumberedMessage};
use forge_domain::{ConversationId, InteractionId, MessageId, Sort};
use forge_store::MessageSort;

use crate::access::resource::Resource as _;
use crate::page::{PageBuilder, unknown_token};
use crate::{AppError, Ctx, Page};

/// What a caller asks of the messages of a conversation.
#[derive(Debug, Clone)]
pub struct ListMessages {
    /// Only these; none means all.
    pub ids: Vec<MessageId>,
    /// Only those of these types; none means all.
    pub message_types: Vec<MessageType>,
    /// Only those of these interactions; none means all.
    pub interaction_ids: Vec<InteractionId>,
    /// The order.
    pub sort: Vec<Sort<MessageSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended: the number of its last message.
    pub continuation_token: i64,
}

/// Returns a page of the messages of a conversation that the caller may see.
///
/// The agent's thoughts are for those who may also look behind its messages.
pub async fn messages(
    ctx: Ctx<'_>,
    id: ConversationId,
    query: &ListMessages,
) -> Result<Page<NumberedMessage>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(Permission::GetMessage) {
        return Ok(Page::empty());
    }
    let mut tx = app.store.read().await?;
    let conversation: Conversation = caller.find_unchecked(&mut tx, &id).await?;
    let mut page = PageBuilder::of_large_rows(tx.room(), query.limit, query.continuation_token);
    if !conversation.allows(caller, Permission::GetMessage) {
        return Ok(page.finish());
    }
    let sees_thoughts = conversation.allows(caller, Permission::GetInteractionInsights);
    let is_visible = |row: &NumberedMessage| {
        let is_thought = row.message.message_type == MessageType::AgentInnerThought;
        is_wanted(query, &row.message) && (sees_thoughts || !is_thought)
    };
    while let Some(read) = page.next_read() {
        let rows = tx
            .list_messages(&caller.organization, id, &query.sort, read)
            .await?;
        page.add(
            rows.ok_or_else(unknown_token)?,
            read.limit,
            |row| row.number,
            is_visible,
        );
    }
    Ok(page.finish())
}

fn is_wanted(query: &ListMessages, message: &Message) -> bool {
    (query.ids.is_empty() || query.ids.contains(&message.id))
        && (query.message_types.is_empty() || query.message_types.contains(&message.message_type))
        && (query.interaction_ids.is_empty() || query.interaction_ids.contains(&message.interaction_id))
}
