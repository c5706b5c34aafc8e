//! Unit tests: a persona in a scenario talks to a service, and the conversation has to meet criteria.

use serde::{Deserialize, Serialize};

use crate::actor::UserRef;
use crate::fault::{Fault, Step};
use crate::item::{Item, ItemDetails, ItemKind};
use crate::metric::Criterion;
use crate::refusal::Refusal;
use crate::tag::Tags;
use crate::time::Timestamp;
use crate::version_set::SetName;
use crate::{MetricId, PersonaId, ScenarioId, ServiceId, UnitTestId, UnitTestSetId, UnitTestSetRunId};

/// How many conversations one run of a set may hold, so that a slip of the keyboard does not cost a fortune.
pub const MAX_CONVERSATIONS: u64 = 1000;

/// How many tests are named where somebody has to know which use a thing.
const TOLD: usize = 10;

/// A test of a version set.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTest {
    /// Its id.
    pub id: UnitTestId,
    /// Its place in the organization's list; grows with creation.
    pub seq: i64,
    /// What it does.
    pub fields: UnitTestFields,
    /// Whether it was deleted; its runs still refer to it.
    pub is_deleted: bool,
    /// Who created it.
    pub creator: UserRef,
    /// Who changed it last.
    pub updated_by: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What a unit test does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitTestFields {
    /// Its name; unique among those that are not deleted.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The service that is talked to.
    pub service_id: ServiceId,
    /// The service's set that is tried.
    #[serde(rename = "service_version_set_name")]
    pub version_set_name: SetName,
    /// Who talks.
    pub persona_id: PersonaId,
    /// What they are after.
    pub scenario_id: ScenarioId,
    /// After how many interactions a conversation that goes on has failed.
    pub max_interactions: u32,
    /// How many conversations are held each time the test is run.
    pub run_count: u32,
    /// What every conversation has to meet.
    pub success_criterions: Vec<SuccessCriterion>,
    /// Its tags.
    pub tags: Tags,
}

impl UnitTestFields {
    /// Returns `true` if the test uses an item.
    pub fn uses<D: ItemDetails>(&self, item: &Item<D>) -> bool {
        let id = item.id.to_string();
        match D::KIND {
            ItemKind::Persona => self.persona_id.to_string() == id,
            ItemKind::Scenario => self.scenario_id.to_string() == id,
            ItemKind::Metric => {
                let mut criteria = self.success_criterions.iter();
                criteria.any(|criterion| criterion.metric_id.to_string() == id)
            }
            ItemKind::BehaviorSet => false,
        }
    }
}

/// What a metric of a conversation has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuccessCriterion {
    /// A name for people.
    pub name: String,
    /// The metric.
    pub metric_id: MetricId,
    /// Which values pass.
    pub criterion: Criterion,
}

/// Some unit tests that are run together.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTestSet {
    /// Its id.
    pub id: UnitTestSetId,
    /// Its place in the organization's list; grows with creation.
    pub seq: i64,
    /// What it holds.
    pub fields: UnitTestSetFields,
    /// The run of it that was created last.
    pub last_run_id: Option<UnitTestSetRunId>,
    /// Whether it was deleted; its runs still refer to it.
    pub is_deleted: bool,
    /// Who created it.
    pub creator: UserRef,
    /// Who changed it last.
    pub updated_by: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What a set of unit tests holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitTestSetFields {
    /// Its name; unique among those that are not deleted.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The tests, in the order of their results.
    pub unit_test_runs: Vec<UnitTestEntry>,
    /// Its tags.
    pub tags: Tags,
}

impl UnitTestSetFields {
    /// Returns `true` if the set runs the test.
    pub fn runs(&self, test: UnitTestId) -> bool {
        self.unit_test_runs.iter().any(|entry| entry.unit_test_id == test)
    }
}

/// A test within a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitTestEntry {
    /// The test.
    pub unit_test_id: UnitTestId,
    /// How often it is run.
    pub run_count: u32,
}

/// A unit test as those are told who use what it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitTestRef {
    /// Its id.
    pub id: UnitTestId,
    /// Its name.
    pub name: String,
    /// Whether the reader may know no more of it than that it is there.
    pub is_hidden: bool,
}

/// Returns why a thing that unit tests use has to stay as it is, or `None` if none does.
///
/// `what` says which thing, such as "version set `test`".
pub fn check_unused(what: impl Into<String>, tests: &[UnitTestRef]) -> Option<Refusal> {
    (!tests.is_empty()).then(|| Refusal::UsedByUnitTests {
        what: what.into(),
        tests: named(
            tests
                .iter()
                .map(|test| (!test.is_hidden).then(|| (test.id.to_string(), test.name.as_str()))),
        ),
    })
}

/// Returns the names and ids of some things, the first few of them; `None` stands for one that the reader may not see.
pub fn named<'a>(things: impl Iterator<Item = Option<(String, &'a str)>>) -> String {
    let (mut told, mut more, mut hidden) = (Vec::new(), 0, 0);
    for thing in things {
        match thing {
            None => hidden += 1,
            Some(_) if told.len() == TOLD => more += 1,
            Some((id, name)) => told.push(format!("`{}` ({id})", crate::shortened(name))),
        }
    }
    let mut parts = Vec::new();
    if !told.is_empty() {
        parts.push(told.join(", "));
    }
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    if hidden > 0 {
        parts.push(format!("{hidden} that you may not see"));
    }
    parts.join(" and ")
}

/// Returns what is wrong with the entries of a set: more conversations than one run may hold.
pub fn check_entries(entries: &[UnitTestEntry]) -> Option<Fault> {
    let conversations: u64 = entries.iter().map(|entry| u64::from(entry.run_count)).sum();
    (conversations > MAX_CONVERSATIONS).then(|| {
        let loc: Vec<Step> = vec!["unit_test_runs".into()];
        let msg = format!("a run holds at most {MAX_CONVERSATIONS} conversations, these are {conversations}");
        Fault::new(loc, "too_many_conversations", msg)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(name: &str) -> UnitTestRef {
        UnitTestRef {
            id: "0123456789abcdef01234567".parse().unwrap(),
            name: name.into(),
            is_hidden: false,
        }
    }

    #[test]
    fn tests_that_the_reader_may_not_see_are_counted_and_not_named() {
        let hidden = || UnitTestRef {
            is_hidden: true,
            ..test("secret")
        };
        let text = |tests: &[UnitTestRef]| check_unused("x", tests).unwrap().message();
        assert_eq!(text(&[hidden()]), "unit tests use x: 1 that you may not see");
        let both = text(&[hidden(), test("greets"), hidden()]);
        assert!(
            both.ends_with("`greets` (0123456789abcdef01234567) and 2 that you may not see"),
            "{both}"
        );
    }

    #[test]
    fn whoever_is_refused_is_told_which_tests_stand_in_the_way() {
        assert_eq!(check_unused("version set `test`", &[]), None);
        let refusal = check_unused("version set `test`", &[test("greets"), test("thanks")]).unwrap();
        let text = refusal.to_string();
        for part in [
            "version set `test`",
            "`greets`",
            "`thanks`",
            "0123456789abcdef01234567",
        ] {
            assert!(text.contains(part), "{text}");
        }
        let many: Vec<_> = (0..13).map(|number| test(&format!("test {number}"))).collect();
        let text = check_unused("x", &many).unwrap().to_string();
        assert!(text.contains("and 3 more") && !text.contains("test 10"), "{text}");
    }

    #[test]
    fn a_set_holds_as_many_conversations_as_a_run_may() {
        let entry = |run_count| UnitTestEntry {
            unit_test_id: "0123456789abcdef01234567".parse().unwrap(),
            run_count,
        };
        assert_eq!(check_entries(&[entry(999), entry(1)]), None);
        assert!(check_entries(&[entry(1000), entry(1)]).is_some());
        assert!(check_entries(&[entry(u32::MAX), entry(u32::MAX)]).is_some());
    }
}
