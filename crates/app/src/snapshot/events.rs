//! The events of the latest changes, for those who follow an organization.

use std::sync::PoisonError;

use forge_store::AuditedChange;

use super::{SnapshotRead, Snapshots};
use crate::{App, AppError};

/// How many events a follower receives at once, about: as many as have some 64 KiB as text.
const EVENTS_PAGE: usize = 128;

/// More events than a single change has.
const EVENTS_OF_A_CHANGE: i64 = 1000;

/// The events of the changes after one of them, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) events: Vec<AuditedChange>,
    /// Up to which change they are all of them.
    pub(crate) up_to: i64,
}

impl Snapshots {
    /// Returns the events of the changes after one of them, up to that of the known state, or to an earlier one if there
    /// are many.
    ///
    /// Never to a later one: the state says what an event is about and who may see it. Returns `None` if they have to be
    /// read.
    pub(crate) fn recent_events(&self, known: &SnapshotRead, after: i64) -> Option<Events> {
        let entry = self.find(&known.state.organization.id)?;
        let recent = entry.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, up_to) = recent.after(after, EVENTS_PAGE)?;
        Some(Events { events, up_to }.not_later_than(known.state.change_number()))
    }

    /// Reads the same from the database.
    pub(crate) async fn read_events(
        &self,
        app: &App,
        known: &SnapshotRead,
        after: i64,
    ) -> Result<Events, AppError> {
        let (id, latest) = (&known.state.organization.id, known.state.change_number());
        let limit = i64::try_from(EVENTS_PAGE).unwrap_or(i64::MAX);
        let mut tx = app.store.read().await?;
        let page = tx.page_of_changes(id, after, limit).await?;
        let is_all = page.are_last(limit);
        let mut found = Events::of_whole_changes(page.into_rows(), is_all, latest);
        if found.up_to <= after {
            // The first change is more than a page, and is sent as a whole.
            let events = tx.list_changes(id, after, EVENTS_OF_A_CHANGE).await?;
            let is_all = i64::try_from(events.len()).is_ok_and(|count| count < EVENTS_OF_A_CHANGE);
            found = Events::of_whole_changes(events, is_all, latest).of_first_change();
        }
        Ok(found.not_later_than(latest))
    }
}

impl Events {
    /// Leaves out the events of the last change if there may be more of them.
    fn of_whole_changes(mut events: Vec<AuditedChange>, is_all: bool, latest: i64) -> Self {
        let last = events.last().map_or(latest, |event| event.change_number);
        if is_all {
            return Self {
                events,
                up_to: last.max(latest),
            };
        }
        events.retain(|event| event.change_number < last);
        Self {
            events,
            up_to: last - 1,
        }
    }

    /// Leaves out the events of all changes but the first.
    fn of_first_change(mut self) -> Self {
        self.up_to = self
            .events
            .first()
            .map_or(self.up_to, |event| event.change_number);
        self.events.retain(|event| event.change_number == self.up_to);
        self
    }

    /// Leaves out the events of changes after the latest one.
    fn not_later_than(mut self, latest: i64) -> Self {
        self.events.retain(|event| event.change_number <= latest);
        self.up_to = self.up_to.min(latest);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::recent::tests::event;
    use super::*;

    fn events(numbers: &[i64], up_to: i64) -> Events {
        let events = numbers.iter().copied().map(event).collect();
        Events { events, up_to }
    }

    fn whole_changes(numbers: &[i64], is_all: bool) -> Events {
        Events::of_whole_changes(events(numbers, 0).events, is_all, 9)
    }

    #[test]
    fn events_of_a_change_that_the_state_does_not_know_are_left_for_later() {
        let up_to_six = || events(&[4, 5, 5, 6], 6);
        assert_eq!(up_to_six().not_later_than(5), events(&[4, 5, 5], 5));
        assert_eq!(up_to_six().not_later_than(6), up_to_six());
        assert_eq!(up_to_six().not_later_than(9), up_to_six());
    }

    #[test]
    fn a_page_ends_with_a_whole_change() {
        assert_eq!(whole_changes(&[4, 5, 5], false), events(&[4], 4));
        assert_eq!(whole_changes(&[4, 5, 5], true), events(&[4, 5, 5], 9));
        assert_eq!(whole_changes(&[], true), events(&[], 9));
        assert_eq!(whole_changes(&[5, 5], false), events(&[], 4));
        assert_eq!(events(&[5, 5, 6], 9).of_first_change(), events(&[5, 5], 5));
    }
}
