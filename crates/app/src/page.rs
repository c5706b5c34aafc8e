//! Pages of lists, filled after permission filtering.

use std::cmp::Ordering;

use forge_domain::fault::Fault;

use crate::AppError;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub items: Vec<T>,
    /// What to pass to get the next page; nothing if this is the last.
    pub continuation_token: Option<i64>,
}

/// How many rows are read at once while a page is filled, at the least: a filter may let only few of them through.
const MIN_CHUNK: i64 = 50;

/// Collects the rows that a caller may see until a page is full and it is known whether more follow.
pub(crate) struct PageBuilder<T> {
    items: Vec<T>,
    limit: usize,
    /// The token of the last row of the page; the caller's own while the page is empty.
    token: i64,
    /// Where reading goes on.
    after: i64,
    has_more: bool,
    is_exhausted: bool,
    min_chunk: i64,
}

impl<T> PageBuilder<T> {
    /// Starts a page of at most `limit` rows after a token; 0 is the start of the list.
    pub(crate) fn new(limit: i64, token: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let (items, min_chunk) = (Vec::new(), MIN_CHUNK);
        Self {
            items,
            limit,
            token,
            after: token,
            has_more: false,
            is_exhausted: false,
            min_chunk,
        }
    }

    /// Starts a page of a list that nothing is left out of, whose rows may be large: no more is read than is needed.
    pub(crate) fn of_large_rows(limit: i64, token: i64) -> Self {
        Self {
            min_chunk: 0,
            ..Self::new(limit, token)
        }
    }

    /// Returns where to go on reading and how many rows to read; nothing once the page is complete.
    pub(crate) fn next_read(&self) -> Option<(i64, i64)> {
        let wanted = i64::try_from(self.limit - self.items.len()).unwrap_or(i64::MAX) + 1;
        (!self.has_more && !self.is_exhausted).then(|| (self.after, wanted.max(self.min_chunk)))
    }

    /// Adds the rows of a read that asked for `asked` of them.
    pub(crate) fn add(
        &mut self,
        rows: Vec<T>,
        asked: i64,
        token: impl Fn(&T) -> i64,
        keep: impl Fn(&T) -> bool,
    ) {
        self.is_exhausted = i64::try_from(rows.len()).is_ok_and(|read| read < asked);
        for row in rows {
            self.after = token(&row);
            if !keep(&row) {
                continue;
            }
            if self.items.len() == self.limit {
                self.has_more = true;
                return;
            }
            self.token = self.after;
            self.items.push(row);
        }
    }

    /// Adds all rows that there are, in any order: sorts them as the store's lists are sorted, by keys and then by their
    /// place, and goes on after the row that the caller's token names.
    pub(crate) fn add_all<K: Copy>(
        &mut self,
        rows: Vec<T>,
        sort: &[(K, bool)],
        by_key: impl Fn(K, &T, &T) -> Ordering,
        place: impl Fn(&T) -> i64,
        keep: impl Fn(&T) -> bool,
    ) -> Result<(), AppError> {
        let rows = sorted_after(rows, sort, by_key, &place, self.token)?;
        self.add(rows, i64::MAX, place, keep);
        Ok(())
    }

    pub(crate) fn finish(self) -> Page<T> {
        Page {
            items: self.items,
            continuation_token: self.has_more.then_some(self.token),
        }
    }
}

/// The continuation token of a caller names no row of the list.
pub(crate) fn unknown_token() -> AppError {
    let loc = vec!["query".into(), "continuation_token".into()];
    let msg = "no page ended there; pass the token of the page before this one, or 0";
    AppError::Invalid(vec![Fault::new(loc, "unknown_token", msg)])
}

/// Sorts rows by keys and then by their place, and drops those up to the one at the place `after`; 0 drops none.
fn sorted_after<T, K: Copy>(
    mut rows: Vec<T>,
    sort: &[(K, bool)],
    by_key: impl Fn(K, &T, &T) -> Ordering,
    place: impl Fn(&T) -> i64,
    after: i64,
) -> Result<Vec<T>, AppError> {
    rows.sort_unstable_by(|left, right| {
        let in_direction = |(key, is_descending): &(K, bool)| {
            let ordering = by_key(*key, left, right);
            if *is_descending {
                ordering.reverse()
            } else {
                ordering
            }
        };
        let unequal = sort.iter().map(in_direction).find(|ordering| ordering.is_ne());
        unequal.unwrap_or_else(|| place(left).cmp(&place(right)))
    });
    if after > 0 {
        let last = rows.iter().position(|row| place(row) == after);
        rows.drain(..=last.ok_or_else(unknown_token)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a whole list of `1..=n` in pages and returns them.
    fn pages(n: i64, limit: i64, keep: fn(&i64) -> bool) -> Vec<Vec<i64>> {
        let mut pages = Vec::new();
        let mut token = Some(0);
        while let Some(start) = token {
            let mut builder = PageBuilder::new(limit, start);
            while let Some((after, asked)) = builder.next_read() {
                let rows = (after + 1..=n).take(usize::try_from(asked).unwrap()).collect();
                builder.add(rows, asked, |row| *row, keep);
            }
            let page = builder.finish();
            token = page.continuation_token;
            pages.push(page.items);
            assert!(pages.len() < 1000, "paging ends");
        }
        pages
    }

    #[test]
    fn pages_are_filled_after_filtering_and_never_end_in_an_empty_one() {
        assert_eq!(pages(0, 10, |_| true), [Vec::<i64>::new()]);
        assert_eq!(pages(4, 2, |_| true), [vec![1, 2], vec![3, 4]]);
        assert_eq!(pages(5, 2, |_| true), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(pages(200, 2, |n| n % 90 == 0), [vec![90, 180]]);
        assert_eq!(pages(300, 2, |n| n % 90 == 0), [vec![90, 180], vec![270]]);
    }

    #[test]
    fn a_limit_of_zero_tells_only_whether_there_are_rows() {
        let mut builder = PageBuilder::new(0, 7);
        builder.add(vec![8, 9], 50, |row| *row, |_| true);
        assert_eq!(
            builder.finish(),
            Page {
                items: vec![],
                continuation_token: Some(7)
            }
        );
    }
}
