//! Pages of lists, filled after permission filtering.

use forge_domain::fault::Fault;
use forge_store::{PageRequest, Rows};

use crate::AppError;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order asked for.
    pub items: Vec<T>,
    /// What to pass to get the next page, or `None` if this is the last.
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

/// How many rows are read at once where all are looked at.
const SCAN_CHUNK: i64 = 200;

/// How many rows are read first where they may be large; how many fit in is known afterwards.
const FIRST_LARGE: i64 = 4;

/// Collects the rows that a caller may see until a page is full and it is known whether more follow.
///
/// A page is full when it has as many rows as were asked for, or when there is no room for the bytes of the next one. One
/// row always fits.
pub(crate) struct PageBuilder<T, P = i64> {
    /// The rows, each with its size.
    items: Vec<(T, usize)>,
    limit: usize,
    /// How many bytes the items have, and for how many there is room.
    bytes: usize,
    room: usize,
    /// How often the page tells each of its rows.
    times_told: usize,
    /// The place of the last row of the page; where the page begins while it is empty.
    end: P,
    /// Where reading goes on.
    after: P,
    /// The first row that is not on the page any more.
    next: Option<T>,
    is_exhausted: bool,
    are_large: bool,
    /// How many rows were read so far, and how many bytes they had.
    read: (usize, usize),
}

impl<T, P: Clone> PageBuilder<T, P> {
    /// Starts a page of at most `limit` rows after a place; 0 is the start of the list.
    pub(crate) fn new(room: usize, limit: i64, after: P) -> Self {
        Self {
            items: Vec::new(),
            limit: usize::try_from(limit).unwrap_or(0),
            bytes: 0,
            room,
            times_told: 1,
            end: after.clone(),
            after,
            next: None,
            is_exhausted: false,
            are_large: false,
            read: (0, 0),
        }
    }

    /// Starts a page of a list whose rows may be large: no more is read than is needed.
    pub(crate) fn of_large_rows(room: usize, limit: i64, after: P) -> Self {
        Self {
            are_large: true,
            ..Self::new(room, limit, after)
        }
    }

    /// Makes it a page that tells each row so often.
    pub(crate) fn telling(self, times_told: usize) -> Self {
        Self { times_told, ..self }
    }

    /// Returns where the page begins, while it is empty.
    pub(crate) fn start(&self) -> &P {
        &self.end
    }

    /// Returns for how many bytes there is room.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Returns how many bytes the next row may have; the first one may have any number.
    pub(crate) fn room_left(&self) -> usize {
        if self.items.is_empty() {
            usize::MAX
        } else {
            self.room.saturating_sub(self.bytes)
        }
    }

    /// Returns how many rows it has at most.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns where to go on reading and how many rows to read; nothing once the page is complete.
    pub(crate) fn next_read(&self) -> Option<PageRequest<P>> {
        (self.next.is_none() && !self.is_exhausted).then(|| PageRequest {
            after: self.after.clone(),
            limit: self.count(),
        })
    }

    /// Returns how many rows to read: those that are wanted, but no more than are likely to fit in.
    fn count(&self) -> i64 {
        let wanted = i64::try_from(self.limit - self.items.len()).unwrap_or(i64::MAX);
        let (rows, bytes) = self.read;
        let most = match rows {
            0 if self.are_large => FIRST_LARGE,
            0 => MIN_CHUNK,
            _ => i64::try_from(self.room.saturating_mul(rows) / bytes.max(1)).unwrap_or(i64::MAX),
        };
        wanted
            .saturating_add(1)
            .max(if self.are_large { 0 } else { MIN_CHUNK })
            .min(most.max(1))
    }

    /// Adds the rows of a read that asked for `asked` of them.
    pub(crate) fn add(
        &mut self,
        rows: Rows<T>,
        asked: i64,
        place: impl Fn(&T) -> P,
        keep: impl Fn(&T) -> bool,
    ) {
        self.is_exhausted = rows.are_last(asked);
        self.read = (self.read.0 + rows.len(), self.read.1 + rows.bytes());
        for (row, bytes) in rows {
            let place = place(&row);
            if !keep(&row) {
                self.after = place;
                continue;
            }
            if !self.put(row, bytes, place) {
                return;
            }
        }
    }

    /// Puts the next row on the page.
    ///
    /// Returns `true` if there was room for it.
    pub(crate) fn put(&mut self, row: T, bytes: usize, place: P) -> bool {
        let all = self.bytes + bytes * self.times_told;
        if self.items.len() >= self.limit || !self.items.is_empty() && all > self.room {
            self.next = Some(row);
            return false;
        }
        self.bytes = all;
        self.end = place.clone();
        self.after = place;
        self.items.push((row, bytes));
        true
    }

    /// Returns the rows of the page and, if more follow, the place where it ends.
    pub(crate) fn end(self) -> (Vec<T>, Option<P>) {
        let (items, end) = self.end_with_sizes();
        (items.into_iter().map(|(row, _)| row).collect(), end)
    }

    /// The same, with the sizes of the rows: what they are told with may take more room, and another page is made of
    /// both.
    pub(crate) fn end_with_sizes(self) -> (Vec<(T, usize)>, Option<P>) {
        let has_more = self.next.is_some();
        (self.items, has_more.then_some(self.end))
    }

    /// Returns the rows of the page and the one that follows, if there is one.
    pub(crate) fn end_with_next(self) -> (Vec<T>, Option<T>) {
        (self.items.into_iter().map(|(row, _)| row).collect(), self.next)
    }
}

/// Reads all rows of a list in order of creation, as many at once as there is room for.
#[derive(Default)]
pub(crate) struct Scan {
    after: i64,
    is_over: bool,
}

impl Scan {
    /// Returns where to go on reading and how many rows to read; nothing at the end.
    pub(crate) fn next_read(&self) -> Option<PageRequest> {
        (!self.is_over).then_some(PageRequest {
            after: self.after,
            limit: SCAN_CHUNK,
        })
    }

    /// Notes what was read.
    pub(crate) fn note<T>(&mut self, rows: &Rows<T>, seq: impl Fn(&T) -> i64) {
        self.after = rows.iter().last().map_or(self.after, seq);
        self.is_over = rows.are_last(SCAN_CHUNK);
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
    let loc = vec!["continuation_token".into()];
    let msg = "the page's token is unknown here or has expired: pass the token of the page before this one, of the same \
               list in the same order, or begin anew with 0";
    AppError::Invalid(vec![Fault::new(loc, "unknown_token", msg)])
}

#[cfg(test)]
mod tests {
    use forge_store::MOST_BYTES;

    use super::*;

    /// Reads a whole list of `1..=n` in pages and returns them.
    fn pages((n, bytes): (i64, usize), limit: i64, keep: fn(&i64) -> bool) -> Vec<Vec<i64>> {
        let mut pages = Vec::new();
        let mut token = Some(0);
        while let Some(start) = token {
            let mut builder = PageBuilder::new(MOST_BYTES, limit, start);
            while let Some(PageRequest { after, limit: asked }) = builder.next_read() {
                let numbers = (after + 1..=n).take(usize::try_from(asked).unwrap());
                let rows = numbers.map(|number| (number, bytes)).collect();
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
        assert_eq!(pages((0, 1), 10, |_| true), [Vec::<i64>::new()]);
        assert_eq!(pages((4, 1), 2, |_| true), [vec![1, 2], vec![3, 4]]);
        assert_eq!(pages((5, 1), 2, |_| true), [vec![1, 2], vec![3, 4], vec![5]]);
        assert_eq!(pages((200, 1), 2, |n| n % 90 == 0), [vec![90, 180]]);
        assert_eq!(pages((300, 1), 2, |n| n % 90 == 0), [vec![90, 180], vec![270]]);
    }

    #[test]
    fn a_page_ends_where_the_next_row_does_not_fit_in_any_more_but_has_one_at_least() {
        let half = MOST_BYTES / 2;
        assert_eq!(pages((3, half), 10, |_| true), [vec![1, 2], vec![3]]);
        assert_eq!(pages((3, half + 1), 10, |_| true), [[1], [2], [3]]);
        assert_eq!(pages((2, 3 * MOST_BYTES), 10, |_| true), [[1], [2]]);
        assert_eq!(pages((200, MOST_BYTES), 10, |n| n % 90 == 0), [[90], [180]]);
    }

    #[test]
    fn of_large_rows_few_are_read_first_and_then_no_more_than_are_likely_to_fit_in() {
        let mut page = PageBuilder::of_large_rows(MOST_BYTES, 500, 0);
        assert_eq!(
            page.next_read(),
            Some(PageRequest {
                after: 0,
                limit: FIRST_LARGE
            })
        );
        let rows = |from: i64, bytes| (from..from + FIRST_LARGE).map(|n| (n, bytes)).collect();
        page.add(rows(1, MOST_BYTES / 100), FIRST_LARGE, |row| *row, |_| true);
        assert_eq!(page.next_read(), Some(PageRequest { after: 4, limit: 100 }));
        let mut page = PageBuilder::of_large_rows(MOST_BYTES, 500, 0);
        page.add(rows(1, 1), FIRST_LARGE, |row| *row, |_| true);
        assert_eq!(page.next_read(), Some(PageRequest { after: 4, limit: 497 }));
        let mut page = PageBuilder::new(MOST_BYTES, 1, 0);
        page.add(rows(1, MOST_BYTES), FIRST_LARGE, |row| *row, |_| false);
        assert_eq!(page.next_read(), Some(PageRequest { after: 4, limit: 1 }));
    }

    #[test]
    fn a_limit_of_zero_tells_only_whether_there_are_rows() {
        let mut builder = PageBuilder::new(MOST_BYTES, 0, 7);
        builder.add([(8, 1), (9, 1)].into_iter().collect(), 50, |row| *row, |_| true);
        assert_eq!(
            builder.finish(),
            Page {
                items: vec![],
                continuation_token: Some(7)
            }
        );
    }
}
