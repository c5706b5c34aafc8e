//! The latest events of an organization, for those who follow its changes: they all ask for the same few.

use std::collections::VecDeque;

use forge_store::AuditedChange;

/// How many events are kept.
const MAX_EVENTS: usize = 1000;

/// All events of the changes after `after` up to `up_to`.
#[derive(Debug)]
pub(super) struct Recent {
    after: i64,
    up_to: i64,
    events: VecDeque<AuditedChange>,
}

impl Recent {
    /// Knows nothing but that a change was made.
    pub(super) fn starting_at(change_number: i64) -> Self {
        Self {
            after: change_number,
            up_to: change_number,
            events: VecDeque::new(),
        }
    }

    /// Adds all events of the changes since, up to this one.
    pub(super) fn push(&mut self, up_to: i64, events: Vec<AuditedChange>) {
        self.events.extend(events);
        self.up_to = up_to;
        while self.events.len() > MAX_EVENTS {
            if let Some(oldest) = self.events.pop_front() {
                self.after = oldest.change_number;
            }
        }
        // What is left of a change that is no longer whole.
        while self
            .events
            .front()
            .is_some_and(|event| event.change_number <= self.after)
        {
            self.events.pop_front();
        }
    }

    /// Returns the events of the changes after one of them, and up to which change they are all of them, or `None` if
    /// some are not kept any more.
    ///
    /// Of many, those of the first changes, about `most`.
    pub(super) fn after(&self, change_number: i64, most: usize) -> Option<(Vec<AuditedChange>, i64)> {
        if change_number < self.after {
            return None;
        }
        let before = |change: i64| self.events.partition_point(|event| event.change_number < change);
        let from = before(change_number + 1);
        let Some(cut) = self.events.get(from + most).map(|event| event.change_number) else {
            return Some((self.events.range(from..).cloned().collect(), self.up_to));
        };
        // A change is told as a whole, if need be by itself.
        let up_to = if before(cut) > from { cut - 1 } else { cut };
        let page = self.events.range(from..before(up_to + 1));
        Some((page.cloned().collect(), up_to))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use forge_domain::audit::AuditObject;
    use forge_domain::{Actor, ActorKind, Timestamp, UserRef};

    use super::*;

    pub(in crate::snapshot) fn event(change_number: i64) -> AuditedChange {
        AuditedChange {
            sequence: change_number,
            change_number,
            created_at: Timestamp::from_millis(0),
            actor: Actor {
                user: UserRef {
                    org_id: "acme".parse().unwrap(),
                    user_id: "u".to_owned(),
                },
                kind: ActorKind::Key,
                key: None,
            },
            action: "update".to_owned(),
            object: AuditObject {
                kind: "service".to_owned(),
                id: "s".to_owned(),
            },
            revision: None,
        }
    }

    fn numbers(recent: &Recent, after: i64) -> Option<Vec<i64>> {
        let (events, _) = recent.after(after, MAX_EVENTS)?;
        Some(events.iter().map(|event| event.change_number).collect())
    }

    #[test]
    fn events_are_told_from_any_change_that_is_still_kept() {
        let mut recent = Recent::starting_at(4);
        recent.push(6, vec![event(5), event(5), event(6)]);
        assert_eq!(numbers(&recent, 3), None);
        assert_eq!(numbers(&recent, 4), Some(vec![5, 5, 6]));
        assert_eq!(numbers(&recent, 5), Some(vec![6]));
        assert_eq!(numbers(&recent, 6), Some(vec![]));
    }

    #[test]
    fn a_change_is_kept_whole_or_not_at_all() {
        let mut recent = Recent::starting_at(0);
        recent.push(1, vec![event(1), event(1)]);
        let many = i64::try_from(MAX_EVENTS).unwrap();
        recent.push(many, (2..=many).map(event).collect());
        assert_eq!(numbers(&recent, 0), None);
        assert_eq!(numbers(&recent, 1), Some((2..=many).collect()));
    }

    #[test]
    fn of_many_the_first_changes_are_told_each_as_a_whole() {
        let mut recent = Recent::starting_at(0);
        recent.push(7, [1, 2, 2, 3, 3, 3, 4].map(event).to_vec());
        let page = |after, most| {
            let (events, up_to) = recent.after(after, most).unwrap();
            let numbers: Vec<i64> = events.iter().map(|event| event.change_number).collect();
            (numbers, up_to)
        };
        assert_eq!(page(0, 2), (vec![1], 1));
        assert_eq!(page(0, 3), (vec![1, 2, 2], 2));
        assert_eq!(page(2, 2), (vec![3, 3, 3], 3), "one by itself, however many");
        assert_eq!(page(3, 2), (vec![4], 7));
        assert_eq!(page(0, 7), (vec![1, 2, 2, 3, 3, 3, 4], 7));
        assert_eq!(page(7, 1), (vec![], 7));
    }
}
