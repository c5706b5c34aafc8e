//! What callers ask of unit tests, of sets of them and of runs.

use super::unit_test::{SuccessCriterion, UnitTestEntry, UnitTestSetFields};
use crate::tag::Tags;
use crate::{PersonaId, ScenarioId, ServiceId, UnitTestSetId};

/// A unit test to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a unit test")]
pub struct CreateUnitTest {
    pub name: String,
    pub description: String,
    pub service_id: ServiceId,
    /// Whatever the caller wrote.
    pub version_set_name: String,
    pub persona_id: PersonaId,
    pub scenario_id: ScenarioId,
    pub max_interactions: u32,
    pub success_criterions: Vec<SuccessCriterion>,
    pub tags: Tags,
}

/// What changes about a unit test; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a unit test")]
pub struct UpdateUnitTest {
    pub description: Option<String>,
    pub service_id: Option<ServiceId>,
    /// Whatever the caller wrote.
    pub version_set_name: Option<String>,
    pub persona_id: Option<PersonaId>,
    pub scenario_id: Option<ScenarioId>,
    pub max_interactions: Option<u32>,
    pub run_count: Option<u32>,
    pub success_criterions: Option<Vec<SuccessCriterion>>,
    pub tags: Option<Tags>,
}

/// What changes about a set of unit tests; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a set")]
pub struct UpdateUnitTestSet {
    pub name: Option<String>,
    /// `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    pub unit_test_runs: Option<Vec<UnitTestEntry>>,
    pub tags: Option<Tags>,
}

impl UpdateUnitTestSet {
    /// Returns what a set holds after the change.
    #[must_use]
    pub fn apply(self, fields: &UnitTestSetFields) -> UnitTestSetFields {
        let fields = fields.clone();
        UnitTestSetFields {
            name: self.name.unwrap_or(fields.name),
            description: self.description.unwrap_or(fields.description),
            unit_test_runs: self.unit_test_runs.unwrap_or(fields.unit_test_runs),
            tags: self.tags.unwrap_or(fields.tags),
        }
    }
}

/// A run to be created.
#[derive(Debug, Clone)]
pub struct CreateRun {
    /// The set of unit tests.
    pub unit_test_set_id: UnitTestSetId,
    /// The service to talk to, instead of the tests' own.
    pub service_id: Option<ServiceId>,
    /// The version set to try, instead of the tests' own; whatever the caller wrote.
    pub version_set_name: Option<String>,
}
