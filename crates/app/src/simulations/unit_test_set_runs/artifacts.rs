//! The artifacts of a run: what was said in its conversations, and what was found.
//!
//! They are downloaded by a link that needs no credentials, as those of a storage service. The link carries a sealed
//! token that says which run it is of, how much of it may be told, and until when.

use std::collections::HashMap;

use forge_domain::access::Permission;
use forge_domain::conversation::Message;
use forge_domain::evaluation::MetricResultFilter;
use forge_domain::simulation::{Measurement, UnitTestRun, UnitTestSetRun, Visibility};
use forge_domain::{OrganizationId, Refusal, Timestamp, UnitTestSetRunId};
use forge_store::Tx;
use serde::{Deserialize, Serialize};

use super::list::{RunView, visibility};
use crate::assets::authorize_read;
use crate::page::Scan;
use crate::{App, AppError, Ctx};

/// How many bytes of what was said are told of all conversations of a run together.
const TRANSCRIPTS: usize = 32 * 1024 * 1024;

/// How long a link is good for, in seconds.
const LINK_SECONDS: i64 = 3600;

/// A link to the artifacts of a run.
///
/// It cannot be printed: whoever has it may read them.
#[derive(Clone)]
pub struct Link {
    /// What lets whoever has it download them. It is safe in a URL.
    pub token: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The artifacts of a run.
#[derive(Debug, Clone)]
pub struct Artifacts {
    /// The run.
    pub view: RunView,
    /// What was said, conversation by conversation.
    pub transcripts: Vec<Transcript>,
}

/// What was said in a conversation of a run.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The conversation.
    pub run: UnitTestRun,
    /// Its messages, oldest first; none if it never began or was deleted since.
    pub messages: Vec<Message>,
    /// Why its metrics were found to be what they were, in their order.
    pub justifications: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    run: UnitTestSetRunId,
    told: Visibility,
    expires_at: Timestamp,
}

fn context(organization: &OrganizationId) -> String {
    format!("simulation-artifacts/{organization}")
}

/// Creates a link to the artifacts of a run that has ended.
pub async fn link(ctx: Ctx<'_>, id: UnitTestSetRunId) -> Result<Link, AppError> {
    const PERMISSION: Permission = Permission::GetUnitTestSetRun;
    let Ctx { app, caller } = ctx;
    let mut tx = ctx.read(PERMISSION).await?;
    let run: UnitTestSetRun = caller.fetch(&mut tx, PERMISSION, &id).await?;
    for spec in &run.specs {
        authorize_read(&mut tx, caller, spec.context_graph.0.into()).await?;
    }
    if !run.status.is_final() {
        return Err(Refusal::RunInProgress { run: id.to_string() }.into());
    }
    let expires_at = app.clock.now().plus_seconds(LINK_SECONDS);
    let sealed = Sealed {
        run: id,
        told: visibility(caller, &run),
        expires_at,
    };
    let sealed = serde_json::to_vec(&sealed).map_err(|error| AppError::Internal(Box::new(error)))?;
    let token = app
        .keyring
        .seal(&context(&caller.organization), &sealed)
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Link {
        token: token.replace('+', "-").replace('/', "_").replace('=', ""),
        expires_at,
    })
}

/// Returns the artifacts that a link leads to.
pub async fn open(
    app: &App,
    organization: &OrganizationId,
    id: UnitTestSetRunId,
    token: &str,
) -> Result<Artifacts, AppError> {
    let refused = || AppError::Unauthenticated("the link is not valid, or not any more; ask for another one");
    let mut token = token.replace('-', "+").replace('_', "/");
    while !token.len().is_multiple_of(4) {
        token.push('=');
    }
    let opened = app
        .keyring
        .open(&context(organization), &token)
        .ok_or_else(refused)?;
    let sealed: Sealed = serde_json::from_slice(&opened).map_err(|_| refused())?;
    if sealed.run != id || sealed.expires_at <= app.clock.now() {
        return Err(refused());
    }
    let mut tx = app.store.read().await?;
    let run = tx
        .find_unit_test_set_run(organization, id)
        .await?
        .ok_or_else(refused)?;
    let conversations = tx.list_unit_test_runs(organization, id).await?.into_rows();
    let transcripts = if sealed.told.specs_and_results {
        transcripts(&mut tx, organization, id, &conversations).await?
    } else {
        Vec::new()
    };
    Ok(Artifacts {
        view: RunView {
            run,
            conversations,
            told: sealed.told,
        },
        transcripts,
    })
}

async fn transcripts(
    tx: &mut Tx,
    organization: &OrganizationId,
    run_id: UnitTestSetRunId,
    runs: &[UnitTestRun],
) -> Result<Vec<Transcript>, AppError> {
    let mut transcripts = Vec::new();
    let filter = MetricResultFilter {
        simulation_run_id: Some(run_id),
        ..MetricResultFilter::default()
    };
    let (mut results, mut scan) = (HashMap::new(), Scan::default());
    while let Some(place) = scan.next_read() {
        let rows = tx.list_metric_results(organization, &filter, &[], place).await?;
        let rows = rows.ok_or_else(|| AppError::internal("the result of a run's metric is gone"))?;
        scan.note(&rows, |stored| stored.seq);
        let rows = rows.into_rows().into_iter().map(|stored| stored.result);
        results.extend(rows.map(|result| (result.id, result.justification)));
    }
    let why = |judged: &Measurement| results.get(&judged.result_id).cloned().unwrap_or_default();
    let mut room = TRANSCRIPTS;
    for run in runs {
        let messages = match run.conversation_id {
            Some(id) => tx.transcript(organization, id, i64::MAX, room).await?,
            None => Vec::new(),
        };
        let bytes: usize = messages.iter().map(|message| message.message.len()).sum();
        room = room.saturating_sub(bytes);
        transcripts.push(Transcript {
            justifications: run.verdicts.iter().map(why).collect(),
            run: run.clone(),
            messages,
        });
    }
    Ok(transcripts)
}
