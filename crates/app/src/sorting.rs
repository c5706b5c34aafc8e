//! Lists in an order that the caller chooses, whose rows may move while they are read page by page.
//!
//! A page of such a list ends at a position: the sort values of its last row, as they were then. The store keeps it under a
//! number, which is the page's token. The number stands for the position, the order and the caller, so that the same page
//! has the same one; it is beyond every `seq`, so that no token is taken for another kind. See
//! `docs/adr/0031-pages-go-on-where-they-ended.md`.

use std::cmp::Ordering;
use std::fmt::Debug;
use std::time::Duration;

use forge_domain::{Sort, Timestamp};
use forge_store::{PageCursor, Place, Position, ReadTx, Rows, SortValue, StoreError, Tx};
use sha2::{Digest as _, Sha256};

use crate::page::{PageBuilder, unknown_token};
use crate::{AppError, Caller, Ctx, Page};

/// How long a place is kept.
///
/// One that is older than a day is kept anew before it is given again, so that every token is good for a day at least.
const KEPT_FOR: Duration = Duration::from_hours(2 * 24);
const RENEWED_AFTER: Duration = Duration::from_hours(24);

/// The least token that stands for a position.
///
/// All of them are below 2^53, up to which JavaScript counts exactly.
const FIRST: i64 = 1 << 52;

/// A list in some order.
pub(crate) struct Sorted<K, T> {
    name: &'static str,
    keys: Vec<Sort<K>>,
    is_moving: bool,
    value: fn(K, &T) -> SortValue,
    seq: fn(&T) -> i64,
}

impl<K: Copy + PartialEq + Debug, T> Sorted<K, T> {
    /// Builds the order of a list whose rows can move.
    pub(crate) fn moving(
        name: &'static str,
        keys: &[Sort<K>],
        value: fn(K, &T) -> SortValue,
        seq: fn(&T) -> i64,
    ) -> Self {
        let mut distinct: Vec<Sort<K>> = Vec::new();
        for sort in keys {
            // Of a key that comes twice only the first counts: the second can break no tie.
            if distinct.iter().all(|known| known.key != sort.key) {
                distinct.push(*sort);
            }
        }
        Self {
            name,
            keys: distinct,
            is_moving: true,
            value,
            seq,
        }
    }

    /// Builds the order of a list whose rows stay where they are.
    pub(crate) fn fixed(
        name: &'static str,
        keys: &[Sort<K>],
        value: fn(K, &T) -> SortValue,
        seq: fn(&T) -> i64,
    ) -> Self {
        Self {
            is_moving: false,
            ..Self::moving(name, keys, value, seq)
        }
    }

    /// Returns the keys, without repetitions.
    pub(crate) fn keys(&self) -> &[Sort<K>] {
        &self.keys
    }

    /// Begins the page that a token asks for; 0 is the start of the list.
    ///
    /// # Errors
    /// Refuses a number that no page of this list in this order ended with for this caller, or too long ago.
    pub(crate) async fn page(
        &self,
        ctx: Ctx<'_>,
        tx: &mut Tx,
        limit: i64,
        token: i64,
    ) -> Result<PageBuilder<T, Place>, AppError> {
        if token < FIRST {
            // Where rows can move, a page ends at none of them.
            if token != 0 && self.is_moving && !self.keys.is_empty() {
                return Err(unknown_token());
            }
            return Ok(PageBuilder::new(tx.room(), limit, Place::Row(token)));
        }
        let (cursor, _) = find_cursor(ctx, tx, token).await?.ok_or_else(unknown_token)?;
        if cursor != self.cursor(ctx.caller, cursor.position.clone()) {
            return Err(unknown_token());
        }
        Ok(PageBuilder::new(
            tx.room(),
            limit,
            Place::Position(cursor.position),
        ))
    }

    /// Returns the place of a row.
    pub(crate) fn place(&self, row: &T) -> Place {
        if self.is_moving && !self.keys.is_empty() {
            Place::Position(self.position(row))
        } else {
            Place::Row((self.seq)(row))
        }
    }

    /// Begins to look for the rows of a page among rows that come in any order.
    pub(crate) fn select(&self, page: PageBuilder<T, Place>) -> Selection<'_, K, T> {
        Selection {
            list: self,
            start: page.start().clone(),
            page,
            has_start: false,
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Ends a page, and with it the transaction; if more rows follow, keeps the place where it ends.
    pub(crate) async fn finish(
        &self,
        ctx: Ctx<'_>,
        tx: ReadTx,
        page: PageBuilder<T, Place>,
    ) -> Result<Page<T>, AppError> {
        let (items, end) = page.end();
        Ok(Page {
            items,
            continuation_token: self.token(ctx, tx, end).await?,
        })
    }

    /// Returns the token of the place where a page ends, which is kept first if it is a position.
    ///
    /// The transaction ends: who holds a connection and waits for a second one may wait for others who do the same.
    pub(crate) async fn token(
        &self,
        ctx: Ctx<'_>,
        tx: ReadTx,
        end: Option<Place>,
    ) -> Result<Option<i64>, AppError> {
        match end {
            None => Ok(None),
            Some(Place::Row(seq)) => Ok(Some(seq)),
            Some(Place::Position(position)) => {
                let cursor = self.cursor(ctx.caller, position);
                keep(ctx, tx, &cursor).await.map(Some)
            }
        }
    }

    fn position(&self, row: &T) -> Position {
        let values = self.keys.iter().map(|sort| (self.value)(sort.key, row));
        Position {
            values: values.collect(),
            seq: (self.seq)(row),
        }
    }

    fn compare(&self, left: &Position, right: &Position) -> Ordering {
        let values = left.values.iter().zip(&right.values).zip(&self.keys);
        let in_direction = |((left, right), sort): ((&SortValue, &SortValue), &Sort<K>)| {
            let ordering = left.cmp(right);
            if sort.direction.is_descending() {
                ordering.reverse()
            } else {
                ordering
            }
        };
        let unequal = values.map(in_direction).find(|ordering| ordering.is_ne());
        unequal.unwrap_or_else(|| left.seq.cmp(&right.seq))
    }

    fn cursor(&self, caller: &Caller, position: Position) -> PageCursor {
        let keys = self.keys.iter().map(|Sort { key, direction }| {
            let sign = if direction.is_descending() { '-' } else { '+' };
            format!("{sign}{key:?}")
        });
        PageCursor {
            user: caller.user.clone(),
            list: self.name.to_owned(),
            sort: keys.collect::<Vec<_>>().join(" "),
            position,
        }
    }
}

/// The first rows of a page, of all that were offered in any order.
///
/// No more of them are held than fit on it.
pub(crate) struct Selection<'s, K, T> {
    list: &'s Sorted<K, T>,
    page: PageBuilder<T, Place>,
    start: Place,
    /// Whether the row at the start was offered.
    has_start: bool,
    rows: Vec<(Position, T, usize)>,
    bytes: usize,
}

impl<K: Copy + PartialEq + Debug, T> Selection<'_, K, T> {
    /// Says where the row is that the page begins after, if it begins after a row: before any is offered, in a list
    /// whose rows stay where they are.
    pub(crate) fn find_start<'t>(&mut self, rows: impl IntoIterator<Item = &'t T>)
    where
        T: 't,
    {
        let Place::Row(seq) = self.start else { return };
        let found = rows.into_iter().find(|row| (self.list.seq)(row) == seq);
        if let Some(row) = found {
            self.start = Place::Position(self.list.position(row));
        }
    }

    /// Offers rows to the page.
    pub(crate) fn offer(&mut self, rows: Rows<T>, keep: impl Fn(&T) -> bool) {
        for (row, bytes) in rows {
            let position = self.list.position(&row);
            let is_after = match &self.start {
                Place::Row(seq) => {
                    self.has_start |= position.seq == *seq;
                    position.seq > *seq
                }
                Place::Position(start) => self.list.compare(&position, start).is_gt(),
            };
            if is_after && keep(&row) {
                self.insert(position, row, bytes);
            }
        }
    }

    fn insert(&mut self, position: Position, row: T, bytes: usize) {
        let compare = |held: &(Position, T, usize)| self.list.compare(&held.0, &position);
        // One that was offered before is held already.
        let Err(place) = self.rows.binary_search_by(compare) else {
            return;
        };
        self.rows.insert(place, (position, row, bytes));
        self.bytes += bytes;
        // Of what does not fit, the page needs the first alone.
        while let Some((_, _, last)) = self.rows.last()
            && (self.rows.len() > self.page.limit() + 1
                || self.rows.len() > 2 && self.bytes - last > self.page.room())
        {
            self.bytes -= last;
            self.rows.pop();
        }
    }

    /// Returns the page.
    ///
    /// # Errors
    /// Refuses a place that is none of the rows, where it must be one.
    pub(crate) fn finish(mut self) -> Result<PageBuilder<T, Place>, AppError> {
        if matches!(self.start, Place::Row(seq) if seq != 0 && !self.has_start) {
            return Err(unknown_token());
        }
        for (_, row, bytes) in self.rows {
            let place = self.list.place(&row);
            if !self.page.put(row, bytes, place) {
                break;
            }
        }
        Ok(self.page)
    }
}

/// Returns the number of a place.
///
/// Where another place has taken it already, the next attempt gives another one.
fn token(cursor: &PageCursor, attempt: u8) -> i64 {
    let PageCursor {
        user,
        list,
        sort,
        position,
    } = cursor;
    let mut hash = Sha256::new();
    let seq = position.seq.to_string();
    let values = position.values.iter().map(|value| match value {
        SortValue::Integer(integer) => format!("i{integer}"),
        SortValue::Text(text) => format!("t{text}"),
    });
    let fixed = [user.org_id.as_str(), &user.user_id, list, sort, &seq].map(str::to_owned);
    for part in fixed.into_iter().chain(values) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update([attempt]);
    let digest = hash.finalize();
    let number = digest
        .iter()
        .take(7)
        .fold(0, |number: i64, byte| number << 8 | i64::from(*byte));
    FIRST + (number & (FIRST - 1))
}

/// Returns a place and when it was kept, if the number is not too old.
async fn find_cursor(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    token: i64,
) -> Result<Option<(PageCursor, Timestamp)>, AppError> {
    let Ctx { app, caller } = ctx;
    let oldest = app.clock.now() - KEPT_FOR;
    let kept = tx.find_page_cursor(&caller.organization, token).await?;
    let found = kept.or_else(|| app.snapshots.cursors.find(&caller.organization, token));
    Ok(found.filter(|(_, kept_at)| *kept_at > oldest))
}

/// Returns the number of a place, which is kept for a day at least.
///
/// A page that is read again costs no write.
async fn keep(ctx: Ctx<'_>, mut tx: ReadTx, cursor: &PageCursor) -> Result<i64, AppError> {
    let now = ctx.app.clock.now();
    for attempt in 0..=u8::MAX {
        let token = token(cursor, attempt);
        match find_cursor(ctx, &mut tx, token).await? {
            Some((found, kept_at)) if found == *cursor && kept_at > now - RENEWED_AFTER => return Ok(token),
            Some((found, _)) if found != *cursor => continue,
            _ => {}
        }
        drop(tx);
        match write(ctx, token, cursor, now).await {
            Ok(true) => return Ok(token),
            Ok(false) => tx = ctx.app.store.read().await?,
            // A list is read, also while nothing can be written. The token then is good on this server, while it runs.
            Err(error) => {
                tracing::warn!(%error, "the place where a page ended is kept in memory alone");
                ctx.app
                    .snapshots
                    .cursors
                    .keep(&ctx.caller.organization, token, cursor, now);
                return Ok(token);
            }
        }
    }
    Err(AppError::internal(
        "every number for the end of a page stands for another place",
    ))
}

async fn write(ctx: Ctx<'_>, token: i64, cursor: &PageCursor, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = ctx.app.store.write_run(&ctx.caller.organization).await?;
    let is_kept = tx.keep_page_cursor(token, cursor, now, now - KEPT_FOR).await?;
    tx.commit().await?;
    Ok(is_kept)
}

#[cfg(test)]
mod tests {
    use forge_domain::{Direction, UserRef};
    use forge_store::MOST_BYTES;

    use super::*;

    fn cursor(user_id: &str, sort: &str, values: Vec<SortValue>) -> PageCursor {
        PageCursor {
            user: UserRef {
                org_id: "acme".parse().unwrap(),
                user_id: user_id.to_owned(),
            },
            list: "service".to_owned(),
            sort: sort.to_owned(),
            position: Position { values, seq: 7 },
        }
    }

    #[test]
    fn a_token_stands_for_its_place_its_order_and_its_caller_and_javascript_counts_so_far() {
        let text = |text: &str| SortValue::Text(text.to_owned());
        let cursors = [
            cursor("ann", "+Name", vec![text("b")]),
            cursor("bob", "+Name", vec![text("b")]),
            cursor("ann", "-Name", vec![text("b")]),
            cursor("ann", "+Name", vec![text("c")]),
            cursor("ann", "+Name", vec![text("b"), text("")]),
            cursor("ann", "+Name", vec![text("1")]),
            cursor("ann", "+Name", vec![SortValue::Integer(1)]),
        ];
        let mut tokens: Vec<i64> = cursors
            .iter()
            .flat_map(|cursor| [0, 1].map(|attempt| token(cursor, attempt)))
            .collect();
        assert!(
            tokens.iter().all(|token| (1 << 52..1 << 53).contains(token)),
            "{tokens:?}"
        );
        assert_eq!(tokens[0], token(&cursors[0], 0));
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), 14);
    }

    #[test]
    fn a_row_that_moved_away_leaves_the_place_where_it_was() {
        type Row = (&'static str, i64);
        let name = |(), row: &Row| SortValue::Text(row.0.to_owned());
        let list: Sorted<(), Row> = Sorted::moving(
            "row",
            &[Direction::Descending.of(()), Direction::Ascending.of(())],
            name,
            |row| row.1,
        );
        assert_eq!(list.keys(), [Direction::Descending.of(())]);
        let place = list.place(&("c", 3));
        let page = PageBuilder::new(MOST_BYTES, 2, place);
        let rows = vec![("d", 1), ("c", 2), ("a", 5), ("zz", 3), ("c", 4), ("b", 6)];
        let mut selection = list.select(page);
        selection.offer(rows.into_iter().map(|row| (row, 1)).collect(), |_| true);
        let (rows, end) = selection.finish().unwrap().end();
        assert_eq!(rows, [("c", 4), ("b", 6)]);
        assert_eq!(end, Some(list.place(&("b", 6))));
    }
}
