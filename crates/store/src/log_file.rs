//! SQLite's write-ahead log, `forge.db-wal`: whether it holds what its index says.

use std::fs::File;
use std::io;

use crate::file::read_exact_at;
use crate::log_checksum::checksum;
use crate::log_index::LogIndex;

/// The bytes before the first frame, and before the page of each.
const HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

/// Returns `true` if the log begins and ends as its index says.
pub(crate) fn has_ends(file: &File, index: &LogIndex) -> io::Result<bool> {
    let Some(before) = index.last_frame.checked_sub(1) else {
        // Nothing in it counts.
        return Ok(true);
    };
    let mut head = [0; HEAD];
    let mut frame = [0; FRAME_HEAD];
    let at = HEAD as u64 + u64::from(before) * (FRAME_HEAD as u64 + u64::from(index.page_bytes));
    read_exact_at(file, &mut head, 0)?;
    read_exact_at(file, &mut frame, at)?;
    let needed = at + FRAME_HEAD as u64 + u64::from(index.page_bytes);
    Ok(head[16..24] == index.salts
        && frame[8..16] == index.salts
        && numbers(&frame[16..]) == index.frame_checksum
        && file.metadata()?.len() >= needed)
}

/// Returns `true` if every frame of the log that counts is the one that was written: each holds a checksum over all
/// before it.
pub(crate) fn is_whole(file: &File, index: &LogIndex) -> io::Result<bool> {
    if index.last_frame == 0 {
        return Ok(true);
    }
    let mut head = [0; HEAD];
    read_exact_at(file, &mut head, 0)?;
    let mut sum = checksum(&head[..24], [0, 0], index.is_big_endian);
    if sum != numbers(&head[24..]) || head[16..24] != index.salts {
        return Ok(false);
    }
    let mut frame = vec![0; FRAME_HEAD + index.page_bytes as usize];
    let mut at = HEAD as u64;
    for _ in 0..index.last_frame {
        read_exact_at(file, &mut frame, at)?;
        sum = checksum(&frame[..8], sum, index.is_big_endian);
        sum = checksum(&frame[FRAME_HEAD..], sum, index.is_big_endian);
        if sum != numbers(&frame[16..FRAME_HEAD]) || frame[8..16] != index.salts {
            return Ok(false);
        }
        at += frame.len() as u64;
    }
    Ok(sum == index.frame_checksum)
}

/// Returns the two numbers with which some bytes begin.
fn numbers(bytes: &[u8]) -> [u32; 2] {
    let (fours, _) = bytes.as_chunks::<4>();
    [0, 1].map(|index| fours.get(index).map_or(0, |four| u32::from_be_bytes(*four)))
}
