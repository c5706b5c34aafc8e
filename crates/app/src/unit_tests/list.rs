//! Lists of unit tests, and the search among them.

use std::collections::BTreeSet;

use forge_domain::access::Permission;
use forge_domain::service::TagFilter;
use forge_domain::simulation::UnitTest;
use forge_domain::{MetricId, PersonaId, ScenarioId, ServiceId, UnitTestId, UserRef};
use forge_store::SortValue;

use super::attributes;
use crate::searching::{MAX_FOUND, Words, distinct};
use crate::sorting::Sorted;
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
    fn of<'t>(tests: impl Iterator<Item = &'t UnitTest> + Clone) -> Self {
        let mut values = Self {
            creators: distinct(tests.clone().map(|test| &test.creator)),
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
    let is_first = query.continuation_token == 0;
    if !caller.may_some(PERMISSION) {
        return Ok(UnitTestPage {
            page: Page::empty(),
            filter_values: is_first.then(UnitTestFilterValues::default),
        });
    }
    let mut tx = app.store.read().await?;
    // All of them, because the one at which the page before this ended may have ceased to pass the filter.
    let tests = tx.list_unit_tests(&caller.organization, None).await?;
    let is_visible = |test: &UnitTest| query.filter.admits(test) && caller.may(PERMISSION, &attributes(test));
    let filter_values =
        is_first.then(|| UnitTestFilterValues::of(tests.iter().filter(|test| is_visible(test))));
    let sort: Vec<(UnitTestSort, bool)> = query
        .by_update
        .map(|latest_first| (UnitTestSort::UpdatedAt, latest_first))
        .into_iter()
        .collect();
    let list = Sorted::moving("unit_test", &sort, sort_value, |test: &UnitTest| test.seq);
    let mut page = list
        .page(app, &mut tx, caller, query.limit, query.continuation_token)
        .await?;
    list.add_all(&mut page, tests, is_visible)?;
    Ok(UnitTestPage {
        page: list.finish(app, tx, caller, page).await?,
        filter_values,
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum UnitTestSort {
    UpdatedAt,
}

fn sort_value(UnitTestSort::UpdatedAt: UnitTestSort, test: &UnitTest) -> SortValue {
    SortValue::Integer(test.updated_at.as_millis())
}

/// Returns the first unit tests that the caller may see, that pass the filter, and whose name or description has every
/// word of the query. Deleted ones are not found.
pub async fn search(
    app: &App,
    caller: &Caller,
    query: &str,
    filter: &UnitTestFilter,
) -> Result<Vec<UnitTest>, AppError> {
    if !caller.may_some(PERMISSION) {
        return Ok(Vec::new());
    }
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
