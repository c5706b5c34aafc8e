//! Lists of unit tests, and the search among them.

use std::collections::BTreeSet;

use forge_domain::access::Permission;
use forge_domain::service::TagFilter;
use forge_domain::simulation::UnitTest;
use forge_domain::{MetricId, PersonaId, ScenarioId, ServiceId, UnitTestId, UserRef};

use super::attributes;
use crate::page::PageBuilder;
use crate::searching::{MAX_FOUND, Words, distinct};
use crate::{App, AppError, Caller, Page};

const PERMISSION: Permission = Permission::GetUnitTest;

/// Which unit tests are wanted. An empty list asks for nothing; the values of one list are alternatives, except tags.
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
    fn admits(&self, test: &UnitTest) -> bool {
        fn any<T: PartialEq>(wanted: &[T], is: &T) -> bool {
            wanted.is_empty() || wanted.contains(is)
        }
        let fields = &test.fields;
        any(&self.ids, &test.id)
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

/// What a caller asks of a list of unit tests.
#[derive(Debug, Clone, Default)]
pub struct ListUnitTests {
    /// Which ones.
    pub filter: UnitTestFilter,
    /// Whether they are sorted by their last change, and the latest first; else they come in order of creation.
    pub by_update: Option<bool>,
    /// How many at the most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A page of unit tests.
#[derive(Debug, Clone)]
pub struct UnitTestPage {
    /// The tests.
    pub page: Page<UnitTest>,
    /// What the tests under the filter that the caller may see can be filtered by, on the first page.
    pub filter_values: Option<UnitTestFilterValues>,
}

/// The values that filters can take.
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
    fn of(tests: &[UnitTest]) -> Self {
        let mut values = Self {
            creators: distinct(tests.iter().map(|test| &test.creator)),
            ..Self::default()
        };
        for UnitTest { fields, .. } in tests {
            values.tags.extend(fields.tags.keys().cloned());
            values.services.insert(fields.service_id);
            values.personas.insert(fields.persona_id);
            values.scenarios.insert(fields.scenario_id);
            let criteria = fields.success_criterions.iter();
            values
                .metrics
                .extend(criteria.map(|criterion| criterion.metric_id));
        }
        values
    }
}

/// Returns a page of the unit tests that the caller may see.
pub async fn list(app: &App, caller: &Caller, query: &ListUnitTests) -> Result<UnitTestPage, AppError> {
    caller.authorize_some(PERMISSION)?;
    let mut tx = app.store.read().await?;
    let mut tests = tx
        .list_unit_tests(&caller.organization, query.filter.is_deleted)
        .await?;
    tests.retain(|test| query.filter.admits(test));
    let is_first = query.continuation_token == 0;
    let is_visible = |test: &UnitTest| caller.may(PERMISSION, &attributes(test));
    tests.retain(is_visible);
    let filter_values = is_first.then(|| UnitTestFilterValues::of(&tests));
    let sort: Vec<((), bool)> = query
        .by_update
        .map(|latest_first| ((), latest_first))
        .into_iter()
        .collect();
    let by_update = |(), left: &UnitTest, right: &UnitTest| left.updated_at.cmp(&right.updated_at);
    let mut page = PageBuilder::new(query.limit, query.continuation_token);
    page.add_all(tests, &sort, by_update, |test| test.seq, is_visible)?;
    Ok(UnitTestPage {
        page: page.finish(),
        filter_values,
    })
}

/// Returns the first unit tests that the caller may see, that pass the filter, and whose name or description has every
/// word of the query. Deleted ones are not found.
pub async fn search(
    app: &App,
    caller: &Caller,
    query: &str,
    filter: &UnitTestFilter,
) -> Result<Vec<UnitTest>, AppError> {
    caller.authorize_some(PERMISSION)?;
    let words = Words::of(query);
    let mut tx = app.store.read().await?;
    let tests = tx.list_unit_tests(&caller.organization, Some(false)).await?;
    let found = tests.into_iter().filter(|test| {
        let UnitTest { fields, .. } = test;
        filter.admits(test)
            && words.are_in(&[&fields.name, &fields.description])
            && caller.may(PERMISSION, &attributes(test))
    });
    Ok(found.take(MAX_FOUND).collect())
}
