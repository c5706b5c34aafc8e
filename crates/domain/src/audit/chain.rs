//! Looking for what was done to a chain after it was written.

use std::cmp::Ordering;
use std::fmt;

use super::{AuditEvent, Checkpoint, GENESIS_HASH};
use crate::{OrganizationId, Timestamp};

/// An end that the log is known to have had.
///
/// A log only ever grows, so it must still be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedHead {
    /// The number of the entry, where that is known too.
    pub sequence: Option<i64>,
    /// Its hash.
    pub hash: String,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainFaultKind {
    /// It is no entry at all.
    Unreadable(String),
    /// It is of another organization than the first.
    Organization,
    /// Entries before it, from this one on, are gone.
    Missing(i64),
    /// This number was due instead; so it stands in the wrong place, or was put in.
    OutOfPlace(i64),
    /// Its hash is not that of its content.
    Edited,
    /// The entry before it is not the one that it was written after.
    Unlinked,
    /// It claims to be older than the entry before it.
    TimeWentBack,
    /// Its change number is lower than that of the entry before it.
    ChangeNumberWentBack,
    /// The changes from this number on, before its own, have no entry: numbers of changes have no gaps.
    ChangeMissing(i64),
    /// The organization has made changes up to this number, after those that the log tells of.
    ChangesCut(i64),
    /// The log tells of changes after this number, which is the organization's last.
    ChangesUnknown(i64),
    /// The store does not know the organization, though it has its log.
    OrganizationGone,
    /// The log stands under an id that no organization can have.
    Ownerless(String),
    /// So many entries have no number of their own, or none that can be read.
    Unnumbered(u64),
    /// There is no entry at all; a log begins with the creation of its organization.
    Empty,
    /// The export does not end with its signed checkpoint.
    NoCheckpoint,
    /// A checkpoint vouches for another entry than the one before it.
    Checkpoint(String),
    /// Another entry stands where one is known to have been.
    Replaced,
    /// The log is known to have gone on after this entry.
    Cut,
}

impl ChainFaultKind {
    /// Returns the stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::Organization => "other_organization",
            Self::Missing(_) => "missing",
            Self::OutOfPlace(_) => "out_of_place",
            Self::Edited => "edited",
            Self::Unlinked => "unlinked",
            Self::TimeWentBack => "time_went_back",
            Self::ChangeNumberWentBack => "change_number_went_back",
            Self::ChangeMissing(_) => "change_missing",
            Self::ChangesCut(_) => "changes_cut",
            Self::ChangesUnknown(_) => "changes_unknown",
            Self::OrganizationGone => "organization_gone",
            Self::Ownerless(_) => "ownerless",
            Self::Unnumbered(_) => "unnumbered",
            Self::Empty => "empty",
            Self::NoCheckpoint => "no_checkpoint",
            Self::Checkpoint(_) => "checkpoint",
            Self::Replaced => "replaced",
            Self::Cut => "cut",
        }
    }
}

/// The first thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainFault {
    /// The number of the entry: as it says itself, or where it says none, the one that was due.
    pub sequence: i64,
    /// What is wrong.
    pub kind: ChainFaultKind,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sequence = self.sequence;
        match &self.kind {
            ChainFaultKind::Unreadable(why) => {
                write!(
                    f,
                    "what stands in the place of entry {sequence} is no entry: {why}"
                )
            }
            ChainFaultKind::Organization => write!(f, "entry {sequence} is of another organization"),
            ChainFaultKind::Missing(from) if from + 1 == sequence => {
                write!(f, "entry {from} is missing before entry {sequence}")
            }
            ChainFaultKind::Missing(from) => {
                write!(
                    f,
                    "entries {from} to {} are missing before entry {sequence}",
                    sequence - 1
                )
            }
            ChainFaultKind::OutOfPlace(due) => {
                write!(f, "entry {sequence} stands where entry {due} is due")
            }
            ChainFaultKind::Edited => write!(
                f,
                "entry {sequence} was edited: its hash is not that of its content"
            ),
            ChainFaultKind::Unlinked => {
                write!(
                    f,
                    "the entry before entry {sequence} is not the one that was there when it was written"
                )
            }
            ChainFaultKind::TimeWentBack => {
                write!(f, "entry {sequence} claims to be older than the one before it")
            }
            ChainFaultKind::ChangeNumberWentBack => {
                write!(
                    f,
                    "entry {sequence} has a lower change number than the one before it"
                )
            }
            ChainFaultKind::ChangeMissing(from) => {
                write!(
                    f,
                    "the change before the one of entry {sequence} has no entry: change {from} is due"
                )
            }
            ChainFaultKind::ChangesCut(last) => {
                write!(
                    f,
                    "the log ends after entry {sequence}, but the organization has made changes since, up to change {last}"
                )
            }
            ChainFaultKind::ChangesUnknown(last) => {
                write!(
                    f,
                    "entry {sequence} tells of a change after change {last}, which is the organization's last"
                )
            }
            ChainFaultKind::OrganizationGone => {
                f.write_str("the store does not know the organization, though it has its log")
            }
            ChainFaultKind::Ownerless(why) => {
                write!(
                    f,
                    "there are entries under an id that no organization can have: {why}"
                )
            }
            ChainFaultKind::Unnumbered(entries) => {
                write!(
                    f,
                    "so many entries have no number of their own, or none that can be read: {entries}"
                )
            }
            ChainFaultKind::Empty => {
                f.write_str("there is no entry; a log begins with the creation of its organization")
            }
            ChainFaultKind::NoCheckpoint => {
                write!(
                    f,
                    "the export ends after entry {sequence} without its signed checkpoint: it broke off, or was cut"
                )
            }
            ChainFaultKind::Checkpoint(why) => write!(f, "the checkpoint after entry {sequence} {why}"),
            ChainFaultKind::Replaced => {
                write!(
                    f,
                    "entry {sequence} is not the one that is known to have been there"
                )
            }
            ChainFaultKind::Cut => {
                write!(
                    f,
                    "the log ends after entry {sequence}, without an entry that it is known to have had"
                )
            }
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainReport {
    /// Whose log it is, or `None` if it is empty.
    pub organization: Option<OrganizationId>,
    /// How many entries there are.
    pub entries: u64,
    /// The number of the last entry, 0 if there is none.
    pub sequence: i64,
    /// Its hash, or `None` if it could not be read.
    pub hash: Option<String>,
    /// How many faults there are: at most one for each entry, expected head and checkpoint.
    pub faults: u64,
    /// The first of them.
    pub first_fault: Option<ChainFault>,
}

impl ChainReport {
    /// Returns `true` if nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.first_fault.is_none()
    }

    /// Returns the report about a log that is not there.
    pub fn missing(organization: OrganizationId) -> Self {
        let mut report = ChainCheck::new(Vec::new()).finish();
        report.organization = Some(organization);
        report
    }

    /// Returns the report about a log that stands under an id that no organization can have.
    pub fn ownerless(why: String) -> Self {
        let mut check = ChainCheck::new(Vec::new());
        check.fault(0, ChainFaultKind::Ownerless(why));
        check.report
    }
}

/// Checks a log from its first entry on, one entry after the other, in memory that does not grow with it.
///
/// After a fault it goes on from what it found, so that one deed is not counted again with every entry after it.
#[derive(Debug, Clone)]
pub struct ChainCheck {
    report: ChainReport,
    /// Time and change number of the entry before.
    last: Option<(Timestamp, i64)>,
    /// What has not been seen yet.
    expected: Vec<ExpectedHead>,
    /// Whether a checkpoint stands at the end so far, or `None` if none has to.
    ends_with_checkpoint: Option<bool>,
    /// The number of the last change that the organization has made, where that is known.
    last_change: Option<i64>,
}

impl ChainCheck {
    /// Begins a check.
    ///
    /// Without expected heads, entries that were cut off the end cannot be missed.
    pub fn new(expected: Vec<ExpectedHead>) -> Self {
        let mut check = Self {
            report: ChainReport {
                organization: None,
                entries: 0,
                sequence: 0,
                hash: Some(GENESIS_HASH.to_owned()),
                faults: 0,
                first_fault: None,
            },
            last: None,
            expected,
            ends_with_checkpoint: None,
            last_change: None,
        };
        check.note_seen(0, GENESIS_HASH);
        check
    }

    /// Demands that the log ends with a checkpoint, as every export does.
    #[must_use]
    pub fn with_checkpoint(mut self) -> Self {
        self.ends_with_checkpoint = Some(false);
        self
    }

    /// Demands that the last entry is of this change: the last one that the organization has made.
    ///
    /// If there is none, the organization is not there, though it should be.
    #[must_use]
    pub fn up_to_change(mut self, number: Option<i64>) -> Self {
        if number.is_none() {
            self.fault(0, ChainFaultKind::OrganizationGone);
        }
        self.last_change = number;
        self
    }

    /// Looks at the next entry, with the hash that was stored with it.
    pub fn add(&mut self, event: &AuditEvent, hash: &str) {
        if let Some(kind) = self.fault_of(event, hash) {
            self.fault(event.sequence, kind);
        }
        self.report
            .organization
            .get_or_insert_with(|| event.organization.clone());
        self.report.entries += 1;
        self.report.sequence = event.sequence;
        self.report.hash = Some(hash.to_owned());
        self.last = Some((event.created_at, event.change_number));
        self.note_end(false);
        self.note_seen(event.sequence, hash);
    }

    /// Notes that the next entry cannot be read.
    pub fn add_unreadable(&mut self, why: String) {
        let due = self.due();
        self.fault(due, ChainFaultKind::Unreadable(why));
        self.report.entries += 1;
        self.report.sequence = due;
        self.report.hash = None;
        self.note_end(false);
        // Which change it was of is unknown, too.
        self.last = None;
    }

    /// Notes how many entries there are that cannot be put in order.
    pub fn add_unnumbered(&mut self, entries: u64) {
        if entries > 0 {
            self.fault(self.report.sequence, ChainFaultKind::Unnumbered(entries));
        }
    }

    /// Holds a checkpoint that stands in the log against the entry before it.
    ///
    /// Whoever calls this has looked at its signature.
    pub fn add_checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.note_end(true);
        let report = &self.report;
        let is_of_log = report
            .organization
            .as_ref()
            .is_none_or(|own| *own == checkpoint.organization);
        let why = if !is_of_log {
            "is of another organization".to_owned()
        } else if report.sequence != checkpoint.sequence {
            format!("is one of entry {}", checkpoint.sequence)
        } else if report.hash.as_ref().is_some_and(|hash| *hash != checkpoint.hash) {
            "vouches for another entry of that number".to_owned()
        } else {
            self.report
                .organization
                .get_or_insert_with(|| checkpoint.organization.clone());
            return;
        };
        self.add_bad_checkpoint(why);
    }

    /// Notes what is wrong with a checkpoint that stands in the log, in words that go on from "the checkpoint".
    pub fn add_bad_checkpoint(&mut self, why: String) {
        self.note_end(true);
        self.fault(self.report.sequence, ChainFaultKind::Checkpoint(why));
    }

    /// Ends the check.
    pub fn finish(mut self) -> ChainReport {
        let sequence = self.report.sequence;
        if self.report.entries == 0 {
            self.fault(0, ChainFaultKind::Empty);
        } else if let (Some(made), Some((_, told))) = (self.last_change, self.last) {
            match told.cmp(&made) {
                Ordering::Less => self.fault(sequence, ChainFaultKind::ChangesCut(made)),
                Ordering::Greater => self.fault(sequence, ChainFaultKind::ChangesUnknown(made)),
                Ordering::Equal => {}
            }
        }
        for expected in std::mem::take(&mut self.expected) {
            match expected.sequence {
                Some(sequence) if sequence <= self.report.sequence => {
                    self.fault(sequence, ChainFaultKind::Replaced);
                }
                _ => self.fault(self.report.sequence, ChainFaultKind::Cut),
            }
        }
        if self.ends_with_checkpoint == Some(false) {
            self.fault(sequence, ChainFaultKind::NoCheckpoint);
        }
        self.report
    }

    /// Returns the number of the entry that comes next.
    fn due(&self) -> i64 {
        self.report.sequence.saturating_add(1)
    }

    fn fault_of(&self, event: &AuditEvent, hash: &str) -> Option<ChainFaultKind> {
        let (report, due) = (&self.report, self.due());
        let is_of_another = report
            .organization
            .as_ref()
            .is_some_and(|own| *own != event.organization);
        let is_linked = report
            .hash
            .as_ref()
            .is_none_or(|hash| *hash == event.previous_hash);
        let (time, change_number) = match self.last {
            Some(last) => last,
            None if report.entries == 0 => (event.created_at, 0),
            // The entry before it could not be read.
            None => (event.created_at, event.change_number),
        };
        let kinds = [
            (is_of_another, ChainFaultKind::Organization),
            (event.sequence > due, ChainFaultKind::Missing(due)),
            (event.sequence < due, ChainFaultKind::OutOfPlace(due)),
            (event.hash() != hash, ChainFaultKind::Edited),
            (!is_linked, ChainFaultKind::Unlinked),
            (event.created_at < time, ChainFaultKind::TimeWentBack),
            (
                // The first change is 1.
                event.change_number < change_number.max(1),
                ChainFaultKind::ChangeNumberWentBack,
            ),
            (
                event.change_number > change_number.saturating_add(1),
                ChainFaultKind::ChangeMissing(change_number.saturating_add(1)),
            ),
        ];
        kinds.into_iter().find_map(|(is_so, kind)| is_so.then_some(kind))
    }

    fn fault(&mut self, sequence: i64, kind: ChainFaultKind) {
        self.report.faults += 1;
        self.report
            .first_fault
            .get_or_insert(ChainFault { sequence, kind });
    }

    fn note_end(&mut self, is_checkpoint: bool) {
        if let Some(ends_with_checkpoint) = &mut self.ends_with_checkpoint {
            *ends_with_checkpoint = is_checkpoint;
        }
    }

    fn note_seen(&mut self, sequence: i64, hash: &str) {
        let is_seen =
            |head: &ExpectedHead| head.hash == hash && head.sequence.is_none_or(|number| number == sequence);
        self.expected.retain(|head| !is_seen(head));
    }
}

#[cfg(test)]
mod tests;
