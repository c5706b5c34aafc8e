//! The head of SQLite's index of its write-ahead log, as it stands in `forge.db-shm`.
//!
//! Whoever commits or fills the database from the log says so here first or last, so it tells whether a change of the
//! files was one of SQLite's. The form is that of <https://www.sqlite.org/walformat.html>.

use std::fs::File;
use std::io;

use crate::log_checksum::checksum;

/// The bytes that are read: two copies of the head, and how far the database was filled from the log.
const BYTES: usize = 136;

/// The bytes of one copy of the head, and those that its checksum covers.
const HEAD: usize = 48;
const SUMMED: usize = 40;

/// What the index says at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogIndex {
    /// Counts commits; it begins anew only with a new index.
    pub(crate) commits: u32,
    /// The bytes of a page of the database.
    pub(crate) page_bytes: u32,
    /// The number of the last frame of the log that counts; 0 of an empty log.
    pub(crate) last_frame: u32,
    /// The checksum that stands in that frame, over all of the log before it.
    pub(crate) frame_checksum: [u32; 2],
    /// Whether checksums of the log are over numbers whose highest byte comes first.
    pub(crate) is_big_endian: bool,
    /// What distinguishes this log from the one that was in the file before.
    pub(crate) salts: [u8; 8],
    /// How many frames were copied into the database, and how many somebody set out to copy.
    pub(crate) filled: u32,
    pub(crate) filling: u32,
}

impl LogIndex {
    /// Reads the head, or `None` if it is not whole, as it is for the moment in which somebody writes it.
    pub(crate) fn read(file: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; BYTES];
        crate::file::read_exact_at(file, &mut bytes, 0)?;
        Ok(Self::parse(&bytes))
    }

    fn parse(bytes: &[u8; BYTES]) -> Option<Self> {
        let number = |at: usize| {
            let four = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_ne_bytes(four))
        };
        let (head, copy) = (bytes.get(..HEAD)?, bytes.get(HEAD..2 * HEAD)?);
        let sum = checksum(bytes.get(..SUMMED)?, [0, 0], cfg!(target_endian = "big"));
        let is_whole = head == copy && sum == [number(40)?, number(44)?] && bytes[12] == 1;
        let page_bytes = u16::from_ne_bytes([bytes[14], bytes[15]]);
        is_whole.then_some(Self {
            commits: number(8)?,
            // 65536 does not fit.
            page_bytes: if page_bytes == 1 { 65536 } else { page_bytes.into() },
            last_frame: number(16)?,
            frame_checksum: [number(24)?, number(28)?],
            is_big_endian: bytes[13] == 1,
            salts: bytes.get(32..40)?.try_into().ok()?,
            filled: number(96)?,
            filling: number(128)?,
        })
    }

    /// Returns `true` if SQLite can have come here from there: by further commits, or by beginning the log anew.
    pub(crate) fn follows(&self, earlier: &Self) -> bool {
        let commits = self.commits.wrapping_sub(earlier.commits);
        match commits {
            0 => self.last_frame == 0 || self.log() == earlier.log(),
            _ => commits <= u32::MAX / 2,
        }
    }

    /// Returns `true` if nobody has copied anything into the database between there and here, or is about to.
    pub(crate) fn has_filled_nothing_since(&self, earlier: &Self) -> bool {
        let fill = |index: &Self| (index.salts, index.filled, index.filling);
        fill(self) == fill(earlier) && self.filled == self.filling
    }

    /// Returns what identifies the content of the log.
    pub(crate) fn log(&self) -> ([u8; 8], u32, [u32; 2]) {
        (self.salts, self.last_frame, self.frame_checksum)
    }
}
