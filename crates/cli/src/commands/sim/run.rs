//! `forge sim run`

use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_client::ClientError;
use forge_client::simulations::Run;
use forge_domain::{ServiceId, SetName, UnitTestSetRunId};
use serde_json::value::RawValue;

use super::{failures, find, junit, report};
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;
use crate::under_way;
use crate::whole;

/// How long to wait between two looks at a run.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Run a set of unit tests.
///
/// The tests name the service and the version set that they try; `--service` and `--version-set` take their place for this
/// run. What the set means now is what is tried, whatever becomes of it meanwhile.
///
/// With `--wait`, exits with 0 if every conversation passed, and with 1 if one failed or could not be held.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge sim run smoke --wait\n  forge sim run smoke --version-set preview --wait --junit report.xml\n\n\
    In a pipe, without `--wait`: the id of the run. With it, a line for each test and each of its criteria: name of the test, \
    criterion (empty for all of them), conversations that passed, conversations, what went wrong. JSON is the run as the API \
    tells it."
)]
pub(crate) struct Args {
    /// Name or id of the set of unit tests.
    set: String,
    /// Name or id of the service to talk to, instead of the tests' own.
    #[arg(long, value_name = "SERVICE")]
    service: Option<String>,
    /// The version set to try, instead of the tests' own.
    #[arg(long, value_name = "NAME")]
    version_set: Option<String>,
    /// Wait until the run has ended, and tell what came of it.
    #[arg(long)]
    wait: bool,
    /// Write the results to this file as `JUnit` XML.
    #[arg(long, value_name = "FILE", requires = "wait")]
    junit: Option<PathBuf>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    if let Some(path) = &args.junit {
        whole::check(path).map_err(|error| unwritable(path, &error))?;
    }
    let set = find::unit_test_set(client, &args.set).await?;
    let service = match &args.service {
        Some(wanted) => Some(lookup::service_id(session, wanted).await?),
        None => None,
    };
    let created = client
        .create_run(set.id, service, args.version_set.as_deref())
        .await;
    let created = match created {
        Ok(created) => created,
        Err(error) => return Err(not_created(session, args.version_set.as_deref(), error).await),
    };
    let id = created.value.id;
    if !args.wait {
        if ui.json {
            ui.document(&created.json)?;
        } else {
            crate::output::line(&id.to_string())?;
        }
        ui.note(&format!(
            "the run goes on; `{}` tells how far it is",
            session.command(&format!("sim show {id}"))
        ));
        return Ok(Exit::Ok);
    }
    ui.note(&format!("run {id} of `{}` in {}", set.name, session.place()));
    let hint = format!(
        "the run goes on; `{}` tells how far it is, and `{}` stops it",
        session.command(&format!("sim show {id}")),
        session.command(&format!("sim cancel {id}"))
    );
    let (run, document) = under_way::unless_interrupted(hint, wait(session, id)).await?;
    let has_passed = report::exit_of(&run) == Exit::Ok;
    let conversations = if has_passed && args.junit.is_none() {
        Vec::new()
    } else {
        failures::conversations(session, &run).await?
    };
    if let Some(path) = &args.junit {
        let text = junit::xml(&set.name, &run, &conversations);
        whole::write(path, text.as_bytes()).map_err(|error| unwritable(path, &error))?;
    }
    if ui.json {
        ui.document(&document)?;
    } else {
        report::show(ui, &run)?;
    }
    failures::show_reasons(session, &run, &conversations);
    Ok(report::exit_of(&run))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot write {}: {error}", path.display()))
}

/// Tells why there is no run; if the version set is not there, of which service, and which ones are.
async fn not_created(session: &Session, version_set: Option<&str>, error: ClientError) -> Failure {
    let ClientError::NotFound(detail) = &error else {
        return error.into();
    };
    let named = version_set.and_then(|name| name.parse::<SetName>().ok());
    let Some(service) = service_in(detail) else {
        let failure = Failure::from(error);
        return match named {
            Some(_) => failure
                .hint("`forge version-set list SERVICE` lists those of the service that the tests name"),
            None => failure,
        };
    };
    let mut failure = match &named {
        Some(name) => lookup::no_such_set(session, service, &[name], error).await,
        None => error.into(),
    };
    // Who may not read it is told its id.
    let found = session.client.services(&[service], None).all().await;
    if let Some(found) = found.ok().and_then(|mut found| found.value.pop()) {
        let name = format!("service `{}`", found.name);
        failure.message = failure
            .message
            .map(|message| message.replace(&format!("a service {service}"), &name));
    }
    failure
}

/// Returns which service has no such version set, as far as the server tells it.
fn service_in(detail: &str) -> Option<ServiceId> {
    let (_, rest) = detail.split_once("` of a service ")?;
    rest.split(' ').next()?.parse().ok()
}

/// Waits for the end of a run.
async fn wait(session: &Session, id: UnitTestSetRunId) -> Result<(Run, Box<RawValue>)> {
    let mut told = None;
    loop {
        let (run, document) = find::run(&session.client, id).await?;
        let progress = (run.conversations_finished, run.conversations);
        if told != Some(progress) {
            session.ui.progress(&format!(
                "{} of {} conversations have ended",
                progress.0, progress.1
            ));
            told = Some(progress);
        }
        if run.is_completed {
            return Ok((run, document));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
