//! Lists of items, and looking for them.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use forge_domain::item::{Item, ItemKind, SearchTerms};
use forge_domain::metric::MetricValueKind;
use forge_domain::service::TagFilter;
use forge_domain::{OrganizationId, ServiceId, Sort, UserRef};
use forge_store::{ItemSort, PageRequest, SortValue, Tx};

use super::{attributes, permissions};
use crate::page::{Scan, unknown_token};
use crate::searching::add_distinct;
use crate::sorting::Sorted;
use crate::{AppError, Caller, Ctx, Page};

/// How many items a search finds at most, if they fit on a page.
const MOST_FOUND: usize = 50;

/// How many items a search reads at once: what they are found by may be long.
const SEARCH_CHUNK: i64 = 100;

/// Whose items are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorFilter {
    /// The organization that the user belongs to; any, if it is not said.
    pub organization: Option<OrganizationId>,
    /// The user's id.
    pub user_id: String,
}

impl CreatorFilter {
    fn admits(&self, creator: &UserRef) -> bool {
        self.user_id == creator.user_id
            && self
                .organization
                .as_ref()
                .is_none_or(|organization| *organization == creator.org_id)
    }
}

/// What items have to be like.
///
/// An empty filter lets everything through; of several values in one, one is enough, but every tag must fit.
#[derive(Debug, Clone, Default)]
pub struct SearchItems {
    /// Only active ones, or only others.
    pub is_active: Option<bool>,
    /// Applied to one of these services.
    pub applied_to_services: Vec<ServiceId>,
    /// Metrics of one of these kinds of values.
    pub value_kinds: Vec<MetricValueKind>,
    /// Personas with one of these roles.
    pub roles: Vec<String>,
    /// Created by one of these users.
    pub creators: Vec<CreatorFilter>,
    /// With tags that pass every one of these.
    pub tags: Vec<TagFilter>,
}

impl SearchItems {
    fn admits(&self, item: &Item) -> bool {
        let details = &item.details;
        self.is_active.is_none_or(|wanted| wanted == item.is_active)
            && (self.applied_to_services.is_empty()
                || details
                    .applied_to_services()
                    .iter()
                    .any(|service| self.applied_to_services.contains(service)))
            && (self.value_kinds.is_empty()
                || details
                    .value_kind()
                    .is_some_and(|kind| self.value_kinds.contains(&kind)))
            && (self.roles.is_empty()
                || details
                    .role()
                    .is_some_and(|role| self.roles.iter().any(|wanted| wanted == role)))
            && (self.creators.is_empty() || self.creators.iter().any(|wanted| wanted.admits(&item.creator)))
            && self.tags.iter().all(|filter| filter.matches(&item.tags))
    }
}

/// What a caller asks of a list of items.
#[derive(Debug, Clone)]
pub struct ListItems {
    /// Only these; none means all.
    pub ids: Vec<String>,
    /// Only deleted ones, or only others.
    pub is_deleted: Option<bool>,
    /// What they have to be like.
    pub filter: SearchItems,
    /// The order.
    pub sort: Vec<Sort<ItemSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// What the filters of a list can take, over all items that pass the filters and that the caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterValues {
    /// Who created them, in order of appearance.
    pub creators: Vec<UserRef>,
    /// The keys of their tags.
    pub tags: BTreeSet<String>,
    /// The services that they are applied to.
    pub applied_to_services: BTreeSet<ServiceId>,
    /// The roles of personas.
    pub roles: BTreeSet<String>,
    /// The kinds of values of metrics.
    pub value_kinds: BTreeSet<MetricValueKind>,
}

impl FilterValues {
    fn add(&mut self, item: &Item) {
        add_distinct(&mut self.creators, &item.creator);
        self.tags.extend(item.tags.keys().cloned());
        let details = &item.details;
        self.applied_to_services.extend(details.applied_to_services());
        self.roles.extend(details.role().map(str::to_owned));
        self.value_kinds.extend(details.value_kind());
    }
}

/// A page of items.
#[derive(Debug, Clone)]
pub struct ItemPage {
    /// The items.
    pub page: Page<Item>,
    /// What the filters can take, on the first page.
    pub filter_values: Option<FilterValues>,
}

/// Returns a page of the items that the caller may see.
pub async fn list(ctx: Ctx<'_>, kind: ItemKind, query: &ListItems) -> Result<ItemPage, AppError> {
    let Ctx { app, caller } = ctx;
    let permission = permissions(kind).get;
    let (organization, token) = (&caller.organization, query.continuation_token);
    if !caller.may_some(permission) {
        return Ok(ItemPage {
            page: Page::empty(),
            filter_values: (token == 0).then(FilterValues::default),
        });
    }
    let is_wanted = |item: &Item| query.filter.admits(item) && is_of_deletion(item, query.is_deleted);
    let is_visible = |item: &Item| is_wanted(item) && caller.may(permission, &attributes(item));
    let list = Sorted::moving(kind.as_str(), &query.sort, sort_value, |item: &Item| item.seq);
    let mut tx = app.store.read().await?;
    let mut page = list.page(ctx, &mut tx, query.limit, token).await?;
    if query.ids.is_empty() {
        let flags = (query.filter.is_active, query.is_deleted);
        while let Some(read) = page.next_read() {
            let count = read.limit;
            let rows = tx
                .list_items(organization, kind, list.keys(), flags, read)
                .await?;
            page.add(
                rows.ok_or_else(unknown_token)?,
                count,
                |item| list.place(item),
                is_visible,
            );
        }
    } else {
        let mut selection = list.select(page);
        for id in &query.ids {
            selection.offer(tx.item_row(organization, kind, id).await?, is_visible);
        }
        page = selection.finish()?;
    }
    let filter_values = if token == 0 {
        Some(filter_values(&mut tx, caller, (kind, &query.ids), is_visible).await?)
    } else {
        None
    };
    Ok(ItemPage {
        page: list.finish(ctx, tx, page).await?,
        filter_values,
    })
}

/// Returns what the filters can take over the items of those ids, or over all.
async fn filter_values(
    tx: &mut Tx,
    caller: &Caller,
    (kind, ids): (ItemKind, &[String]),
    is_visible: impl Fn(&Item) -> bool,
) -> Result<FilterValues, AppError> {
    let organization = &caller.organization;
    let mut values = FilterValues::default();
    for id in ids {
        let row = tx.item_row(organization, kind, id).await?;
        row.iter()
            .filter(|item| is_visible(item))
            .for_each(|item| values.add(item));
    }
    let mut scan = Scan::default();
    while let Some(place) = scan.next_read().filter(|_| ids.is_empty()) {
        let rows = tx.all_items(organization, kind, place).await?;
        scan.note(&rows, |item| item.seq);
        rows.iter()
            .filter(|item| is_visible(item))
            .for_each(|item| values.add(item));
    }
    Ok(values)
}

fn is_of_deletion(item: &Item, wanted: Option<bool>) -> bool {
    wanted.is_none_or(|wanted| wanted == item.is_deleted)
}

fn sort_value(ItemSort::UpdatedAt: ItemSort, item: &Item) -> SortValue {
    SortValue::Integer(item.updated_at.as_millis())
}

/// Returns the up to 50 items that the caller may see, that are not deleted, pass the filter and have every word of the
/// text in their name or in what they are found by; those that fit best come first, then the oldest.
pub async fn search(
    ctx: Ctx<'_>,
    kind: ItemKind,
    text: &str,
    filter: &SearchItems,
) -> Result<Vec<Item>, AppError> {
    let permission = permissions(kind).get;
    if !ctx.caller.may_some(permission) {
        return Ok(Vec::new());
    }
    let terms = SearchTerms::new(text);
    let Some(rarest) = terms.rarest() else {
        return Ok(Vec::new());
    };
    let mut tx = ctx.app.store.read().await?;
    let mut found: Vec<(u32, Item, usize)> = Vec::new();
    let mut after = 0;
    loop {
        let read = PageRequest {
            after,
            limit: SEARCH_CHUNK,
        };
        let rows = tx
            .search_items(&ctx.caller.organization, kind, rarest, read)
            .await?;
        let is_last = rows.are_last(SEARCH_CHUNK);
        for ((item, name, text), bytes) in rows {
            after = item.seq;
            if let Some(relevance) = terms.relevance(&name, &text)
                && filter.admits(&item)
                && ctx.caller.may(permission, &attributes(&item))
            {
                found.push((relevance, item, bytes));
            }
        }
        // The sort is stable, so that equals stay in order of creation.
        found.sort_by_key(|(relevance, ..)| Reverse(*relevance));
        found.truncate(MOST_FOUND);
        let mut room = tx.room();
        let fitting = found.iter().take_while(|(.., bytes)| {
            let fits = *bytes <= room;
            room = room.saturating_sub(*bytes);
            fits
        });
        found.truncate(fitting.count().max(1));
        if is_last {
            return Ok(found.into_iter().map(|(_, item, _)| item).collect());
        }
    }
}
