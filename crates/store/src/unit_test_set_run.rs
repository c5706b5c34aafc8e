//! Runs of sets of unit tests.

use forge_domain::simulation::{NewRun, RunSpec, RunSummary, UnitTestSetRun};
use forge_domain::{Direction, OrganizationId, Timestamp, UnitTestSetId, UnitTestSetRunId, UserRef};

use crate::error::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Places, SortColumn, SortedList};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx};

/// Runs.
macro_rules! select_runs {
    ($rest:literal) => {
        concat!(
            "SELECT id, seq, unit_test_set_id, unit_test_set_name, specs, status, failed_metrics, errored,
                creator_org_id, creator_user_id, created_at, finished_at
            FROM unit_test_set_run ",
            $rest
        )
    };
}

statements! {
    // The row's lock orders the creation of runs.
    NEXT_UNIT_TEST_SET_RUN = "INSERT INTO unit_test_set_run_count (organization_id, runs) VALUES ($1, 1)
        ON CONFLICT (organization_id) DO UPDATE SET runs = unit_test_set_run_count.runs + 1
        RETURNING runs";
    INSERT_UNIT_TEST_SET_RUN = "INSERT INTO unit_test_set_run (organization_id, id, seq, unit_test_set_id,
            unit_test_set_name, specs, status, failed_metrics, errored, creator_org_id, creator_user_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'running', FALSE, FALSE, $7, $8, $9)";
    FIND_UNFINISHED_RUN = "SELECT id FROM unit_test_set_run
        WHERE organization_id = $1 AND unit_test_set_id = $2 AND creator_org_id = $3 AND creator_user_id = $4
            AND status = 'running'";
    FIND_UNIT_TEST_SET_RUN = select_runs!("WHERE organization_id = $1 AND id = $2");
    FIND_RUN_SORT_VALUES = "SELECT created_at FROM unit_test_set_run WHERE organization_id = $1 AND seq = $2";
    LIST_RUN_HEADS = "SELECT id, unit_test_set_id, unit_test_set_name, status, failed_metrics, errored, creator_org_id,
            creator_user_id, created_at
        FROM unit_test_set_run WHERE organization_id = $1 ORDER BY seq";
    CANCEL_RUN = "UPDATE unit_test_set_run SET status = 'cancelled', errored = TRUE, finished_at = $3
        WHERE organization_id = $1 AND id = $2 AND status = 'running'";
    CANCEL_UNIT_TEST_RUNS = "UPDATE unit_test_run SET state = 'cancelled', lease = NULL, finished_at = $3
        WHERE organization_id = $1 AND run_id = $2 AND state IN ('waiting', 'running')";
    // Each conversation's test is written with as many digits in one text, which both engines cut alike.
    INSERT_UNIT_TEST_RUNS = "INSERT INTO unit_test_run (organization_id, run_id, number, spec, state, attempts,
            leased_until, verdicts, interactions)
        WITH RECURSIVE conversation (number) AS (
            SELECT CAST(0 AS BIGINT) UNION ALL SELECT number + 1 FROM conversation WHERE number + 1 < CAST($3 AS BIGINT))
        SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), number,
            CAST(substr(CAST($4 AS TEXT), CAST(number * 6 + 1 AS INTEGER), 6) AS INTEGER), 'waiting', 0,
            CAST($5 AS BIGINT), '[]', 0
        FROM conversation";
}

/// The list of runs.
const LIST: SortedList = SortedList {
    name: "unit_test_set_run.list",
    select: select_runs!("WHERE organization_id = $1"),
    scope: 1,
    filters: &[],
    seq: "seq",
    columns: &[SortColumn::integer("created_at")],
    places: Places::Fixed(FIND_RUN_SORT_VALUES),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

fn head(row: &Row<'_>) -> Result<RunSummary, StoreError> {
    Ok(RunSummary {
        id: row.parse("id")?,
        unit_test_set_id: row.parse("unit_test_set_id")?,
        unit_test_set_name: row.text("unit_test_set_name")?,
        status: row.parse("status")?,
        failed_metrics: row.boolean("failed_metrics")?,
        errored: row.boolean("errored")?,
        creator: row.user("creator")?,
        created_at: row.time("created_at")?,
    })
}

fn set_run(row: &Row<'_>) -> Result<UnitTestSetRun, StoreError> {
    let head = head(row)?;
    Ok(UnitTestSetRun {
        id: head.id,
        seq: row.integer("seq")?,
        unit_test_set_id: head.unit_test_set_id,
        unit_test_set_name: row.text("unit_test_set_name")?,
        specs: row.json("specs")?,
        status: head.status,
        failed_metrics: head.failed_metrics,
        errored: head.errored,
        creator: head.creator,
        created_at: head.created_at,
        finished_at: row.optional_time("finished_at")?,
    })
}

impl Tx {
    /// Returns a run.
    pub async fn find_unit_test_set_run(
        &mut self,
        organization: &OrganizationId,
        id: UnitTestSetRunId,
    ) -> Result<Option<UnitTestSetRun>, StoreError> {
        self.optional(&FIND_UNIT_TEST_SET_RUN, args![organization, id], set_run)
            .await
    }

    /// Returns the run of a set that a user has created and that has not ended.
    pub async fn find_unfinished_run(
        &mut self,
        organization: &OrganizationId,
        set: UnitTestSetId,
        creator: &UserRef,
    ) -> Result<Option<UnitTestSetRunId>, StoreError> {
        let args = args![organization, set, &creator.org_id, &creator.user_id];
        self.optional(&FIND_UNFINISHED_RUN, args, |row| row.parse("id"))
            .await
    }

    /// Returns a page of runs by creation, if they are sorted by it.
    ///
    /// Returns `None` if there is no run at its place.
    pub async fn list_unit_test_set_runs(
        &mut self,
        organization: &OrganizationId,
        by_creation: Option<Direction>,
        page: PageRequest,
    ) -> Result<Option<Rows<UnitTestSetRun>>, StoreError> {
        let order = by_creation.map(|direction| direction.of(0));
        let args = ListArgs {
            scope: args![organization],
            filters: Vec::new(),
        };
        self.page(&LIST, args, order.as_slice(), page, set_run).await
    }

    /// Returns what every run of the organization is filtered by, in order of creation.
    pub async fn list_run_summaries(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<RunSummary>, StoreError> {
        self.all(&LIST_RUN_HEADS, args![organization], head).await
    }
}

impl RunTx {
    /// Returns the place of a run that is to be created.
    ///
    /// Until the transaction ends, nobody else creates one in the organization.
    pub async fn next_unit_test_set_run(&mut self) -> Result<i64, StoreError> {
        let args = args![&self.organization];
        let next = self.optional(&NEXT_UNIT_TEST_SET_RUN, args, |row| row.integer("runs"));
        Ok(next.await?.unwrap_or(1))
    }

    /// Adds a run at its place, with all its conversations waiting.
    pub async fn insert_unit_test_set_run(&mut self, seq: i64, run: &NewRun<'_>) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            run.id,
            seq,
            run.unit_test_set_id,
            run.unit_test_set_name,
            to_json(&run.specs),
            &run.creator.org_id,
            &run.creator.user_id,
            run.created_at,
        ];
        self.execute(&INSERT_UNIT_TEST_SET_RUN, args).await?;
        let (count, tests) = tests_of_conversations(run.specs);
        if count == 0 {
            return Ok(());
        }
        let args = args![&self.organization, run.id, count, tests, run.created_at];
        self.execute(&INSERT_UNIT_TEST_RUNS, args).await.map(drop)
    }

    /// Stops a run and all of its conversations.
    ///
    /// Returns `false` if it is not in progress.
    pub async fn cancel_unit_test_set_run(
        &mut self,
        run: UnitTestSetRunId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = args![&self.organization, run, now];
        if self.execute(&CANCEL_RUN, args.clone()).await? == 0 {
            return Ok(false);
        }
        self.execute(&CANCEL_UNIT_TEST_RUNS, args).await?;
        Ok(true)
    }
}

/// Returns how many conversations the tests have, and the position of each one's test in six digits.
fn tests_of_conversations(specs: &[RunSpec]) -> (i64, String) {
    let count = specs.iter().map(|spec| i64::from(spec.run_count)).sum();
    let tests = specs.iter().enumerate();
    let tests = tests.map(|(position, spec)| format!("{position:06}").repeat(spec.run_count as usize));
    (count, tests.collect())
}
