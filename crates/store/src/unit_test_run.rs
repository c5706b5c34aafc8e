//! Runs of sets of unit tests, and their conversations.

use forge_domain::simulation::{
    Measurement, RunSpec, RunStatus, UnfinishedRun, UnitTestRun, UnitTestRunState, UnitTestSetRun,
};
use forge_domain::{
    ConversationId, OrganizationId, Timestamp, UnitTestSetId, UnitTestSetRunId, UserRef, lease,
};

use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{Places, SortColumn, SortedList};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx};
use crate::{Store, StoreError};

statements! {
    // The row's lock orders the creation of runs.
    NEXT_UNIT_TEST_SET_RUN = "INSERT INTO unit_test_set_run_count (organization_id, runs) VALUES ($1, 1)
        ON CONFLICT (organization_id) DO UPDATE SET runs = unit_test_set_run_count.runs + 1
        RETURNING runs";
    INSERT_UNIT_TEST_SET_RUN = "INSERT INTO unit_test_set_run (organization_id, id, seq, unit_test_set_id,
            unit_test_set_name, specs, status, failed_metrics, errored, creator_org_id, creator_user_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'running', FALSE, FALSE, $7, $8, $9)";
    INSERT_UNIT_TEST_RUN = "INSERT INTO unit_test_run (organization_id, run_id, number, spec, state, attempts,
            leased_until, verdicts, interactions)
        VALUES ($1, $2, $3, $4, 'waiting', 0, $5, '[]', 0)";
    FIND_UNFINISHED_RUN = "SELECT id FROM unit_test_set_run
        WHERE organization_id = $1 AND unit_test_set_id = $2 AND creator_org_id = $3 AND creator_user_id = $4
            AND status = 'running'";
    FIND_UNIT_TEST_SET_RUN = "SELECT id, seq, unit_test_set_id, unit_test_set_name, specs, status, failed_metrics,
            errored, creator_org_id, creator_user_id, created_at, finished_at
        FROM unit_test_set_run WHERE organization_id = $1 AND id = $2";
    FIND_RUN_SORT_VALUES = "SELECT created_at FROM unit_test_set_run WHERE organization_id = $1 AND seq = $2";
    LIST_RUN_HEADS = "SELECT id, unit_test_set_id, unit_test_set_name, status, failed_metrics, errored, creator_org_id,
            creator_user_id, created_at
        FROM unit_test_set_run WHERE organization_id = $1 ORDER BY seq";
    LIST_UNIT_TEST_RUNS = "SELECT run_id, number, spec, state, attempts, conversation_id, error, verdicts,
            interactions, started_at, finished_at
        FROM unit_test_run WHERE organization_id = $1 AND run_id = $2 ORDER BY number";
    FIND_UNIT_TEST_RUN = "SELECT run_id, number, spec, state, attempts, conversation_id, error, verdicts,
            interactions, started_at, finished_at
        FROM unit_test_run WHERE organization_id = $1 AND run_id = $2 AND number = $3";
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
    CLAIM_UNIT_TEST_RUN = "UPDATE unit_test_run SET state = 'running', attempts = attempts + 1, lease = $4,
            leased_until = $5, started_at = $6, conversation_id = NULL, interactions = 0
        WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND (state = 'waiting'
            OR (state = 'running' AND (leased_until <= $6 OR leased_until > $7)))";
    RENEW_LEASE = "UPDATE unit_test_run SET leased_until = $5
        WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND lease = $4 AND state = 'running'";
    RELEASE_LEASE = "UPDATE unit_test_run SET state = 'waiting', lease = NULL, leased_until = $5, attempts = attempts - 1
        WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND lease = $4 AND state = 'running'";
    END_LEASES = "UPDATE unit_test_run SET leased_until = $1 WHERE state = 'running' AND leased_until > $1";
    NOTE_CONVERSATION = "UPDATE unit_test_run SET conversation_id = $5
        WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND lease = $4 AND state = 'running'";
    NOTE_OUTCOME = "UPDATE unit_test_set_run SET failed_metrics = failed_metrics OR $3, errored = errored OR $4
        WHERE organization_id = $1 AND id = $2 AND status = 'running'";
    FINISH_UNIT_TEST_RUN = "UPDATE unit_test_run SET state = $5, error = $6, verdicts = $7, interactions = $8,
            finished_at = $9, lease = NULL
        WHERE organization_id = $1 AND run_id = $2 AND number = $3 AND lease = $4 AND state = 'running'";
    COMPLETE_RUN = "UPDATE unit_test_set_run SET status = 'completed', finished_at = $3
        WHERE organization_id = $1 AND id = $2 AND status = 'running' AND NOT EXISTS (
            SELECT 1 FROM unit_test_run WHERE unit_test_run.organization_id = $1 AND unit_test_run.run_id = $2
                AND unit_test_run.state IN ('waiting', 'running'))";
    CANCEL_RUN = "UPDATE unit_test_set_run SET status = 'cancelled', errored = TRUE, finished_at = $3
        WHERE organization_id = $1 AND id = $2 AND status = 'running'";
    CANCEL_UNIT_TEST_RUNS = "UPDATE unit_test_run SET state = 'cancelled', lease = NULL, finished_at = $3
        WHERE organization_id = $1 AND run_id = $2 AND state IN ('waiting', 'running')";
}

/// The list of runs.
const LIST: SortedList = SortedList {
    name: "unit_test_set_run.list",
    select: "SELECT id, seq, unit_test_set_id, unit_test_set_name, specs, status, failed_metrics, errored,
            creator_org_id, creator_user_id, created_at, finished_at
        FROM unit_test_set_run WHERE organization_id = $1",
    parameters: 4,
    seq: "seq",
    columns: &[SortColumn::integer("created_at")],
    places: Places::Fixed(FIND_RUN_SORT_VALUES),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
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

/// What came of one conversation of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTestRunOutcome {
    /// What was found, metric by metric, or why the conversation could not be held or judged.
    pub verdicts: Result<Vec<Measurement>, String>,
    /// How many interactions it had.
    pub interactions: i64,
}

impl UnitTestRunOutcome {
    /// A conversation that could not be held or judged.
    pub fn error(error: impl Into<String>) -> Self {
        Self {
            verdicts: Err(error.into()),
            interactions: 0,
        }
    }
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

    /// Returns up to `limit` runs that come after the one at the place `after`, by creation, newest first if
    /// `is_descending`; 0 is the start.
    ///
    /// Returns `None` if there is no run at that place.
    pub async fn list_unit_test_set_runs(
        &mut self,
        organization: &OrganizationId,
        is_descending: Option<bool>,
        after: i64,
        limit: i64,
    ) -> Result<Option<Rows<UnitTestSetRun>>, StoreError> {
        let order: Vec<(usize, bool)> = is_descending
            .into_iter()
            .map(|descending| (0, descending))
            .collect();
        let args = (args![organization], Vec::new());
        self.page(&LIST, args, &order, (after, limit), set_run).await
    }

    /// Returns what every run of the organization is filtered by, in order of creation.
    pub async fn list_run_summaries(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<RunSummary>, StoreError> {
        self.all(&LIST_RUN_HEADS, args![organization], head).await
    }

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
            // What was begun before comes first.
            let lost = row.optional_integer("lost")?;
            Ok(UnfinishedRun {
                organization: row.parse("organization_id")?,
                run_id: row.parse("id")?,
                creator: row.user("creator")?,
                held: row.convert("held")?,
                to_do: lost.or(row.optional_integer("waiting")?),
            })
        })
        .await
    }
}

impl Store {
    /// Begins a write about one conversation of a run.
    async fn write_unit_test_run(&self, key: &UnitTestRunKey) -> Result<RunTx, StoreError> {
        self.write_run(&key.organization).await
    }

    /// Ends the leases of servers that are gone, where it is known that they are: an embedded database has one server
    /// at a time.
    ///
    /// For whoever starts to hold conversations.
    pub async fn end_leases_of_the_gone(&self, now: Timestamp) -> Result<(), StoreError> {
        if !self.is_embedded() {
            return Ok(());
        }
        let mut tx = self.begin_write().await?;
        tx.execute(&END_LEASES, args![now]).await?;
        tx.commit().await
    }

    /// Takes a conversation of a run that nobody holds, under a lease of that name, until `until`.
    ///
    /// Returns what it was like before, or nothing if somebody was faster.
    pub async fn claim_unit_test_run(
        &self,
        key: &UnitTestRunKey,
        name: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Option<UnitTestRun>, StoreError> {
        let mut tx = self.write_unit_test_run(key).await?;
        let before = tx.find_unit_test_run(key).await?;
        let latest = lease::latest_end(now);
        let args = args![
            &key.organization,
            key.run_id,
            key.number,
            name,
            until,
            now,
            latest
        ];
        if tx.execute(&CLAIM_UNIT_TEST_RUN, args).await? == 0 {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(before)
    }

    /// Holds a conversation for longer.
    ///
    /// Returns whether it is still held: it is not if the run was cancelled.
    pub async fn renew_lease(
        &self,
        key: &UnitTestRunKey,
        lease: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_held(&RENEW_LEASE, key, lease, crate::row::Value::from(until))
            .await
    }

    /// Gives a conversation back half-way, so that somebody else begins it anew; this attempt does not count.
    pub async fn release_lease(
        &self,
        key: &UnitTestRunKey,
        lease: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_held(&RELEASE_LEASE, key, lease, crate::row::Value::from(now))
            .await
    }

    /// Notes which conversation it is.
    ///
    /// Returns whether it is still held.
    pub async fn note_conversation(
        &self,
        key: &UnitTestRunKey,
        lease: &str,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        self.change_held(
            &NOTE_CONVERSATION,
            key,
            lease,
            crate::row::Value::from(conversation),
        )
        .await
    }

    async fn change_held(
        &self,
        statement: &Statement,
        key: &UnitTestRunKey,
        lease: &str,
        value: crate::row::Value,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write_unit_test_run(key).await?;
        let mut args = args![&key.organization, key.run_id, key.number, lease];
        args.push(value);
        if tx.execute(statement, args).await? == 0 {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }
}

impl RunTx {
    /// Adds a run, with all its conversations waiting, unless the creator has an unfinished one of the set: then that
    /// one is returned as the error.
    pub async fn insert_unit_test_set_run(
        &mut self,
        run: &NewRun<'_>,
    ) -> Result<Result<(), UnitTestSetRunId>, StoreError> {
        let organization = self.organization.clone();
        // From here on nobody else creates a run of the organization.
        let next = self
            .optional(&NEXT_UNIT_TEST_SET_RUN, args![&organization], |row| {
                row.integer("runs")
            })
            .await?;
        let unfinished = self
            .find_unfinished_run(&organization, run.unit_test_set_id, run.creator)
            .await?;
        if let Some(unfinished) = unfinished {
            return Ok(Err(unfinished));
        }
        let args = args![
            &organization,
            run.id,
            next.unwrap_or(1),
            run.unit_test_set_id,
            run.unit_test_set_name,
            to_json(&run.specs),
            &run.creator.org_id,
            &run.creator.user_id,
            run.created_at,
        ];
        self.execute(&INSERT_UNIT_TEST_SET_RUN, args).await?;
        let mut number = 0_i64;
        for (spec, position) in run.specs.iter().zip(0_i64..) {
            for _ in 0..spec.run_count {
                let args = args![&organization, run.id, number, position, run.created_at];
                self.execute(&INSERT_UNIT_TEST_RUN, args).await?;
                number += 1;
            }
        }
        Ok(Ok(()))
    }

    /// Ends a conversation that is held, and with the last one its run.
    ///
    /// Returns whether it was still held: otherwise nothing may be written, because somebody else holds it or the run
    /// was cancelled.
    pub async fn finish_unit_test_run(
        &mut self,
        key: &UnitTestRunKey,
        lease: &str,
        outcome: &UnitTestRunOutcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (verdicts, error) = match &outcome.verdicts {
            Ok(verdicts) => (verdicts.as_slice(), None),
            Err(error) => (&[][..], Some(error.clone())),
        };
        let has_failed = verdicts.iter().any(|judged| !judged.passed);
        // First the run's row: its lock orders those who may both be the last ones.
        let args = args![&key.organization, key.run_id, has_failed, error.is_some()];
        if self.execute(&NOTE_OUTCOME, args).await? == 0 {
            return Ok(false);
        }
        let state = if error.is_some() {
            UnitTestRunState::Errored
        } else {
            UnitTestRunState::Measurement
        };
        let args = args![
            &key.organization,
            key.run_id,
            key.number,
            lease,
            state.as_str(),
            error,
            to_json(&verdicts),
            outcome.interactions,
            now,
        ];
        if self.execute(&FINISH_UNIT_TEST_RUN, args).await? == 0 {
            return Ok(false);
        }
        let args = args![&key.organization, key.run_id, now];
        self.execute(&COMPLETE_RUN, args).await?;
        Ok(true)
    }

    /// Stops a run and all of its conversations.
    ///
    /// Returns whether it was in progress.
    pub async fn cancel_unit_test_set_run(
        &mut self,
        run: UnitTestSetRunId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let organization = self.organization.clone();
        if self.execute(&CANCEL_RUN, args![&organization, run, now]).await? == 0 {
            return Ok(false);
        }
        self.execute(&CANCEL_UNIT_TEST_RUNS, args![&organization, run, now])
            .await?;
        Ok(true)
    }
}
