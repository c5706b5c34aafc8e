//! Runs of sets of unit tests: what is fixed when a run is created, and what comes of its conversations.

use serde::{Deserialize, Serialize};

use super::unit_test::MAX_CONVERSATIONS;
use crate::actor::UserRef;
use crate::conversation::GraphVersion;
use crate::metric::{Criterion, MeasuredValue};
use crate::model::ModelPreferences;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::version::VersionNumber;
use crate::version_set::SetName;
use crate::{
    AgentId, ConversationId, MetricId, MetricResultId, OrganizationId, PersonaId, ScenarioId, ServiceId,
    UnitTestId, UnitTestSetId, UnitTestSetRunId,
};

/// A run of a set of unit tests.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTestSetRun {
    /// Its id.
    pub id: UnitTestSetRunId,
    /// Its place in the organization's list; grows with creation.
    pub seq: i64,
    /// The set.
    pub unit_test_set_id: UnitTestSetId,
    /// The set's name when the run was created.
    pub unit_test_set_name: String,
    /// What is run, in the order of the set.
    pub specs: Vec<RunSpec>,
    /// How far it has come.
    pub status: RunStatus,
    /// Whether a conversation has failed a criterion.
    pub failed_metrics: bool,
    /// Whether a conversation could not be held or judged, or the run was cancelled.
    pub errored: bool,
    /// Who created it.
    pub creator: UserRef,
    /// When.
    pub created_at: Timestamp,
    /// When its last conversation ended, or when it was cancelled.
    pub finished_at: Option<Timestamp>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Conversations are held, or wait for their turn.
    Running,
    /// Every conversation has ended.
    Completed,
    /// Somebody has stopped it.
    Cancelled,
}

/// One test of a run, with everything that it depends on as it was when the run was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The test.
    pub unit_test_id: UnitTestId,
    /// The test's name.
    pub unit_test_name: String,
    /// How many conversations are held.
    pub run_count: u32,
    /// The service that is talked to.
    pub service_id: ServiceId,
    /// The set that is tried.
    pub version_set_name: SetName,
    /// The set's revision.
    pub revision: i64,
    /// The agent's version that the set meant.
    pub agent: (AgentId, VersionNumber),
    /// The context graph's version that the set meant.
    pub context_graph: GraphVersion,
    /// Which models are called.
    pub llm_model_preferences: ModelPreferences,
    /// Who talks.
    pub persona: (PersonaId, VersionNumber),
    /// What they are after.
    pub scenario: (ScenarioId, VersionNumber),
    /// After how many interactions a conversation that goes on has failed.
    pub max_interactions: u32,
    /// What every conversation has to meet.
    pub metrics: Vec<MetricToJudge>,
}

/// A metric of a run, and which values pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricToJudge {
    /// The criterion's name.
    pub name: String,
    /// The metric.
    pub metric_id: MetricId,
    /// The metric's version.
    pub metric_version: VersionNumber,
    /// Which values pass.
    pub criterion: Criterion,
}

/// How much of a run a caller may know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visibility {
    /// What was run and what came of it.
    pub specs_and_results: bool,
    /// Of each test of the run also the persona, the scenario and the metrics.
    pub parts: Vec<bool>,
}

impl Visibility {
    /// Returns `true` if the persona, the scenario and the metrics of the test at a place of the run may be known.
    pub fn shows_parts_of(&self, spec: usize) -> bool {
        self.parts.get(spec).copied().unwrap_or(false)
    }
}

/// One conversation of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTestRun {
    /// The run.
    pub run_id: UnitTestSetRunId,
    /// Its number within the run, from 0.
    pub number: i64,
    /// Which of the run's specs it is of.
    pub spec: usize,
    /// How far it has come.
    pub state: UnitTestRunState,
    /// How often it was begun: more than once if a server stopped half-way.
    pub attempts: i64,
    /// The conversation, once there is one.
    pub conversation_id: Option<ConversationId>,
    /// Why it could not be held or judged.
    pub error: Option<String>,
    /// What was found, metric by metric; empty before the end and after an error.
    pub verdicts: Vec<Measurement>,
    /// How many interactions the conversation had.
    pub interactions: i64,
    /// When it was begun last.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// How far one conversation of a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitTestRunState {
    /// Nobody has begun it.
    Waiting,
    /// A server holds it.
    Running,
    /// It was judged.
    Judged,
    /// It could not be held or judged.
    Errored,
    /// The run was cancelled before its end.
    Cancelled,
}

/// What a metric was for a conversation.
///
/// Why, the stored result tells: that is erased with the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The result's id.
    pub result_id: MetricResultId,
    /// The criterion's name.
    pub name: String,
    /// The metric.
    pub metric_id: MetricId,
    /// The metric's version.
    pub metric_version: VersionNumber,
    /// What it was, or `None` if the conversation did not show it.
    pub value: Option<MeasuredValue>,
    /// Whether that passes. What a conversation does not show does not pass.
    pub passed: bool,
}

impl RunStatus {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns `true` if nothing more comes.
    pub fn is_final(self) -> bool {
        self != Self::Running
    }
}

impl UnitTestRunState {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Judged => "judged",
            Self::Errored => "errored",
            Self::Cancelled => "cancelled",
        }
    }

    /// Returns `true` if nothing more comes.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

macro_rules! from_words {
    ($type:ident, $what:literal, [$($variant:ident),*]) => {
        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                [$(Self::$variant),*]
                    .into_iter()
                    .find(|known| known.as_str() == word)
                    .ok_or_else(|| format!(concat!("`{}` is no ", $what), word))
            }
        }
    };
}

from_words!(RunStatus, "status of a run", [Running, Completed, Cancelled]);
from_words!(
    UnitTestRunState,
    "state of a unit test run",
    [Waiting, Running, Judged, Errored, Cancelled]
);

impl UnitTestRun {
    /// Returns `true` if the conversation met every criterion.
    pub fn has_passed(&self) -> bool {
        self.state == UnitTestRunState::Judged && self.verdicts.iter().all(|judged| judged.passed)
    }
}

/// Returns why a run of so many conversations cannot be created, or `None` if it can.
pub fn check_size(specs: &[RunSpec]) -> Option<Refusal> {
    let conversations: u64 = specs.iter().map(|spec| u64::from(spec.run_count)).sum();
    (conversations > MAX_CONVERSATIONS).then_some(Refusal::TooManyConversations {
        conversations,
        limit: MAX_CONVERSATIONS,
    })
}

/// What a list of runs is filtered by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunSummary {
    /// The run.
    pub id: UnitTestSetRunId,
    /// The set.
    pub unit_test_set_id: UnitTestSetId,
    /// The set's name then.
    pub unit_test_set_name: String,
    /// How far it has come.
    pub status: RunStatus,
    /// Whether a conversation has failed a criterion.
    pub failed_metrics: bool,
    /// Whether a conversation could not be held or judged.
    pub errored: bool,
    /// Who created it.
    pub creator: UserRef,
    /// When.
    pub created_at: Timestamp,
}

impl From<&UnitTestSetRun> for RunSummary {
    fn from(run: &UnitTestSetRun) -> Self {
        Self {
            id: run.id,
            unit_test_set_id: run.unit_test_set_id,
            unit_test_set_name: run.unit_test_set_name.clone(),
            status: run.status,
            failed_metrics: run.failed_metrics,
            errored: run.errored,
            creator: run.creator.clone(),
            created_at: run.created_at,
        }
    }
}

/// A run that is to be created.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// Its id.
    pub id: UnitTestSetRunId,
    /// The set.
    pub unit_test_set_id: UnitTestSetId,
    /// The set's name.
    pub unit_test_set_name: &'a str,
    /// What is run.
    pub specs: &'a [RunSpec],
    /// Who wants it.
    pub creator: &'a UserRef,
    /// When.
    pub created_at: Timestamp,
}

/// Names one conversation of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitTestRunKey {
    /// The organization.
    pub organization: OrganizationId,
    /// The run.
    pub run_id: UnitTestSetRunId,
    /// The conversation's number within the run.
    pub number: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: UnitTestRunState, passed: &[bool]) -> UnitTestRun {
        let judged = |passed: &bool| Measurement {
            result_id: "0123456789abcdef01234567".parse().unwrap(),
            name: "is kind".into(),
            metric_id: "0123456789abcdef01234567".parse().unwrap(),
            metric_version: VersionNumber::FIRST,
            value: None,
            passed: *passed,
        };
        UnitTestRun {
            run_id: "0123456789abcdef01234567".parse().unwrap(),
            number: 0,
            spec: 0,
            state,
            attempts: 1,
            conversation_id: None,
            error: None,
            verdicts: passed.iter().map(judged).collect(),
            interactions: 1,
            started_at: None,
            finished_at: None,
        }
    }

    #[test]
    fn a_conversation_passes_if_it_was_judged_and_met_everything() {
        assert!(run(UnitTestRunState::Judged, &[true, true]).has_passed());
        assert!(!run(UnitTestRunState::Judged, &[true, false]).has_passed());
        assert!(!run(UnitTestRunState::Errored, &[]).has_passed());
        assert!(!run(UnitTestRunState::Running, &[]).has_passed());
    }

    #[test]
    fn states_survive_their_words() {
        for state in ["waiting", "running", "judged", "errored", "cancelled"] {
            assert_eq!(state.parse::<UnitTestRunState>().unwrap().as_str(), state);
        }
        for status in ["running", "completed", "cancelled"] {
            assert_eq!(status.parse::<RunStatus>().unwrap().as_str(), status);
        }
        assert!("lost".parse::<RunStatus>().is_err());
    }
}
