//! A conversation of a run that this server has the lease of.

use std::time::Duration;

use forge_domain::hex;
use forge_domain::lease::Term;
use forge_domain::simulation::{RunSpec, UnitTestRunKey, UnitTestRunState, UnitTestSetRun};
use forge_store::UnitTestRunLease;

use crate::conversations::finish_simulated;
use crate::lease::{Lease, Pace};
use crate::{App, AppError};

/// A conversation of a run to execute, and the lease of it.
pub(super) struct Job {
    app: App,
    pub(super) lease: UnitTestRunLease,
    pub(super) run: UnitTestSetRun,
    pub(super) spec: RunSpec,
    /// Which of the test's conversations it is, from 0.
    pub(super) index: i64,
    /// How often it was begun before.
    pub(super) earlier_attempts: i64,
}

impl Lease for Job {
    const PACE: Pace = Pace {
        lasts: Duration::from_secs(30),
        renew_every: Duration::from_secs(5),
    };

    async fn renew(&self) -> Result<bool, AppError> {
        let until = Term::new(self.app.clock.now(), Self::PACE.lasts).until;
        let mut tx = self.app.store.write_run(self.organization()).await?;
        let is_ours = tx.renew_unit_test_run(&self.lease, until).await?;
        if is_ours {
            tx.commit().await?;
        }
        Ok(is_ours)
    }
}

impl Job {
    /// Acquires the lease of a conversation.
    ///
    /// Returns `None` if another server was faster.
    pub(super) async fn acquire(app: &App, key: UnitTestRunKey) -> Result<Option<Self>, AppError> {
        let name = hex(&app.random_bytes::<12>()?);
        let lease = UnitTestRunLease { key, name };
        let key = &lease.key;
        let mut tx = app.store.write_run(&key.organization).await?;
        let before = tx.find_unit_test_run(key).await?;
        let term = Term::new(app.clock.now(), Self::PACE.lasts);
        let (Some(before), true) = (before, tx.acquire_unit_test_run(&lease, term).await?) else {
            return Ok(None);
        };
        tx.commit().await?;
        if let Some(left) = before.conversation_id {
            // The server that began it is lost; it begins anew.
            finish_simulated(app, &key.organization, left).await?;
        }
        let mut tx = app.store.read().await?;
        let run = tx.find_unit_test_set_run(&key.organization, key.run_id).await?;
        drop(tx);
        let run = run.ok_or_else(|| AppError::internal("a run has lost its row"))?;
        let spec = run.specs.get(before.spec).cloned();
        let spec = spec.ok_or_else(|| AppError::internal("a conversation of a run has no test"))?;
        let earlier = run.specs.iter().take(before.spec);
        let earlier: i64 = earlier.map(|spec| i64::from(spec.run_count)).sum();
        Ok(Some(Self {
            app: app.clone(),
            index: key.number - earlier,
            lease,
            run,
            spec,
            earlier_attempts: before.attempts,
        }))
    }

    /// Returns the organization whose run it is.
    pub(super) fn organization(&self) -> &forge_domain::OrganizationId {
        &self.lease.key.organization
    }

    /// Releases a conversation that did not come to its end.
    ///
    /// If the run was cancelled, it has ended.
    pub(super) async fn release(&self) -> Result<(), AppError> {
        let app = &self.app;
        let mut tx = app.store.read().await?;
        let found = tx.find_unit_test_run(&self.lease.key).await?;
        drop(tx);
        let mut tx = app.store.write_run(self.organization()).await?;
        if tx.release_unit_test_run(&self.lease, app.clock.now()).await? {
            tx.commit().await?;
        } else {
            drop(tx);
        }
        match found {
            Some(run) if run.state == UnitTestRunState::Cancelled => match run.conversation_id {
                Some(left) => finish_simulated(app, self.organization(), left).await,
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
