//! Lists of unit tests, and the search among them.

use forge_domain::access::Permission;
use forge_domain::search::SearchTerms;
use forge_domain::simulation::{UnitTest, UnitTestFilter, UnitTestFilterValues};
use forge_domain::{Direction, Sort};
use forge_store::SortValue;

use crate::access::resource::Resource as _;
use crate::page::{PageBuilder, Scan};
use crate::searching::MAX_FOUND;
use crate::sorting::Sorted;
use crate::{AppError, Ctx, Page};

const PERMISSION: Permission = Permission::GetUnitTest;

/// What a caller asks of a list of unit tests.
#[derive(Debug, Clone, Default)]
pub struct ListUnitTests {
    /// Which ones.
    pub filter: UnitTestFilter,
    /// In which direction they are sorted by their last change; `None` for the order of creation.
    pub by_update: Option<Direction>,
    /// How many at most.
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

/// Returns a page of the unit tests that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListUnitTests) -> Result<UnitTestPage, AppError> {
    let Ctx { app, caller } = ctx;
    let is_first = query.continuation_token == 0;
    if !caller.may_some(PERMISSION) {
        return Ok(UnitTestPage {
            page: Page::empty(),
            filter_values: is_first.then(UnitTestFilterValues::default),
        });
    }
    let mut tx = app.store.read().await?;
    let is_visible = |test: &UnitTest| query.filter.admits(test) && test.allows(caller, PERMISSION);
    let sort: Vec<Sort<UnitTestSort>> = query
        .by_update
        .map(|direction| direction.of(UnitTestSort::UpdatedAt))
        .into_iter()
        .collect();
    let list = Sorted::moving("unit_test", &sort, sort_value, |test: &UnitTest| test.seq);
    let page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    let mut filter_values = is_first.then(UnitTestFilterValues::default);
    let (mut selection, mut scan) = (list.select(page), Scan::default());
    // All of them, because the one at which the page before this ended may have ceased to pass the filter.
    while let Some(place) = scan.next_read() {
        let tests = tx.list_unit_tests(&caller.organization, None, place).await?;
        scan.note(&tests, |test| test.seq);
        if let Some(values) = &mut filter_values {
            tests
                .iter()
                .filter(|test| is_visible(test))
                .for_each(|test| values.add(test));
        }
        selection.offer(tests, is_visible);
    }
    let page = selection.finish()?;
    Ok(UnitTestPage {
        page: list.finish(ctx, tx, page).await?,
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
/// word of the query.
///
/// Deleted ones are not found.
pub async fn search(ctx: Ctx<'_>, query: &str, filter: &UnitTestFilter) -> Result<Vec<UnitTest>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(PERMISSION) {
        return Ok(Vec::new());
    }
    let words = SearchTerms::new(query);
    let mut tx = app.store.read().await?;
    let is_found = |test: &UnitTest| {
        let UnitTest { fields, .. } = test;
        filter.admits(test)
            && words.are_in(&fields.name, &fields.description)
            && test.allows(caller, PERMISSION)
    };
    let mut found = PageBuilder::of_large_rows(tx.room(), MAX_FOUND, 0);
    while let Some(place) = found.next_read() {
        let tests = tx
            .list_unit_tests(&caller.organization, Some(false), place)
            .await?;
        found.add(tests, place.limit, |test| test.seq, is_found);
    }
    Ok(found.finish().items)
}
