//! `forge apply`

use std::collections::BTreeSet;
use std::path::PathBuf;

use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use forge_domain::name::is_same;

use super::compare::compare;
use super::planned::{ServicePlans, Wishes, plan};
use super::show::{Row, print_json, rows, show};
use super::steps::{Outcome, Worker};
use super::work::Work;
use super::{files, server};
use crate::change::{ApplyArgs, confirm, watched};
use crate::error::{Exit, Failure, Result};
use crate::session::{Common, interruptible};
use crate::ui::quoted;

/// Make agents, context graphs, services and version sets like the files that `forge export` writes.
///
/// Agents and graphs get the versions that they lack, then services are created and changed, then their sets, each by its own
/// plan. Nothing is ever deleted but sets with --prune. If a rule forbids a change of a service or of one of its sets, nothing
/// of that service is changed, and the exit code is 1. What is not as it was shown any more is not changed either: 5.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge apply -f acme\n  forge apply -f acme --apply --message 'Reviewed.'\n  forge apply -f acme --check\n\n\
    In a pipe, each line has: create, update or delete; kind of thing; name; field; value before; value after."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are options, independent of each other"
)]
pub(crate) struct Args {
    /// Folder with the files.
    #[arg(long, short, value_name = "DIR")]
    file: PathBuf,
    /// Change nothing; exit with 1 if anything differs.
    #[arg(long, conflicts_with = "apply")]
    check: bool,
    /// Take names that are nearly those of others for what was meant.
    #[arg(long)]
    create: bool,
    /// Delete the sets that the files do not have.
    #[arg(long)]
    prune: bool,
    /// Lift the holds on the sets that change; the plan shows which.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: ApplyArgs,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(Box::pin(apply(args))).await
}

async fn apply(args: Args) -> Result<Exit> {
    let mut tree = files::read(&args.file)?;
    let session = args.common.session()?;
    let (ui, client) = (&session.ui, &session.client);
    let wants =
        |kind: AssetKind, name: &str| tree.assets(kind).iter().any(|asset| is_same(&asset.name, name));
    let known = server::ask(ui, client, wants).await?;
    known.spell(&mut tree);
    let mut work = compare(&tree, &known, args.prune);
    if args.create {
        work.similar.clear();
    }
    if !work.problems.is_empty() {
        let mut failure = Failure::failed("the files do not fit what is on the server; nothing was changed");
        failure.details = work.problems;
        return Err(failure);
    }
    let wishes = Wishes {
        message: args.change.message.clone(),
        lift_hold: args.lift_hold,
        strict: args.change.strict,
    };
    let plans = plan(client, &work, &known, &wishes).await?;
    let rows = rows(&work, &plans);
    show(&session, &work, &rows, &plans, args.check)?;
    if let Some(end) = verdict(&args, &work, &rows, &plans) {
        if ui.json {
            print_json(&session, &work, &rows, (&plans, &Outcome::default()))?;
        }
        return match end {
            Ok(note) => {
                ui.note(note);
                Ok(Exit::Ok)
            }
            Err(failure) => Err(failure),
        };
    }
    confirm(&session, args.change.yes).await?;
    let mut worker = Worker::new(&session, &wishes, &known);
    let folder = quoted(&args.file.display().to_string());
    let check = session.command(&format!("apply -f {folder} --check"));
    let result = watched(&check, worker.work(&work, &plans, &known)).await;
    let (done, all) = (worker.outcome.done.len(), work.steps().len());
    let printed = if ui.json {
        print_json(&session, &work, &rows, (&plans, &worker.outcome))
    } else {
        Ok(())
    };
    // First of all what became of the change: what comes of the document is another matter.
    result.map_err(|failure| {
        failure.hint(format!(
            "{done} of {all} steps are done; `forge apply` again goes on from there"
        ))
    })?;
    ui.note(&format!("done: {done} of {all} steps"));
    printed?;
    match worker.blocked.as_slice() {
        [] => Ok(Exit::Ok),
        names => Err(blocked(names)),
    }
}

/// Returns how it ends before anything is changed, if it does.
fn verdict(
    args: &Args,
    work: &Work,
    rows: &[Row],
    plans: &[ServicePlans],
) -> Option<std::result::Result<&'static str, Failure>> {
    if work.is_nothing() {
        return Some(Ok(
            "everything is like the files already; there is nothing to change",
        ));
    }
    if args.check {
        let things: BTreeSet<_> = rows.iter().map(|row| (row.kind, &row.name)).collect();
        let text = match things.len() {
            1 => "1 thing differs from the files".to_owned(),
            many => format!("{many} things differ from the files"),
        };
        return Some(Err(
            Failure::failed(text).hint("without `--check`, the plan; `--apply` does it")
        ));
    }
    let release = SetName::release();
    let runs_on = work.floats.iter().any(|float| float.set == release);
    let is_said = runs_on || !work.renamed.is_empty() || !work.similar.is_empty();
    let has_warnings = is_said || plans.iter().any(ServicePlans::has_warnings);
    if args.change.strict && has_warnings {
        let text = "there are warnings, and `--strict` is set; nothing was changed";
        return Some(Err(Failure::failed(text)));
    }
    if args.change.apply {
        return None;
    }
    let names: Vec<String> = work
        .services
        .iter()
        .zip(plans)
        .filter(|(_, plans)| plans.is_blocked())
        .map(|(work, _)| work.service.fields.name.clone())
        .collect();
    if names.is_empty() {
        return Some(Ok("nothing was changed; `--apply` does it"));
    }
    Some(Err(blocked(&names)))
}

fn blocked(names: &[String]) -> Failure {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Failure::failed(format!("rules forbid changes of {}", names.join(", ")))
        .hint("the other services do not wait for them; what a rule forbids is named above")
}
