//! Who holds the conversations of runs.
//!
//! Every server looks for conversations that nobody holds, takes them for a while (a *lease*), and says that it is
//! still there as long as it is at it. If it stops, it gives them back; if it is lost, its leases end. Either way another
//! server, or the same one after its restart, begins those conversations anew. So a run survives everything that the
//! database survives.

use std::time::Duration;

use forge_domain::evaluation::{EvaluationSource, MetricResult};
use forge_domain::simulation::{Measurement, Turns, UnfinishedRun, UnitTestRunState};
use forge_domain::{ConversationId, OrganizationId};
use forge_runtime::Verdict;
use forge_store::{UnitTestRunKey, UnitTestRunOutcome};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::hold::{Held, Work, finish_conversation, hold};
use crate::{App, AppError};

/// How long a conversation is believed to be held without a sign of it.
const LEASE: forge_domain::Duration = forge_domain::Duration::seconds(30);

/// How often a server says that it still holds a conversation, and hears whether the run was cancelled.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// How often a server looks for conversations that nobody holds.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a server waits before it tries again to write the end of a conversation.
///
/// Together, less than a lease.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// How often a conversation is begun before it is given up: something about it stops servers.
const MAX_ATTEMPTS: i64 = 3;

/// Holds conversations of runs, at most `parallel` at once, until `stopping` says so.
///
/// Then those under way are given back.
pub async fn work(app: &App, parallel: usize, mut stopping: watch::Receiver<bool>) {
    if parallel == 0 {
        return;
    }
    if let Err(error) = app.store.end_leases_of_the_gone(app.clock.now()).await {
        tracing::warn!(%error, "simulations wait for the leases of the server before this one to end");
    }
    let mut holding = JoinSet::new();
    let mut turns = Turns::default();
    while !*stopping.borrow() {
        while holding.try_join_next().is_some() {}
        let free = parallel.saturating_sub(holding.len());
        match begin(app, None, free, &mut turns).await {
            Ok(begun) => {
                for work in begun {
                    holding.spawn(carry_out(app.clone(), work, stopping.clone()));
                }
            }
            Err(error) => tracing::warn!(%error, "cannot look for conversations of simulations"),
        }
        tokio::select! {
            () = told_to_stop(&mut stopping) => break,
            _ = holding.join_next(), if !holding.is_empty() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    while holding.join_next().await.is_some() {}
}

/// Holds every conversation of an organization that nobody holds, at most `parallel` at once, and returns when none is
/// left.
pub async fn work_off(app: &App, organization: &OrganizationId, parallel: usize) -> Result<(), AppError> {
    let (_keep, stopping) = watch::channel(false);
    let mut turns = Turns::default();
    loop {
        let begun = begin(app, Some(organization), parallel.max(1), &mut turns).await?;
        if begun.is_empty() {
            return Ok(());
        }
        let mut holding = JoinSet::new();
        for work in begun {
            holding.spawn(carry_out(app.clone(), work, stopping.clone()));
        }
        while holding.join_next().await.is_some() {}
    }
}

/// Waits until the server stops, or whoever would say so is gone.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|is_stopping| *is_stopping).await);
}

/// Takes up to `free` conversations that nobody holds, by turns.
async fn begin(
    app: &App,
    organization: Option<&OrganizationId>,
    free: usize,
    turns: &mut Turns,
) -> Result<Vec<Work>, AppError> {
    let mut begun = Vec::new();
    let mut failed = Vec::new();
    while begun.len() < free {
        let mut runs = match unfinished_runs(app, organization).await {
            Ok(runs) => runs,
            Err(error) if begun.is_empty() => return Err(error),
            // What was begun is held.
            Err(_) => break,
        };
        runs.retain(|run| !failed.contains(&run.run_id));
        let Some((run, number)) = turns.next(&runs).and_then(|run| Some((run, run.to_do?))) else {
            break;
        };
        let key = UnitTestRunKey {
            organization: run.organization.clone(),
            run_id: run.run_id,
            number,
        };
        match claim(app, key).await {
            Ok(work) => begun.extend(work),
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

async fn claim(app: &App, key: UnitTestRunKey) -> Result<Option<Work>, AppError> {
    let lease = forge_domain::hex(&app.random_bytes::<12>()?);
    let now = app.clock.now();
    let Some(before) = app
        .store
        .claim_unit_test_run(&key, &lease, (now, now + LEASE))
        .await?
    else {
        return Ok(None);
    };
    if let Some(left) = before.conversation_id {
        // Whoever held it is lost; it begins anew.
        finish_conversation(app, &key.organization, left).await?;
    }
    let run = app
        .store
        .read()
        .await?
        .find_unit_test_set_run(&key.organization, key.run_id)
        .await?;
    let run = run.ok_or_else(|| AppError::internal("a run has lost its row"))?;
    let spec = run.specs.get(before.spec).cloned();
    let spec = spec.ok_or_else(|| AppError::internal("a conversation of a run has no test"))?;
    let earlier = run.specs.iter().take(before.spec);
    let earlier: i64 = earlier.map(|spec| i64::from(spec.run_count)).sum();
    let work = Work {
        index: key.number - earlier,
        key,
        lease,
        run,
        spec,
    };
    if before.attempts >= MAX_ATTEMPTS {
        let error = format!(
            "given up after {MAX_ATTEMPTS} attempts: each time, the server was lost, or its database was out of reach"
        );
        finish(app, &work, &UnitTestRunOutcome::error(error)).await?;
        return Ok(None);
    }
    Ok(Some(work))
}

/// Holds one conversation to its end, unless the run is cancelled or the server stops.
async fn carry_out(app: App, work: Work, mut stopping: watch::Receiver<bool>) {
    let held = {
        let mut holding = std::pin::pin!(hold(&app, &work));
        let mut alive = tokio::time::interval(RENEW_EVERY);
        alive.tick().await;
        loop {
            tokio::select! {
                held = &mut holding => break Some(held),
                () = told_to_stop(&mut stopping) => break None,
                _ = alive.tick() => {
                    let until = app.clock.now() + LEASE;
                    match app.store.renew_lease(&work.key, &work.lease, until).await {
                        Ok(true) => {}
                        Ok(false) => break None,
                        // Whether the lease still holds is asked again at the end.
                        Err(error) => tracing::warn!(%error, "cannot say that a simulation goes on"),
                    }
                }
            }
        }
    };
    let ended = match held {
        Some(held) => end(&app, &work, held).await,
        None => give_back(&app, &work).await,
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "a conversation of a simulation could not be ended; it is begun anew when its lease has ended");
    }
}

/// Gives a conversation back that was not held to its end.
///
/// If the run was cancelled, it has ended.
async fn give_back(app: &App, work: &Work) -> Result<(), AppError> {
    let found = app.store.read().await?.find_unit_test_run(&work.key).await?;
    app.store
        .release_lease(&work.key, &work.lease, app.clock.now())
        .await?;
    match found {
        Some(run) if run.state == UnitTestRunState::Cancelled => match run.conversation_id {
            Some(left) => finish_conversation(app, &work.key.organization, left).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Keeps what came of a conversation, whatever that is.
async fn end(app: &App, work: &Work, held: Result<Held, AppError>) -> Result<(), AppError> {
    let (interactions, judged) = match held {
        Ok(held) => {
            let conversation = held.conversation_id;
            let judged = held.judged.map(|judged| (conversation, judged));
            (held.interactions, judged)
        }
        Err(error) => (0, Err(error)),
    };
    let error = match judged {
        Ok((conversation, judged)) => {
            let end = End::Measurement(conversation, interactions, &judged);
            match patiently(app, work, end).await {
                Ok(true) => return Ok(()),
                Ok(false) => "the conversation was deleted before it was judged".to_owned(),
                Err(error) if is_passing(&error) => return Err(error),
                // It would fail again, however often the conversation is held, and each time costs as much as the first.
                Err(error) => format!("what came of it could not be kept: {}", told(work, &error)),
            }
        }
        // The conversation is not to blame.
        Err(error) if is_passing(&error) => return Err(error),
        Err(error) => told(work, &error),
    };
    let outcome = UnitTestRunOutcome {
        interactions,
        ..UnitTestRunOutcome::error(error)
    };
    patiently(app, work, End::Failed(&outcome)).await.map(drop)
}

/// Returns `true` if the database was out of reach: the same may well succeed later.
fn is_passing(error: &AppError) -> bool {
    matches!(error, AppError::Unavailable(_) | AppError::OutcomeUnknown(_))
}

/// Returns what a run tells of an error; the log has more of those that are a fault of Forge's.
fn told(work: &Work, error: &AppError) -> String {
    if let AppError::Internal(cause) = error {
        tracing::error!(%cause, run = %work.key.run_id, "a conversation of a simulation failed");
    }
    error.to_string()
}

/// What is written at the end of a conversation.
#[derive(Clone, Copy)]
enum End<'e> {
    /// Its results, and how many interactions it had.
    Measurement(ConversationId, i64, &'e [(Measurement, Verdict)]),
    /// That there are none.
    Failed(&'e UnitTestRunOutcome),
}

impl End<'_> {
    /// Writes it, and returns whether what it is about was still there.
    async fn write(self, app: &App, work: &Work) -> Result<bool, AppError> {
        match self {
            Self::Measurement(conversation, interactions, judged) => {
                finish_judged(app, work, conversation, (interactions, judged)).await
            }
            Self::Failed(outcome) => finish(app, work, outcome).await.map(|()| true),
        }
    }
}

/// Writes the end of a conversation, and again while the database is out of reach, as long as nobody else can have
/// taken the conversation: what was said is not said, and paid for, once more because of a moment's outage.
async fn patiently(app: &App, work: &Work, end: End<'_>) -> Result<bool, AppError> {
    for pause in PAUSES {
        match end.write(app, work).await {
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, run = %work.key.run_id, "the end of a simulation cannot be written yet");
                tokio::time::sleep(pause).await;
                // A lease that has ended is not renewed; the write finds that out.
                let until = app.clock.now() + LEASE;
                let _ = app.store.renew_lease(&work.key, &work.lease, until).await;
            }
            ended => return ended,
        }
    }
    end.write(app, work).await
}

/// Keeps the results of a conversation's metrics with its end.
///
/// Returns whether the conversation was still there.
async fn finish_judged(
    app: &App,
    work: &Work,
    conversation_id: ConversationId,
    (interactions, judged): (i64, &[(Measurement, Verdict)]),
) -> Result<bool, AppError> {
    let now = app.clock.now();
    let mut tx = app.store.write_run(&work.key.organization).await?;
    for (found, verdict) in judged {
        let result = MetricResult {
            id: found.result_id,
            metric_id: found.metric_id,
            metric_version: found.metric_version,
            conversation_id,
            result: found.value.clone(),
            justification: verdict.justification.clone(),
            source: EvaluationSource::Simulation {
                simulation_unit_test_set_run_id: work.key.run_id,
                unit_test_id: work.spec.unit_test_id,
                run_index: work.index,
                references: verdict.references.clone(),
            },
            created_at: now,
            updated_at: now,
        };
        if !tx.keep_metric_result(&result).await? {
            return Ok(false);
        }
    }
    let outcome = UnitTestRunOutcome {
        verdicts: Ok(judged.iter().map(|(found, _)| found.clone()).collect()),
        interactions,
    };
    if tx
        .finish_unit_test_run(&work.key, &work.lease, &outcome, now)
        .await?
    {
        tx.commit().await?;
    }
    Ok(true)
}

async fn finish(app: &App, work: &Work, outcome: &UnitTestRunOutcome) -> Result<(), AppError> {
    let now = app.clock.now();
    let mut tx = app.store.write_run(&work.key.organization).await?;
    if tx
        .finish_unit_test_run(&work.key, &work.lease, outcome, now)
        .await?
    {
        tx.commit().await?;
    }
    Ok(())
}
