//! The end of a conversation of a run: what came of it is written, whatever that is.

use std::time::Duration;

use forge_domain::ConversationId;
use forge_domain::evaluation::{EvaluationSource, MetricResult};
use forge_domain::simulation::{Measurement, UnitTestRunOutcome};
use forge_runtime::Verdict;

use super::execute::Execution;
use super::job::Job;
use crate::lease::Lease as _;
use crate::{App, AppError};

/// How long a server waits before it tries again to write the end of a conversation.
///
/// Together, less than a lease.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Keeps what came of a conversation, whatever that is.
pub(super) async fn finish(
    app: &App,
    job: &Job,
    executed: Result<Execution, AppError>,
) -> Result<(), AppError> {
    let (interactions, judged) = match executed {
        Ok(execution) => {
            let conversation_id = execution.conversation_id;
            let judged = execution.judged.map(|verdicts| Judgement {
                conversation_id,
                interactions: execution.interactions,
                verdicts,
            });
            (execution.interactions, judged)
        }
        Err(error) => (0, Err(error)),
    };
    let error = match judged {
        Ok(judgement) => {
            match patiently(app, job, End::Judged(&judgement)).await {
                Ok(true) => return Ok(()),
                Ok(false) => "the conversation was deleted before it was judged".to_owned(),
                Err(error) if is_passing(&error) => return Err(error),
                // It would fail again, however often the conversation is held, and each time costs as much as the first.
                Err(error) => format!("what came of it could not be kept: {}", told(job, &error)),
            }
        }
        // The conversation is not to blame.
        Err(error) if is_passing(&error) => return Err(error),
        Err(error) => told(job, &error),
    };
    let outcome = UnitTestRunOutcome {
        interactions,
        ..UnitTestRunOutcome::error(error)
    };
    patiently(app, job, End::Failed(&outcome)).await.map(drop)
}

/// Returns `true` if the database was out of reach: the same may well succeed later.
fn is_passing(error: &AppError) -> bool {
    matches!(error, AppError::Unavailable(_) | AppError::OutcomeUnknown(_))
}

/// Returns what a run tells of an error; the log has more of those that are a fault of Forge's.
fn told(job: &Job, error: &AppError) -> String {
    if let AppError::Internal(cause) = error {
        tracing::error!(%cause, run = %job.lease.key.run_id, "a conversation of a simulation failed");
    }
    error.to_string()
}

/// What is written of a conversation that was judged.
struct Judgement {
    conversation_id: ConversationId,
    interactions: i64,
    verdicts: Vec<(Measurement, Verdict)>,
}

/// What is written at the end of a conversation.
#[derive(Clone, Copy)]
enum End<'e> {
    /// Its results.
    Judged(&'e Judgement),
    /// That there are none.
    Failed(&'e UnitTestRunOutcome),
}

impl End<'_> {
    /// Writes it, and returns whether what it is about was still there.
    async fn write(self, app: &App, job: &Job) -> Result<bool, AppError> {
        match self {
            Self::Judged(judgement) => write_judged(app, job, judgement).await,
            Self::Failed(outcome) => write_failed(app, job, outcome).await.map(|()| true),
        }
    }
}

/// Writes the end of a conversation, and again while the database is out of reach, as long as nobody else can have
/// taken the conversation: what was said is not said, and paid for, once more because of a moment's outage.
async fn patiently(app: &App, job: &Job, end: End<'_>) -> Result<bool, AppError> {
    for pause in PAUSES {
        match end.write(app, job).await {
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, run = %job.lease.key.run_id, "the end of a simulation cannot be written yet");
                tokio::time::sleep(pause).await;
                // A lease that has ended is not renewed; the write finds that out.
                let _ = job.renew().await;
            }
            ended => return ended,
        }
    }
    end.write(app, job).await
}

/// Keeps the results of a conversation's metrics with its end.
///
/// Returns whether the conversation was still there.
async fn write_judged(app: &App, job: &Job, judgement: &Judgement) -> Result<bool, AppError> {
    let Judgement {
        conversation_id,
        interactions,
        ref verdicts,
    } = *judgement;
    let now = app.clock.now();
    let mut tx = app.store.write_run(job.organization()).await?;
    for (found, verdict) in verdicts {
        let result = MetricResult {
            id: found.result_id,
            metric_id: found.metric_id,
            metric_version: found.metric_version,
            conversation_id,
            result: found.value.clone(),
            justification: verdict.justification.clone(),
            source: EvaluationSource::Simulation {
                simulation_unit_test_set_run_id: job.lease.key.run_id,
                unit_test_id: job.spec.unit_test_id,
                run_index: job.index,
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
        verdicts: Ok(verdicts.iter().map(|(found, _)| found.clone()).collect()),
        interactions,
    };
    if tx.finish_unit_test_run(&job.lease, &outcome, now).await? {
        tx.commit().await?;
    }
    Ok(true)
}

/// Writes that a conversation has no results.
pub(super) async fn write_failed(app: &App, job: &Job, outcome: &UnitTestRunOutcome) -> Result<(), AppError> {
    let now = app.clock.now();
    let mut tx = app.store.write_run(job.organization()).await?;
    if tx.finish_unit_test_run(&job.lease, outcome, now).await? {
        tx.commit().await?;
    }
    Ok(())
}
