//! Lists of runs.

use forge_domain::Direction;
use forge_domain::access::Permission;
use forge_domain::simulation::{RunFilter, RunFilterValues, UnitTestRun, UnitTestSetRun, Visibility};

use crate::access::resource::Resource as _;
use crate::page::{PageBuilder, unknown_token};
use crate::searching::distinct;
use crate::simulations::unit_test_sets::attributes_of;
use crate::simulations::unit_tests;
use crate::{AppError, Caller, Ctx, Page};

const PERMISSION: Permission = Permission::GetUnitTestSetRun;

/// What a caller asks of a list of runs.
#[derive(Debug, Clone, Default)]
pub struct ListRuns {
    /// Which ones.
    pub filter: RunFilter,
    /// In which direction they are sorted by their creation; `None` for the order of creation.
    pub by_creation: Option<Direction>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// Returns what a caller who may see a run may know of it.
pub(super) fn visibility(caller: &Caller, run: &UnitTestSetRun) -> Visibility {
    let parts = run.specs.iter().map(|spec| {
        let attributes = unit_tests::attributes_of(spec.unit_test_id, &spec.unit_test_name);
        caller.may(Permission::GetUnitTest, &attributes)
    });
    Visibility {
        specs_and_results: run.allows(caller, Permission::GetUnitTestSet),
        parts: parts.collect(),
    }
}

/// A run as a caller sees it.
#[derive(Debug, Clone)]
pub struct RunView {
    /// The run.
    pub run: UnitTestSetRun,
    /// Its conversations.
    pub conversations: Vec<UnitTestRun>,
    /// How much of this the caller may know.
    pub told: Visibility,
}

/// A page of runs.
#[derive(Debug, Clone)]
pub struct RunPage {
    /// The runs.
    pub page: Page<RunView>,
    /// What the runs under the filter that the caller may see can be filtered by, on the first page.
    pub filter_values: Option<RunFilterValues>,
}

/// Returns a page of the runs that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListRuns) -> Result<RunPage, AppError> {
    let Ctx { app, caller } = ctx;
    let is_first = query.continuation_token == 0;
    if !caller.may_some(PERMISSION) {
        return Ok(RunPage {
            page: Page::empty(),
            filter_values: is_first.then(RunFilterValues::default),
        });
    }
    let organization = &caller.organization;
    let mut tx = app.store.read().await?;
    let mut page = PageBuilder::of_large_rows(tx.room(), query.limit, query.continuation_token);
    while let Some(read) = page.next_read() {
        let rows = tx
            .list_unit_test_set_runs(organization, query.by_creation, read)
            .await?;
        let is_wanted =
            |run: &UnitTestSetRun| query.filter.admits(&run.into()) && run.allows(caller, PERMISSION);
        page.add(
            rows.ok_or_else(unknown_token)?,
            read.limit,
            |run| run.seq,
            is_wanted,
        );
    }
    let (runs, end) = page.end_with_sizes();
    // With their conversations, fewer of them may fit.
    let mut page = PageBuilder::new(tx.room(), query.limit, 0);
    for (run, bytes) in runs {
        let conversations = tx.list_unit_test_runs(organization, run.id).await?;
        let (seq, bytes) = (run.seq, bytes + conversations.bytes());
        let view = RunView {
            conversations: conversations.into_rows(),
            told: visibility(caller, &run),
            run,
        };
        if !page.put(view, bytes, seq) {
            break;
        }
    }
    let (views, cut) = page.end();
    let filter_values = if is_first {
        let mut heads = tx.list_run_summaries(organization).await?;
        heads.retain(|run| {
            let attributes = attributes_of(run.unit_test_set_id, &run.unit_test_set_name);
            query.filter.admits(run) && caller.may(PERMISSION, &attributes)
        });
        Some(RunFilterValues {
            creators: distinct(heads.iter().map(|run| &run.creator)),
            unit_test_sets: heads.iter().map(|run| run.unit_test_set_id).collect(),
        })
    } else {
        None
    };
    Ok(RunPage {
        page: Page {
            items: views,
            continuation_token: cut.or(end),
        },
        filter_values,
    })
}
