//! Conversations of runs of sets of unit tests.

use forge_domain::simulation::{UnfinishedRun, UnitTestRun, UnitTestRunKey};
use forge_domain::{OrganizationId, Timestamp, UnitTestSetRunId, lease};

use crate::error::StoreError;
use crate::row::{Row, args};
use crate::rows::Rows;
use crate::statement::statements;
use crate::tx::Tx;

/// The columns of a conversation of a run.
macro_rules! select_unit_test_run {
    ($conditions:literal) => {
        concat!(
            "SELECT run_id, number, spec, state, attempts, conversation_id, error, verdicts, interactions, started_at,
                finished_at
            FROM unit_test_run WHERE organization_id = $1 AND run_id = $2",
            $conditions
        )
    };
}

statements! {
    LIST_UNIT_TEST_RUNS = select_unit_test_run!(" ORDER BY number");
    FIND_UNIT_TEST_RUN = select_unit_test_run!(" AND number = $3");
    // This finds the organization: whoever has time looks for work of any of them. What waits needs no lease, and one that
    // ends later than any can is none.
    LIST_UNFINISHED_RUNS = "SELECT organization_id, id, creator_org_id, creator_user_id,
            (SELECT COUNT(*) FROM unit_test_run AS held
                WHERE held.organization_id = unit_test_set_run.organization_id AND held.run_id = unit_test_set_run.id
                    AND held.state IN ('waiting', 'running') AND held.state = 'running'
                    AND held.leased_until > $1 AND held.leased_until <= $2) AS held,
            (SELECT MIN(waiting.number) FROM unit_test_run AS waiting
                WHERE waiting.organization_id = unit_test_set_run.organization_id
                    AND waiting.run_id = unit_test_set_run.id
                    AND waiting.state IN ('waiting', 'running') AND waiting.state = 'waiting') AS waiting,
            (SELECT MIN(lost.number) FROM unit_test_run AS lost
                WHERE lost.organization_id = unit_test_set_run.organization_id AND lost.run_id = unit_test_set_run.id
                    AND lost.state IN ('waiting', 'running') AND lost.state = 'running'
                    AND (lost.leased_until <= $1 OR lost.leased_until > $2)) AS lost
        FROM unit_test_set_run
        WHERE status = 'running' AND (CAST($3 AS TEXT) IS NULL OR organization_id = $3)
        ORDER BY organization_id, seq";
}

fn unit_test_run(row: &Row<'_>) -> Result<UnitTestRun, StoreError> {
    Ok(UnitTestRun {
        run_id: row.parse("run_id")?,
        number: row.integer("number")?,
        spec: row.convert("spec")?,
        state: row.parse("state")?,
        attempts: row.integer("attempts")?,
        conversation_id: row.parse_optional("conversation_id")?,
        error: row.optional_text("error")?,
        verdicts: row.json("verdicts")?,
        interactions: row.integer("interactions")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
    })
}

impl Tx {
    /// Returns the conversations of a run, in order.
    pub async fn list_unit_test_runs(
        &mut self,
        organization: &OrganizationId,
        run: UnitTestSetRunId,
    ) -> Result<Rows<UnitTestRun>, StoreError> {
        let args = args![organization, run];
        self.rows(&LIST_UNIT_TEST_RUNS, args, unit_test_run, usize::MAX)
            .await
    }

    /// Returns one conversation of a run.
    pub async fn find_unit_test_run(
        &mut self,
        key: &UnitTestRunKey,
    ) -> Result<Option<UnitTestRun>, StoreError> {
        let args = args![&key.organization, key.run_id, key.number];
        self.optional(&FIND_UNIT_TEST_RUN, args, unit_test_run).await
    }

    /// Returns the runs of an organization, or of any, that have not ended, those of each in order of creation.
    pub async fn list_unfinished_runs(
        &mut self,
        organization: Option<&OrganizationId>,
        now: Timestamp,
    ) -> Result<Vec<UnfinishedRun>, StoreError> {
        let organization = organization.map(ToString::to_string);
        let args = args![now, lease::latest_end(now), organization];
        self.all(&LIST_UNFINISHED_RUNS, args, |row| {
            Ok(UnfinishedRun {
                organization: row.parse("organization_id")?,
                run_id: row.parse("id")?,
                creator: row.user("creator")?,
                held: row.convert("held")?,
                lost: row.optional_integer("lost")?,
                waiting: row.optional_integer("waiting")?,
            })
        })
        .await
    }
}
