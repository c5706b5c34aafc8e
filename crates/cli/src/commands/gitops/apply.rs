//! `forge apply`

use std::collections::BTreeSet;
use std::path::PathBuf;

use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use forge_domain::name::is_same;
use serde_json::value::RawValue;

use super::compare::compare;
use super::outcome::Outcome;
use super::planned::{ApplyOptions, plan};
use super::show::Shown;
use super::steps::Worker;
use super::{files, server};
use crate::change::{self, ApplyArgs, Done, Proposal, Verdict};
use crate::error::{Exit, Failure, Result};
use crate::session::{Common, Session, interruptible};
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
    /// Why, for the history.
    #[arg(long, short, value_name = "TEXT", help_heading = "Change")]
    message: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(Box::pin(apply(args))).await
}

async fn apply(args: Args) -> Result<Exit> {
    let mut tree = files::read(&args.file)?;
    let session = args.common.session()?;
    let client = &session.client;
    let wants =
        |kind: AssetKind, name: &str| tree.assets(kind).iter().any(|asset| is_same(&asset.name, name));
    let known = server::ask(&session.ui, client, wants).await?;
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
    let options = ApplyOptions {
        message: args.message.clone(),
        lift_hold: args.lift_hold,
        strict: args.change.strict,
    };
    let plans = plan(client, &work, &known, &options).await?;
    let folder = quoted(&args.file.display().to_string());
    let proposal = Apply {
        shown: Shown::new(&session, work, plans),
        is_check: args.check,
        check: session.command(&format!("apply -f {folder} --check")),
    };
    change::carry_out(&session, &args.change, &proposal, async || {
        let mut worker = Worker::new(&session, &options, &known);
        let result = worker.work(&proposal.shown.work, &proposal.shown.plans).await;
        proposal.done(result, &worker)
    })
    .await
}

/// Everything that differs from the files.
struct Apply {
    shown: Shown,
    is_check: bool,
    /// The command that shows what became of it, should an answer be lost.
    check: String,
}

impl Apply {
    /// Returns what to report of the work.
    ///
    /// What was done before it failed stays done, and is in the document.
    fn done(&self, result: Result<()>, worker: &Worker<'_>) -> Result<Done> {
        let (done, all) = (worker.outcome.done.len(), self.shown.work.steps().len());
        let json = Some(self.shown.document(&worker.outcome)?);
        Ok(match result {
            Ok(()) => Done {
                text: Some(format!("done: {done} of {all} steps")),
                json,
                failure: (!worker.blocked.is_empty()).then(|| blocked(&worker.blocked)),
            },
            Err(failure) => Done {
                text: None,
                json,
                failure: Some(failure.hint(format!(
                    "{done} of {all} steps are done; `forge apply` again goes on from there"
                ))),
            },
        })
    }

    fn has_warnings(&self) -> bool {
        let work = &self.shown.work;
        let release = SetName::release();
        let runs_on = work.floats.iter().any(|float| float.set == release);
        let is_said = runs_on || !work.renamed.is_empty() || !work.similar.is_empty();
        is_said
            || self
                .shown
                .plans
                .iter()
                .any(super::planned::ServicePlans::has_warnings)
    }
}

impl Proposal for Apply {
    fn show(&self, session: &Session) -> Result<()> {
        self.shown.show(session, self.is_check)
    }

    /// What a rule forbids stops that service alone.
    fn verdict(&self, args: &ApplyArgs) -> Verdict {
        let Shown {
            work, plans, rows, ..
        } = &self.shown;
        if work.is_nothing() {
            return Verdict::NoOp("everything is like the files already; there is nothing to change");
        }
        if self.is_check {
            let things: BTreeSet<_> = rows.iter().map(|row| (row.kind, &row.name)).collect();
            let text = match things.len() {
                1 => "1 thing differs from the files".to_owned(),
                many => format!("{many} things differ from the files"),
            };
            return Verdict::Refused(
                Failure::failed(text).hint("without `--check`, the plan; `--apply` does it"),
            );
        }
        if args.strict && self.has_warnings() {
            let text = "there are warnings, and `--strict` is set; nothing was changed";
            return Verdict::Refused(Failure::failed(text));
        }
        let names = work
            .services
            .iter()
            .zip(plans)
            .filter(|(_, plans)| plans.is_blocked())
            .map(|(work, _)| work.service.fields.name.clone());
        let names: Vec<String> = names.collect();
        if args.apply || names.is_empty() {
            return Verdict::Go;
        }
        Verdict::Refused(blocked(&names))
    }

    fn document(&self) -> Result<Box<RawValue>> {
        self.shown.document(&Outcome::default())
    }

    fn check(&self) -> &str {
        &self.check
    }
}

fn blocked(names: &[String]) -> Failure {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Failure::failed(format!("rules forbid changes of {}", names.join(", ")))
        .hint("the other services do not wait for them; what a rule forbids is named above")
}
