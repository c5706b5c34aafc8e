//! Whose turn it is: conversations of runs are held by turns, so that no run waits for all of another's.

use std::collections::HashMap;

use crate::{OrganizationId, UnitTestSetRunId, UserRef};

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The organization.
    pub organization: OrganizationId,
    /// The run.
    pub run_id: UnitTestSetRunId,
    /// Who wants it.
    pub creator: UserRef,
    /// How many of its conversations are being held, by whichever server.
    pub held: u64,
    /// The number of its first conversation that was begun by a server whose lease has ended.
    pub lost: Option<i64>,
    /// The number of its first conversation that was not begun.
    pub waiting: Option<i64>,
}

impl UnfinishedRun {
    /// Returns the number of the conversation that is next: what was begun before comes first.
    pub fn to_do(&self) -> Option<i64> {
        self.lost.or(self.waiting)
    }
}

/// Remembers who had their turn when.
#[derive(Debug, Default)]
pub struct Turns {
    taken: u64,
    of_organizations: HashMap<OrganizationId, u64>,
    of_users: HashMap<(OrganizationId, UserRef), u64>,
}

impl Turns {
    /// Returns the run that is next: one of the organization of whose conversations the fewest are held; of several, of
    /// the one whose turn is longest ago.
    ///
    /// Among its users it is the same, and of a user's runs it is the first one.
    pub fn next<'r>(&mut self, runs: &'r [UnfinishedRun]) -> Option<&'r UnfinishedRun> {
        let user_of = |run: &UnfinishedRun| (run.organization.clone(), run.creator.clone());
        let mut by_organization: HashMap<&OrganizationId, u64> = HashMap::new();
        let mut by_user: HashMap<(OrganizationId, UserRef), u64> = HashMap::new();
        for run in runs {
            *by_organization.entry(&run.organization).or_default() += run.held;
            *by_user.entry(user_of(run)).or_default() += run.held;
        }
        // Whoever wants nothing any more begins anew.
        self.of_organizations
            .retain(|id, _| by_organization.contains_key(id));
        self.of_users.retain(|user, _| by_user.contains_key(user));
        let rank = |run: &&UnfinishedRun| {
            let user = user_of(run);
            (
                by_organization.get(&run.organization).copied(),
                self.of_organizations.get(&run.organization).copied(),
                by_user.get(&user).copied(),
                self.of_users.get(&user).copied(),
            )
        };
        let next = runs.iter().filter(|run| run.to_do().is_some()).min_by_key(rank)?;
        self.taken += 1;
        self.of_organizations
            .insert(next.organization.clone(), self.taken);
        self.of_users.insert(user_of(next), self.taken);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Id, Timestamp};

    /// Returns a run of somebody: `acme/mira`.
    fn run(number: u64, who: &str, held: u64, to_do: Option<i64>) -> UnfinishedRun {
        let (organization, user) = who.split_once('/').unwrap();
        let organization: OrganizationId = organization.parse().unwrap();
        UnfinishedRun {
            run_id: Id::new(Timestamp::from_millis(0), number.to_be_bytes()),
            creator: UserRef {
                org_id: organization.clone(),
                user_id: user.to_owned(),
            },
            organization,
            held,
            lost: None,
            waiting: to_do,
        }
    }

    /// Holds so many conversations of each run, `parallel` at once, of which the first one always ends first.
    ///
    /// Returns whose they were.
    fn held(runs: &mut [UnfinishedRun], (count, parallel): (usize, usize)) -> Vec<String> {
        let mut turns = Turns::default();
        let mut under_way: Vec<UnitTestSetRunId> = Vec::new();
        let mut told = Vec::new();
        for _ in 0..count {
            if under_way.len() == parallel {
                let ended = under_way.remove(0);
                runs.iter_mut().find(|run| run.run_id == ended).unwrap().held -= 1;
            }
            let next = turns.next(runs).unwrap().run_id;
            let next = runs.iter_mut().find(|run| run.run_id == next).unwrap();
            next.held += 1;
            under_way.push(next.run_id);
            told.push(format!("{}/{}", next.organization, next.creator.user_id));
        }
        told
    }

    #[test]
    fn organizations_take_turns_and_so_do_their_users() {
        for parallel in [1, 2, 4] {
            let mut runs = [
                run(1, "acme/mira", 0, Some(0)),
                run(2, "acme/mira", 0, Some(0)),
                run(3, "acme/paul", 0, Some(0)),
                run(4, "beta/lena", 0, Some(0)),
            ];
            let told = held(&mut runs, (8, parallel)).join(" ");
            let expected = "acme/mira beta/lena acme/paul beta/lena";
            assert_eq!(told, format!("{expected} {expected}"), "{parallel}");
        }
    }

    #[test]
    fn whoever_comes_later_is_next() {
        let mut turns = Turns::default();
        let mut runs = vec![run(1, "acme/mira", 3, Some(40))];
        assert_eq!(turns.next(&runs), Some(&runs[0]));
        runs.push(run(2, "beta/lena", 0, Some(0)));
        assert_eq!(turns.next(&runs), Some(&runs[1]));
        runs.push(run(3, "acme/paul", 0, Some(0)));
        runs[1].waiting = None;
        assert_eq!(turns.next(&runs), Some(&runs[2]), "the user who holds nothing");
        assert_eq!(turns.of_users.len(), 3);
        assert_eq!(turns.next(&[]), None);
        assert_eq!(turns.of_users.len(), 0, "nobody is remembered for ever");
    }

    #[test]
    fn what_was_begun_before_comes_first() {
        let mut unfinished = run(1, "acme/mira", 0, Some(2));
        assert_eq!(unfinished.to_do(), Some(2));
        unfinished.lost = Some(7);
        assert_eq!(unfinished.to_do(), Some(7));
        (unfinished.lost, unfinished.waiting) = (None, None);
        assert_eq!(unfinished.to_do(), None);
    }
}
