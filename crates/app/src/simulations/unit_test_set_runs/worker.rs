//! Who executes the conversations of runs.
//!
//! Every server looks for conversations that nobody has leased and acquires them (see `lease`), for as long as it is at
//! it. If it stops, it releases them; if it is lost, its leases end. Either way another
//! server, or the same one after its restart, begins those conversations anew. So a run survives everything that the
//! database survives.

use std::time::Duration;

use forge_domain::OrganizationId;
use forge_domain::simulation::{Turns, UnfinishedRun, UnitTestRunKey, UnitTestRunOutcome};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::execute::execute;
use super::finish::{finish, write_failed};
use super::job::Job;
use crate::lease::keep_renewed;
use crate::{App, AppError};

/// How often a server looks for conversations that nobody has leased.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How often a conversation is begun before it is given up: something about it stops servers.
const MAX_ATTEMPTS: i64 = 3;

/// Executes conversations of runs, at most `parallel` at once, until `stopping` says so.
///
/// Then those under way are released.
pub async fn work(app: &App, parallel: usize, mut stopping: watch::Receiver<bool>) {
    if parallel == 0 {
        return;
    }
    if let Err(error) = end_leases_of_the_gone(app).await {
        tracing::warn!(%error, "simulations wait for the leases of the server before this one to end");
    }
    let mut executing = JoinSet::new();
    let mut turns = Turns::default();
    while !*stopping.borrow() {
        while executing.try_join_next().is_some() {}
        let free = parallel.saturating_sub(executing.len());
        match begin(app, None, free, &mut turns).await {
            Ok(begun) => {
                for job in begun {
                    executing.spawn(carry_out(app.clone(), job, stopping.clone()));
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for conversations of simulations"),
        }
        tokio::select! {
            () = told_to_stop(&mut stopping) => break,
            _ = executing.join_next(), if !executing.is_empty() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    while executing.join_next().await.is_some() {}
}

/// Ends the leases of servers that are gone, where it is known that they are: an embedded database has one server at a
/// time.
async fn end_leases_of_the_gone(app: &App) -> Result<(), AppError> {
    if app.store.is_shared() {
        return Ok(());
    }
    let mut tx = app.store.write_installation().await?;
    tx.end_unit_test_run_leases(app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Executes every conversation of an organization that nobody has leased, at most `parallel` at once, and returns when
/// none is left.
pub async fn work_off(app: &App, organization: &OrganizationId, parallel: usize) -> Result<(), AppError> {
    let (_keep, stopping) = watch::channel(false);
    let mut turns = Turns::default();
    loop {
        let begun = begin(app, Some(organization), parallel.max(1), &mut turns).await?;
        if begun.is_empty() {
            return Ok(());
        }
        let mut executing = JoinSet::new();
        for job in begun {
            executing.spawn(carry_out(app.clone(), job, stopping.clone()));
        }
        while executing.join_next().await.is_some() {}
    }
}

/// Waits until the server stops, or whoever would say so is gone.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|is_stopping| *is_stopping).await);
}

/// Acquires up to `free` conversations that nobody has leased, by turns.
async fn begin(
    app: &App,
    organization: Option<&OrganizationId>,
    free: usize,
    turns: &mut Turns,
) -> Result<Vec<Job>, AppError> {
    let mut begun = Vec::new();
    let mut failed = Vec::new();
    while begun.len() < free {
        let mut runs = match unfinished_runs(app, organization).await {
            Ok(runs) => runs,
            Err(error) if begun.is_empty() => return Err(error),
            // What was begun is leased.
            Err(_) => break,
        };
        runs.retain(|run| !failed.contains(&run.run_id));
        let Some((run, number)) = turns.next(&runs).and_then(|run| Some((run, run.to_do()?))) else {
            break;
        };
        let key = UnitTestRunKey {
            organization: run.organization.clone(),
            run_id: run.run_id,
            number,
        };
        match acquire(app, key).await {
            Ok(job) => begun.extend(job),
            Err(error) => {
                tracing::warn!(%error, "a conversation of a simulation cannot be begun");
                // Others do not wait for it.
                failed.push(run.run_id);
            }
        }
    }
    Ok(begun)
}

async fn unfinished_runs(
    app: &App,
    organization: Option<&OrganizationId>,
) -> Result<Vec<UnfinishedRun>, AppError> {
    let mut tx = app.store.read().await?;
    Ok(tx.list_unfinished_runs(organization, app.clock.now()).await?)
}

/// Acquires a conversation.
///
/// Returns `None` if another server was faster, or if it was begun too often.
async fn acquire(app: &App, key: UnitTestRunKey) -> Result<Option<Job>, AppError> {
    let Some(job) = Job::acquire(app, key).await? else {
        return Ok(None);
    };
    if job.earlier_attempts < MAX_ATTEMPTS {
        return Ok(Some(job));
    }
    let error = format!(
        "given up after {MAX_ATTEMPTS} attempts: each time, the server was lost, or its database was out of reach"
    );
    write_failed(app, &job, &UnitTestRunOutcome::error(error)).await?;
    Ok(None)
}

/// Executes one job to its end, unless the run is cancelled or the server stops.
async fn carry_out(app: App, job: Job, mut stopping: watch::Receiver<bool>) {
    let executing = async {
        tokio::select! {
            executed = Box::pin(execute(&app, &job)) => Some(executed),
            () = told_to_stop(&mut stopping) => None,
        }
    };
    let ended = match keep_renewed(&job, executing).await.flatten() {
        Some(executed) => finish(&app, &job, executed).await,
        None => job.release().await,
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "a conversation of a simulation could not be ended; it is begun anew when its lease has ended");
    }
}
