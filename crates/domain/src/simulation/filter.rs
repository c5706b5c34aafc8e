//! Which unit tests and sets of them a caller wants to see, and what filters can take.

use std::collections::BTreeSet;

use super::run::RunSummary;
use super::unit_test::{UnitTest, UnitTestSet};
use crate::actor::{UserRef, add_distinct};
use crate::tag::TagFilter;
use crate::time::Timestamp;
use crate::{MetricId, PersonaId, ScenarioId, ServiceId, UnitTestId, UnitTestSetId, UnitTestSetRunId};

/// Which unit tests are wanted.
///
/// An empty list asks for nothing; the values of one list are alternatives, except tags.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a unit test")]
pub struct UnitTestFilter {
    pub ids: Vec<UnitTestId>,
    pub is_deleted: Option<bool>,
    pub services: Vec<ServiceId>,
    pub personas: Vec<PersonaId>,
    pub scenarios: Vec<ScenarioId>,
    pub metrics: Vec<MetricId>,
    pub creators: Vec<UserRef>,
    pub tags: Vec<TagFilter>,
}

impl UnitTestFilter {
    /// Returns `true` if it passes.
    pub fn admits(&self, test: &UnitTest) -> bool {
        fn any<T: PartialEq>(wanted: &[T], is: &T) -> bool {
            wanted.is_empty() || wanted.contains(is)
        }
        let fields = &test.fields;
        self.is_deleted.is_none_or(|wanted| wanted == test.is_deleted)
            && any(&self.ids, &test.id)
            && any(&self.services, &fields.service_id)
            && any(&self.personas, &fields.persona_id)
            && any(&self.scenarios, &fields.scenario_id)
            && any(&self.creators, &test.creator)
            && (self.metrics.is_empty()
                || fields
                    .success_criterions
                    .iter()
                    .any(|criterion| self.metrics.contains(&criterion.metric_id)))
            && self.tags.iter().all(|filter| filter.matches(&fields.tags))
    }
}

/// What the filter of unit tests can take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the filter")]
pub struct UnitTestFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub services: BTreeSet<ServiceId>,
    pub personas: BTreeSet<PersonaId>,
    pub scenarios: BTreeSet<ScenarioId>,
    pub metrics: BTreeSet<MetricId>,
}

impl UnitTestFilterValues {
    /// Adds what it can be filtered by.
    pub fn add(&mut self, test: &UnitTest) {
        let fields = &test.fields;
        add_distinct(&mut self.creators, &test.creator);
        self.tags.extend(fields.tags.keys().cloned());
        self.services.insert(fields.service_id);
        self.personas.insert(fields.persona_id);
        self.scenarios.insert(fields.scenario_id);
        let criteria = fields.success_criterions.iter();
        self.metrics.extend(criteria.map(|criterion| criterion.metric_id));
    }
}

/// Which sets of unit tests are wanted.
///
/// An empty list asks for nothing; the values of one list are alternatives, except tags.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a set")]
pub struct UnitTestSetFilter {
    pub ids: Vec<UnitTestSetId>,
    pub is_deleted: Option<bool>,
    pub unit_tests: Vec<UnitTestId>,
    pub creators: Vec<UserRef>,
    pub tags: Vec<TagFilter>,
}

impl UnitTestSetFilter {
    /// Returns `true` if it passes.
    pub fn admits(&self, set: &UnitTestSet) -> bool {
        self.is_deleted.is_none_or(|wanted| wanted == set.is_deleted)
            && (self.ids.is_empty() || self.ids.contains(&set.id))
            && (self.creators.is_empty() || self.creators.contains(&set.creator))
            && (self.unit_tests.is_empty() || self.unit_tests.iter().any(|test| set.fields.runs(*test)))
            && self.tags.iter().all(|filter| filter.matches(&set.fields.tags))
    }
}

/// What the filter of sets of unit tests can take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the filter")]
pub struct UnitTestSetFilterValues {
    pub creators: Vec<UserRef>,
    pub unit_tests: BTreeSet<UnitTestId>,
    pub tags: BTreeSet<String>,
}

impl UnitTestSetFilterValues {
    /// Adds what it can be filtered by.
    pub fn add(&mut self, set: &UnitTestSet) {
        let entries = set.fields.unit_test_runs.iter();
        add_distinct(&mut self.creators, &set.creator);
        self.unit_tests.extend(entries.map(|entry| entry.unit_test_id));
        self.tags.extend(set.fields.tags.keys().cloned());
    }
}

/// Which runs are wanted.
///
/// An empty list asks for nothing; the values of one list are alternatives.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct RunFilter {
    pub ids: Vec<UnitTestSetRunId>,
    pub creators: Vec<UserRef>,
    pub unit_test_sets: Vec<UnitTestSetId>,
    pub is_completed: Option<bool>,
    pub failed_metrics: Option<bool>,
    pub errored: Option<bool>,
    pub created_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
}

impl RunFilter {
    /// Returns `true` if a run passes.
    pub fn admits(&self, run: &RunSummary) -> bool {
        fn flag(wanted: Option<bool>, is: bool) -> bool {
            wanted.is_none_or(|wanted| wanted == is)
        }
        (self.ids.is_empty() || self.ids.contains(&run.id))
            && (self.creators.is_empty() || self.creators.contains(&run.creator))
            && (self.unit_test_sets.is_empty() || self.unit_test_sets.contains(&run.unit_test_set_id))
            && flag(self.is_completed, run.status.is_final())
            && flag(self.failed_metrics, run.failed_metrics)
            && flag(self.errored, run.errored)
            && self.created_after.is_none_or(|bound| bound <= run.created_at)
            && self.created_before.is_none_or(|bound| run.created_at <= bound)
    }
}

/// What the filter of runs can take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the filter")]
pub struct RunFilterValues {
    pub creators: Vec<UserRef>,
    pub unit_test_sets: BTreeSet<UnitTestSetId>,
}
