//! Lists of items, and looking for them.

use std::cmp::Reverse;

use forge_domain::item::{DetailsFilter as _, FilterValues, Item, ItemDetails, ItemFilter, ItemFlags};
use forge_domain::search::SearchTerms;
use forge_domain::{Id, Sort};
use forge_store::{ItemSort, PageRequest, SortValue, Tx};

use super::permissions;
use crate::access::resource::Resource as _;
use crate::page::{Scan, unknown_token};
use crate::sorting::Sorted;
use crate::{AppError, Caller, Ctx, Page};

/// How many items a search finds at most, if they fit on a page.
const MOST_FOUND: usize = 50;

/// How many items a search reads at once: what they are found by may be long.
const SEARCH_CHUNK: i64 = 100;

/// What a caller asks of a list of items.
#[derive(Debug, Clone)]
pub struct ListItems<D: ItemDetails> {
    /// Only these; none means all.
    pub ids: Vec<Id<D::IdKind>>,
    /// Only deleted ones, or only others.
    pub is_deleted: Option<bool>,
    /// What they have to be like.
    pub filter: ItemFilter<D>,
    /// The order.
    pub sort: Vec<Sort<ItemSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A page of items.
#[derive(Debug, Clone)]
pub struct ItemPage<D: ItemDetails> {
    /// The items.
    pub page: Page<Item<D>>,
    /// What the filters can take over all items that pass them and that the caller may see; on the first page.
    pub filter_values: Option<FilterValues<D>>,
}

/// Returns a page of the items that the caller may see.
pub async fn list<D: ItemDetails>(ctx: Ctx<'_>, query: &ListItems<D>) -> Result<ItemPage<D>, AppError> {
    let Ctx { app, caller } = ctx;
    let permission = permissions(D::KIND).get;
    let (organization, token) = (&caller.organization, query.continuation_token);
    if !caller.may_some(permission) {
        return Ok(ItemPage {
            page: Page::empty(),
            filter_values: (token == 0).then(FilterValues::default),
        });
    }
    let is_wanted = |item: &Item<D>| query.filter.admits(item) && is_of_deletion(item, query.is_deleted);
    let is_visible = |item: &Item<D>| is_wanted(item) && caller.may(permission, &item.attributes_for(caller));
    let list = Sorted::moving(D::KIND.as_str(), &query.sort, sort_value, |item: &Item<D>| {
        item.seq
    });
    let mut tx = app.store.read().await?;
    let mut page = list.page(ctx, &mut tx, query.limit, token).await?;
    if query.ids.is_empty() {
        let flags = ItemFlags {
            is_active: query.filter.details.is_active(),
            is_deleted: query.is_deleted,
        };
        while let Some(read) = page.next_read() {
            let count = read.limit;
            let rows = tx.list_items(organization, list.keys(), flags, read).await?;
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
            selection.offer(tx.item_row(organization, *id).await?, is_visible);
        }
        page = selection.finish()?;
    }
    let filter_values = if token == 0 {
        Some(filter_values(&mut tx, caller, &query.ids, is_visible).await?)
    } else {
        None
    };
    Ok(ItemPage {
        page: list.finish(ctx, tx, page).await?,
        filter_values,
    })
}

/// Returns what the filters can take over the items of those ids, or over all.
async fn filter_values<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    ids: &[Id<D::IdKind>],
    is_visible: impl Fn(&Item<D>) -> bool,
) -> Result<FilterValues<D>, AppError> {
    let organization = &caller.organization;
    let mut values = FilterValues::default();
    for id in ids {
        let row = tx.item_row(organization, *id).await?;
        row.iter()
            .filter(|item| is_visible(item))
            .for_each(|item| values.add(item));
    }
    let mut scan = Scan::default();
    while let Some(place) = scan.next_read().filter(|_| ids.is_empty()) {
        let rows = tx.all_items(organization, place).await?;
        scan.note(&rows, |item| item.seq);
        rows.iter()
            .filter(|item| is_visible(item))
            .for_each(|item| values.add(item));
    }
    Ok(values)
}

fn is_of_deletion<D: ItemDetails>(item: &Item<D>, wanted: Option<bool>) -> bool {
    wanted.is_none_or(|wanted| wanted == item.is_deleted)
}

fn sort_value<D: ItemDetails>(ItemSort::UpdatedAt: ItemSort, item: &Item<D>) -> SortValue {
    SortValue::Integer(item.updated_at.as_millis())
}

/// Returns the up to 50 items that the caller may see, that are not deleted, pass the filter and have every word of the
/// text in their name or in what they are found by; those that fit best come first, then the oldest.
pub async fn search<D: ItemDetails>(
    ctx: Ctx<'_>,
    text: &str,
    filter: &ItemFilter<D>,
) -> Result<Vec<Item<D>>, AppError> {
    let permission = permissions(D::KIND).get;
    if !ctx.caller.may_some(permission) {
        return Ok(Vec::new());
    }
    let terms = SearchTerms::new(text);
    let Some(rarest) = terms.rarest() else {
        return Ok(Vec::new());
    };
    let mut tx = ctx.app.store.read().await?;
    let mut found: Vec<(u32, Item<D>, usize)> = Vec::new();
    let mut after = 0;
    loop {
        let read = PageRequest {
            after,
            limit: SEARCH_CHUNK,
        };
        let rows = tx
            .search_items::<D>(&ctx.caller.organization, rarest, read)
            .await?;
        let is_last = rows.are_last(SEARCH_CHUNK);
        for ((item, name, text), bytes) in rows {
            after = item.seq;
            if let Some(relevance) = terms.relevance(&name, &text)
                && filter.admits(&item)
                && ctx.caller.may(permission, &item.attributes_for(ctx.caller))
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
