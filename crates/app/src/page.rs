//! Pages of lists, filled after permission filtering.

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

impl<T> Page<T> {
    /// Returns what somebody is shown who may see nothing of a list.
    pub(crate) fn empty() -> Self {
        Self {
            items: Vec::new(),
            continuation_token: None,
        }
    }
}

/// How many rows are read at once while a page is filled, at the least: a filter may let only few of them through.
const MIN_CHUNK: i64 = 50;

/// Collects the rows that a caller may see until a page is full and it is known whether more follow.
pub(crate) struct PageBuilder<T, P = i64> {
    items: Vec<T>,
    limit: usize,
    /// The place of the last row of the page; where the page begins while it is empty.
    end: P,
    /// Where reading goes on.
    after: P,
    has_more: bool,
    is_exhausted: bool,
    min_chunk: i64,
}

impl<T, P: Clone> PageBuilder<T, P> {
    /// Starts a page of at most `limit` rows after a place; 0 is the start of the list.
    pub(crate) fn new(limit: i64, after: P) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let (items, min_chunk) = (Vec::new(), MIN_CHUNK);
        Self {
            items,
            limit,
            end: after.clone(),
            after,
            has_more: false,
            is_exhausted: false,
            min_chunk,
        }
    }

    /// Starts a page of a list that nothing is left out of, whose rows may be large: no more is read than is needed.
    pub(crate) fn of_large_rows(limit: i64, after: P) -> Self {
        Self {
            min_chunk: 0,
            ..Self::new(limit, after)
        }
    }

    /// Returns where to go on reading and how many rows to read; nothing once the page is complete.
    pub(crate) fn next_read(&self) -> Option<(P, i64)> {
        let wanted = i64::try_from(self.limit - self.items.len()).unwrap_or(i64::MAX) + 1;
        (!self.has_more && !self.is_exhausted).then(|| (self.after.clone(), wanted.max(self.min_chunk)))
    }

    /// Adds the rows of a read that asked for `asked` of them.
    pub(crate) fn add(
        &mut self,
        rows: Vec<T>,
        asked: i64,
        place: impl Fn(&T) -> P,
        keep: impl Fn(&T) -> bool,
    ) {
        self.is_exhausted = i64::try_from(rows.len()).is_ok_and(|read| read < asked);
        for row in rows {
            self.after = place(&row);
            if !keep(&row) {
                continue;
            }
            if self.items.len() == self.limit {
                self.has_more = true;
                return;
            }
            self.end = self.after.clone();
            self.items.push(row);
        }
    }

    /// Returns the rows of the page and, if more follow, the place where it ends.
    pub(crate) fn end(self) -> (Vec<T>, Option<P>) {
        (self.items, self.has_more.then_some(self.end))
    }
}

impl<T> PageBuilder<T> {
    pub(crate) fn finish(self) -> Page<T> {
        let (items, continuation_token) = self.end();
        Page {
            items,
            continuation_token,
        }
    }
}

/// The continuation token of a caller names no row of the list.
pub(crate) fn unknown_token() -> AppError {
    let loc = vec!["query".into(), "continuation_token".into()];
    let msg = "the page's token is unknown here or has expired: pass the token of the page before this one, of the same \
               list in the same order, or begin anew with 0";
    AppError::Invalid(vec![Fault::new(loc, "unknown_token", msg)])
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
