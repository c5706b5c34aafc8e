//! Rows of a list, as many as there is room for in memory.

use std::vec::IntoIter;

/// How many bytes of rows are read at once, and how many a page of a list has unless it has a single row: as many as
/// the largest body of a request, by default.
///
/// So what somebody wrote in one request is read in one, and a page of it costs no more than writing it did.
pub const MOST_BYTES: usize = 4 * 1024 * 1024;

/// Rows that were read at once, each with how many bytes it has where it is told as JSON, about.
#[derive(Debug, Clone)]
pub struct Rows<T> {
    read: Vec<(T, usize)>,
    bytes: usize,
    /// How many bytes of them are taken.
    room: usize,
}

impl<T> Rows<T> {
    /// Begins with none.
    ///
    /// The row that uses up the room is the last.
    pub(crate) fn for_room(room: usize) -> Self {
        Self {
            read: Vec::new(),
            bytes: 0,
            room,
        }
    }

    /// Makes them rows after which there may be more.
    pub(crate) fn cut(self) -> Self {
        Self { room: 0, ..self }
    }

    /// Returns `true` if the room is used up, so that there may be more.
    pub(crate) fn is_cut(&self) -> bool {
        self.bytes >= self.room
    }

    /// Adds a row.
    ///
    /// Returns `true` if there is room for more; if not, there may be more all the same.
    pub(crate) fn push(&mut self, row: T, bytes: usize) -> bool {
        self.bytes += bytes;
        self.read.push((row, bytes));
        !self.is_cut()
    }

    /// Joins neighbours that belong together.
    ///
    /// Where the rows are cut, the last ones may lack a part of theirs: they are left out, to be read again.
    pub(crate) fn join(self, is_same: impl Fn(&T, &T) -> bool, mut join: impl FnMut(&mut T, T)) -> Self {
        let is_cut = self.is_cut();
        let mut joined: Vec<(T, usize)> = Vec::new();
        for (row, bytes) in self.read {
            match joined.last_mut() {
                Some((last, size)) if is_same(last, &row) => {
                    join(last, row);
                    *size += bytes;
                }
                _ => joined.push((row, bytes)),
            }
        }
        if is_cut && joined.len() > 1 {
            joined.pop();
        }
        Self { read: joined, ..self }
    }

    /// Returns `true` if no more rows follow, where `asked` were asked for.
    pub fn are_last(&self, asked: i64) -> bool {
        !self.is_cut() && i64::try_from(self.read.len()).is_ok_and(|read| read < asked)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.read.len()
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    /// Returns how many bytes they have together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the rows.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.read.iter().map(|(row, _)| row)
    }

    /// Returns the rows, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.read.iter_mut().map(|(row, _)| row)
    }

    /// Returns the rows without their sizes.
    pub fn into_rows(self) -> Vec<T> {
        self.read.into_iter().map(|(row, _)| row).collect()
    }
}

impl<T> Rows<Option<T>> {
    /// Leaves out what is none.
    ///
    /// What they had of the room stays taken.
    pub(crate) fn present(self) -> Rows<T> {
        let read = self.read.into_iter();
        Rows {
            read: read.filter_map(|(row, bytes)| Some((row?, bytes))).collect(),
            bytes: self.bytes,
            room: self.room,
        }
    }
}

impl<T> FromIterator<(T, usize)> for Rows<T> {
    fn from_iter<I: IntoIterator<Item = (T, usize)>>(rows: I) -> Self {
        let rows: Vec<(T, usize)> = rows.into_iter().collect();
        Self {
            bytes: rows.iter().map(|(_, bytes)| bytes).sum(),
            read: rows,
            room: usize::MAX,
        }
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = (T, usize);
    type IntoIter = IntoIter<(T, usize)>;

    fn into_iter(self) -> Self::IntoIter {
        self.read.into_iter()
    }
}
