//! Listing conversations.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, ConversationFilter};
use forge_domain::tag::TagFilter;
use forge_domain::{ConversationId, ServiceId, Sort};
use forge_store::{ConversationSort, SortValue};

use crate::access::resource::Resource as _;
use crate::page::unknown_token;
use crate::sorting::Sorted;
use crate::version_sets::attributes_of_set;
use crate::{AppError, Caller, Ctx, Page};

/// What a caller asks of a list of conversations.
#[derive(Debug, Clone)]
pub struct ListConversations {
    /// Only these; none means all.
    pub ids: Vec<ConversationId>,
    /// Only conversations of these users; none means all.
    pub user_ids: Vec<String>,
    /// Only conversations in these services; none means all.
    pub service_ids: Vec<ServiceId>,
    /// Only finished ones, or only others.
    pub is_finished: Option<bool>,
    /// Only conversations with all of these tags.
    pub tags: Vec<TagFilter>,
    /// The order.
    pub sort: Vec<Sort<ConversationSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A conversation in a list, as far as the caller may see it.
#[derive(Debug, Clone)]
pub struct ListedConversation {
    /// The conversation.
    pub conversation: Conversation,
    /// Whether the caller may see what it runs on.
    pub shows_set: bool,
    /// Whether the caller may see what was said.
    pub shows_message: bool,
}

/// Returns a page of the conversations that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListConversations) -> Result<Page<ListedConversation>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(Permission::GetConversation) {
        return Ok(Page::empty());
    }
    let is_visible = |conversation: &Conversation| {
        is_wanted(query, conversation) && conversation.allows(caller, Permission::GetConversation)
    };
    let mut tx = app.store.read().await?;
    let list = Sorted::fixed("conversation", &query.sort, sort_value, |row: &Conversation| {
        row.seq
    });
    let mut page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    if query.ids.is_empty() {
        let filter = narrowed(caller, query);
        while let Some(read) = page.next_read() {
            let count = read.limit;
            let rows = tx
                .list_conversations(&caller.organization, &filter, list.keys(), read)
                .await?;
            let rows = rows.ok_or_else(unknown_token)?;
            page.add(rows, count, |row| list.place(row), is_visible);
        }
    } else {
        let mut selection = list.select(page);
        let starts = if query.continuation_token == 0 {
            &[]
        } else {
            query.ids.as_slice()
        };
        for id in starts {
            let row = tx.conversation_row(&caller.organization, *id).await?;
            selection.find_start(row.iter());
        }
        for id in &query.ids {
            let row = tx.conversation_row(&caller.organization, *id).await?;
            selection.offer(row, is_visible);
        }
        page = selection.finish()?;
    }
    let page = list.finish(ctx, tx, page).await?;
    Ok(Page {
        items: page.items.into_iter().map(|row| listed(caller, row)).collect(),
        continuation_token: page.continuation_token,
    })
}

fn is_wanted(query: &ListConversations, conversation: &Conversation) -> bool {
    fn admits<T: PartialEq>(wanted: &[T], value: &T) -> bool {
        wanted.is_empty() || wanted.contains(value)
    }
    let is_finished = conversation.finished_at.is_some();
    admits(&query.user_ids, &conversation.user_id)
        && admits(&query.service_ids, &conversation.service_id)
        && query.is_finished.is_none_or(|wanted| wanted == is_finished)
        && query.tags.iter().all(|filter| filter.matches(&conversation.tags))
}

/// Returns what the database can leave out already.
///
/// Somebody who may see their own conversations only need not wait until everybody else's were looked through.
fn narrowed(caller: &Caller, query: &ListConversations) -> ConversationFilter {
    let only_own = caller.may_only_own(Permission::GetConversation);
    let user_id = match query.user_ids.as_slice() {
        _ if only_own => Some(caller.user.user_id.clone()),
        [user_id] => Some(user_id.clone()),
        _ => None,
    };
    let service_id = match query.service_ids.as_slice() {
        [service_id] => Some(*service_id),
        _ => None,
    };
    ConversationFilter {
        user_id,
        service_id,
        is_finished: query.is_finished,
    }
}

fn listed(caller: &Caller, conversation: Conversation) -> ListedConversation {
    let set = attributes_of_set(
        conversation.service_id,
        &conversation.service_name,
        &conversation.set,
    );
    ListedConversation {
        shows_set: caller.may(Permission::GetVersionSet, &set),
        shows_message: conversation.allows(caller, Permission::GetMessage),
        conversation,
    }
}

fn sort_value(ConversationSort::CreatedAt: ConversationSort, row: &Conversation) -> SortValue {
    SortValue::Integer(row.created_at.as_millis())
}
