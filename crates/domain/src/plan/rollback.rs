//! Which revision a rollback restores.
//!
//! Every revision has a *place* in history: its own number, but that of a rollback is the place of the revision which
//! it restored. Going back means going to the revision before the place of the latest one. So a second rollback goes
//! behind what the first one restored, never forward to what the first one undid. Nothing goes behind the creation of
//! the set, its re-creation after a deletion, or a rebind of the service.

use std::collections::HashMap;

use crate::refusal::Refusal;
use crate::revision::RevisionAction;

/// A revision, as far as going back needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub revision: i64,
    /// What happened.
    pub action: RevisionAction,
    /// The revision that was restored, if one was.
    pub restored_revision: Option<i64>,
}

/// Returns the number of the revision that a rollback of a set restores: the one asked for, or the one that was in
/// force before the latest.
///
/// `history` holds every revision of the set.
///
/// # Errors
/// Says why there is nothing to restore, or why the revision asked for is not restored. Only with `lift_hold` does a
/// rollback go forward again to what another one undid.
pub fn choose_restored(
    set: &str,
    history: &[Past],
    to_revision: Option<i64>,
    lift_hold: bool,
) -> Result<i64, Refusal> {
    let history = History(history.iter().map(|past| (past.revision, *past)).collect());
    let nothing = || Refusal::NothingToRollBack(set.to_owned());
    let latest = history.0.keys().max().copied().ok_or_else(nothing)?;
    match to_revision {
        None => history.before(latest).ok_or_else(nothing),
        Some(revision) => history.check(set, revision, latest, lift_hold),
    }
}

struct History(HashMap<i64, Past>);

impl History {
    fn place(&self, mut revision: i64) -> i64 {
        // Restored revisions are older, so this ends.
        while let Some(restored) = self.0.get(&revision).and_then(|past| past.restored_revision) {
            revision = restored;
        }
        revision
    }

    /// Returns the revision that was in force before this one.
    fn before(&self, revision: i64) -> Option<i64> {
        let place = self.place(revision);
        let past = self.0.get(&place)?;
        (!self.is_boundary(past)).then(|| place - 1)
    }

    /// Returns `true` if nothing goes behind a revision.
    fn is_boundary(&self, past: &Past) -> bool {
        let is_first = past.revision == 1 || self.is_deletion(past.revision - 1);
        let is_one = matches!(
            past.action,
            RevisionAction::Create | RevisionAction::Rebind | RevisionAction::Delete
        );
        is_first || is_one
    }

    fn is_deletion(&self, revision: i64) -> bool {
        self.0
            .get(&revision)
            .is_some_and(|past| past.action == RevisionAction::Delete)
    }

    fn check(&self, set: &str, revision: i64, latest: i64, lift_hold: bool) -> Result<i64, Refusal> {
        if !self.0.contains_key(&revision) || self.is_deletion(revision) {
            let set = set.to_owned();
            return Err(Refusal::NoSuchRevision {
                set,
                revision,
                latest,
            });
        }
        let crossed = (revision + 1..=latest).rev().find_map(|later| {
            let past = self.0.get(&later)?;
            matches!(past.action, RevisionAction::Rebind | RevisionAction::Delete).then_some(past)
        });
        if let Some(past) = crossed {
            let (boundary, action) = (past.revision, past.action);
            return Err(Refusal::AcrossBoundary {
                revision,
                boundary,
                action,
            });
        }
        if !lift_hold && self.is_undone(revision, latest) {
            return Err(Refusal::UndoneRevision { revision });
        }
        Ok(revision)
    }

    /// Returns `true` if a rollback went behind a revision and nobody came back to it since.
    fn is_undone(&self, revision: i64, latest: i64) -> bool {
        let place = self.place(revision);
        let mut current = self.place(latest);
        while current > place {
            match self.before(current) {
                Some(before) => current = self.place(before),
                None => return true,
            }
        }
        current != place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RevisionAction::{Create, Delete, Promote, Rebind};
    use proptest::prelude::*;

    /// Creates a history of actions; `Ok(n)` stands for a rollback that restored revision `n`.
    fn history(steps: &[Result<i64, RevisionAction>]) -> Vec<Past> {
        let past = |(index, step): (usize, &Result<i64, RevisionAction>)| Past {
            revision: i64::try_from(index).unwrap() + 1,
            action: step.err().unwrap_or(RevisionAction::Rollback),
            restored_revision: step.ok(),
        };
        steps.iter().enumerate().map(past).collect()
    }

    fn choose(steps: &[Result<i64, RevisionAction>], to: Option<i64>) -> Result<i64, &'static str> {
        let history = history(steps);
        let chosen = choose_restored("release", &history, to, false);
        let is_there = |chosen| history.iter().any(|past| past.revision == chosen);
        assert!(chosen.iter().copied().all(is_there), "it restores what is there");
        chosen.map_err(|refusal| refusal.code())
    }

    #[test]
    fn a_second_rollback_goes_behind_what_the_first_restored() {
        let mut steps = vec![Err(Create), Err(Promote), Err(Promote)];
        assert_eq!(choose(&steps, None), Ok(2));
        steps.push(Ok(2));
        assert_eq!(choose(&steps, None), Ok(1));
        steps.push(Ok(1));
        assert_eq!(choose(&steps, None), Err("nothing_to_roll_back"));
        // What is promoted after the rollbacks goes back to where they led.
        steps.push(Err(Promote));
        assert_eq!(choose(&steps, None), Ok(5));
        steps.push(Ok(5));
        assert_eq!(choose(&steps, None), Err("nothing_to_roll_back"));
    }

    #[test]
    fn after_a_new_promotion_the_undone_one_stays_undone() {
        // A, B, back to A, C, back to A, and behind A.
        let mut steps = vec![Err(Create), Err(Promote), Err(Promote), Ok(2), Err(Promote)];
        assert_eq!(choose(&steps, None), Ok(4));
        steps.push(Ok(4));
        assert_eq!(choose(&steps, None), Ok(1));
    }

    #[test]
    fn nothing_goes_behind_a_deletion_or_a_rebind() {
        let recreated = [Err(Create), Err(Promote), Err(Delete), Err(Create)];
        assert_eq!(choose(&recreated, None), Err("nothing_to_roll_back"));
        assert_eq!(choose(&recreated, Some(2)), Err("across_deletion"));
        assert_eq!(choose(&recreated, Some(3)), Err("no_such_revision"));
        // A set that is deleted now comes back by an upsert or a promotion, not by a rollback.
        let deleted = [Err(Create), Err(Promote), Err(Delete)];
        assert_eq!(choose(&deleted, None), Err("nothing_to_roll_back"));
        assert_eq!(choose(&deleted, Some(2)), Err("across_deletion"));
        // A promotion can bring a set back too.
        let promoted = [Err(Create), Err(Delete), Err(Promote)];
        assert_eq!(choose(&promoted, None), Err("nothing_to_roll_back"));
        let rebound = [Err(Create), Err(Promote), Err(Rebind)];
        assert_eq!(choose(&rebound, None), Err("nothing_to_roll_back"));
        assert_eq!(choose(&rebound, Some(1)), Err("across_rebind"));
        // What stands at a boundary, or after it, is no matter of what lies behind.
        let later = [Err(Create), Err(Rebind), Err(Promote), Err(Promote)];
        assert_eq!(choose(&later, Some(2)), Ok(2));
        assert_eq!(choose(&later, Some(3)), Ok(3));
        let later = [Err(Create), Err(Rebind), Err(Promote)];
        assert_eq!(choose(&later, None), Ok(2));
        let back = [Err(Create), Err(Rebind), Err(Promote), Ok(2)];
        assert_eq!(choose(&back, None), Err("nothing_to_roll_back"));
    }

    #[test]
    fn an_undone_revision_comes_back_only_on_purpose() {
        let steps = [Err(Create), Err(Promote), Err(Promote), Ok(2), Err(Promote)];
        assert_eq!(choose(&steps, Some(3)), Err("undone_revision"));
        assert_eq!(choose_restored("release", &history(&steps), Some(3), true), Ok(3));
        for kept in [1, 2, 4, 5] {
            assert_eq!(choose(&steps, Some(kept)), Ok(kept));
        }
        assert_eq!(choose(&steps, Some(6)), Err("no_such_revision"));
        assert_eq!(choose(&steps, Some(0)), Err("no_such_revision"));
        // Once it came back on purpose, it is no longer undone.
        let forward = [
            Err(Create),
            Err(Promote),
            Err(Promote),
            Ok(2),
            Ok(3),
            Err(Promote),
        ];
        assert_eq!(choose(&forward, Some(3)), Ok(3));
        assert_eq!(choose(&forward, None), Ok(5));
    }

    #[test]
    fn a_set_that_never_was_cannot_go_back() {
        assert_eq!(choose(&[], None), Err("nothing_to_roll_back"));
        assert_eq!(choose(&[Err(Create)], None), Err("nothing_to_roll_back"));
    }

    proptest! {
        /// Rolling back again and again goes strictly further back and ends; it never meets what was undone.
        #[test]
        fn repeated_rollbacks_go_strictly_back(promotions in proptest::collection::vec(any::<bool>(), 0..30)) {
            let mut steps: Vec<Result<i64, RevisionAction>> = vec![Err(Create)];
            for is_promotion in promotions {
                let back = choose(&steps, None);
                match (is_promotion, back) {
                    (false, Ok(revision)) => steps.push(Ok(revision)),
                    _ => steps.push(Err(Promote)),
                }
            }
            let mut last = i64::MAX;
            loop {
                let past = history(&steps);
                let places = History(past.iter().map(|past| (past.revision, *past)).collect());
                match choose(&steps, None) {
                    Ok(revision) => {
                        let place = places.place(revision);
                        prop_assert!(place < last);
                        prop_assert!(!places.is_undone(revision, i64::try_from(steps.len()).unwrap()));
                        last = place;
                        steps.push(Ok(revision));
                    }
                    Err(code) => {
                        prop_assert_eq!(code, "nothing_to_roll_back");
                        break;
                    }
                }
            }
        }
    }
}
