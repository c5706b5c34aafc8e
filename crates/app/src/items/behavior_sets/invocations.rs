//! Invocations: where behavior sets applied.

use forge_domain::access::Permission;
use forge_domain::behavior::{BehaviorInvocation, BehaviorSetDetails, NewBehaviorInvocation};
use forge_domain::conversation::{Message, MessageType};
use forge_domain::{
    BehaviorInvocationId, BehaviorSetId, ConversationId, MessageId, Sort, Timestamp, VersionNumber,
};
pub use forge_store::InvocationSort;

use crate::conversations::Readable;
use crate::items::authorize_read;
use crate::page::{PageBuilder, unknown_token};
use crate::{AppError, Ctx, Page};

/// Creates the record of a behavior set that applied in an interaction with these messages, which ended with the
/// agent's answer.
///
/// An interaction that the agent began led to it by the answer alone.
pub(crate) fn invocation(
    id: BehaviorInvocationId,
    set: (BehaviorSetId, VersionNumber),
    conversation_id: ConversationId,
    invoked_at: Timestamp,
    messages: &[Message],
    answer: &Message,
) -> NewBehaviorInvocation {
    let is_arrival = |message: &&Message| {
        matches!(
            message.message_type,
            MessageType::UserMessage | MessageType::ExternalEvent
        )
    };
    let initial = messages.iter().rfind(is_arrival).unwrap_or(answer).id;
    let of_type = |wanted: MessageType| -> Vec<MessageId> {
        let messages = messages.iter().filter(|message| message.message_type == wanted);
        messages.map(|message| message.id).collect()
    };
    let mut external_event_ids = of_type(MessageType::ExternalEvent);
    external_event_ids.retain(|id| *id != initial);
    NewBehaviorInvocation {
        id,
        set,
        conversation_id,
        initial_message_id: initial,
        agent_message_id: answer.id,
        inner_thought_ids: of_type(MessageType::AgentInnerThought),
        external_event_ids,
        invoked_at,
    }
}

/// What a caller asks of a list of invocations.
#[derive(Debug, Clone)]
pub struct ListInvocations {
    /// The order.
    pub sort: Vec<Sort<InvocationSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// Returns a page of the invocations of a behavior set in conversations whose messages the caller may read.
pub async fn invocations(
    ctx: Ctx<'_>,
    id: BehaviorSetId,
    query: &ListInvocations,
) -> Result<Page<BehaviorInvocation>, AppError> {
    let mut tx = ctx.app.store.read().await?;
    authorize_read::<BehaviorSetDetails>(&mut tx, ctx.caller, id).await?;
    let mut page = PageBuilder::new(tx.room(), query.limit, query.continuation_token);
    if ctx.caller.require_any_grant(Permission::GetMessage).is_err() {
        return Ok(page.finish());
    }
    let organization = &ctx.caller.organization;
    let mut readable = Readable::default();
    while let Some(place) = page.next_read() {
        let rows = tx
            .list_behavior_invocations(organization, id, &query.sort, place)
            .await?
            .ok_or_else(unknown_token)?;
        for row in rows.iter() {
            readable.look(&mut tx, ctx.caller, row.conversation_id).await?;
        }
        let is_readable = |row: &BehaviorInvocation| readable.is_readable(row.conversation_id);
        page.add(rows, place.limit, |row| row.seq, is_readable);
    }
    Ok(page.finish())
}
