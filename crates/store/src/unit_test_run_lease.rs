//! Leases of the conversations of runs: which server may go on with one, and what it leaves.

use forge_domain::lease::{self, Term};
use forge_domain::simulation::{UnitTestRunKey, UnitTestRunOutcome};
use forge_domain::{ConversationId, Timestamp};

use crate::error::StoreError;
use crate::row::{Value, args, to_json};
use crate::statement::{Statement, statements};
use crate::tx::{InstallationTx, RunTx};

statements! {
    ACQUIRE_LEASE = "UPDATE unit_test_run SET state = 'running', attempts = attempts + 1, lease = $4,
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
}

/// The lease of a conversation of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitTestRunLease {
    /// The conversation.
    pub key: UnitTestRunKey,
    /// The lease's name, which nobody else's has.
    pub name: String,
}

impl UnitTestRunLease {
    /// Returns the first four parameters of what only the lease's holder may write.
    fn args(&self) -> Vec<Value> {
        args![
            &self.key.organization,
            self.key.run_id,
            self.key.number,
            &self.name
        ]
    }
}

impl InstallationTx {
    /// Ends every lease: those of servers that are gone, where it is known that there is no other.
    pub async fn end_unit_test_run_leases(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.execute(&END_LEASES, args![now]).await.map(drop)
    }
}

impl RunTx {
    /// Acquires the lease of a conversation.
    ///
    /// Returns `false` if another server has one, or if the conversation has ended.
    pub async fn acquire_unit_test_run(
        &mut self,
        lease: &UnitTestRunLease,
        term: Term,
    ) -> Result<bool, StoreError> {
        let mut args = lease.args();
        args.extend(args![term.until, term.now, lease::latest_end(term.now)]);
        Ok(self.execute(&ACQUIRE_LEASE, args).await? > 0)
    }

    /// Renews the lease of a conversation.
    ///
    /// Returns `false` if it is lost, as when the run was cancelled.
    pub async fn renew_unit_test_run(
        &mut self,
        lease: &UnitTestRunLease,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_leased(&RENEW_LEASE, lease, until.into()).await
    }

    /// Releases the lease of a conversation half-way, so that another server begins it anew; this attempt does not
    /// count.
    ///
    /// Returns `false` if the lease is lost.
    pub async fn release_unit_test_run(
        &mut self,
        lease: &UnitTestRunLease,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_leased(&RELEASE_LEASE, lease, now.into()).await
    }

    /// Notes which conversation it is.
    ///
    /// Returns `false` if the lease is lost.
    pub async fn note_conversation(
        &mut self,
        lease: &UnitTestRunLease,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        self.write_leased(&NOTE_CONVERSATION, lease, conversation.into())
            .await
    }

    async fn write_leased(
        &mut self,
        statement: &Statement,
        lease: &UnitTestRunLease,
        value: Value,
    ) -> Result<bool, StoreError> {
        let mut args = lease.args();
        args.push(value);
        Ok(self.execute(statement, args).await? > 0)
    }

    /// Ends a conversation, and with the last one its run.
    ///
    /// Returns `false` if the lease is lost: then nothing may be written, because another server has it or the run was
    /// cancelled.
    pub async fn finish_unit_test_run(
        &mut self,
        lease: &UnitTestRunLease,
        outcome: &UnitTestRunOutcome,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = &lease.key;
        let reason = outcome.reason();
        // First the run's row: its lock orders those who may both be the last ones.
        let args = args![
            &key.organization,
            key.run_id,
            outcome.fails_metrics(),
            reason.is_some()
        ];
        if self.execute(&NOTE_OUTCOME, args).await? == 0 {
            return Ok(false);
        }
        let mut args = lease.args();
        args.extend(args![
            outcome.state().as_str(),
            reason.map(str::to_owned),
            to_json(&outcome.found()),
            outcome.interactions,
            now,
        ]);
        if self.execute(&FINISH_UNIT_TEST_RUN, args).await? == 0 {
            return Ok(false);
        }
        let args = args![&key.organization, key.run_id, now];
        self.execute(&COMPLETE_RUN, args).await?;
        Ok(true)
    }
}
