//! Changes: the plan is shown first, and then, if that is asked for, the very same plan is carried out.
//!
//! Every command that changes something goes through [`carry_out`], whoever made its plan.

use forge_client::ClientError;
use serde_json::value::RawValue;

use crate::error::{Exit, Failure, Result};
use crate::session::Session;
use crate::under_way;

/// What to do about a plan that does not hold any more.
pub(crate) const LOOK_ANEW: &str = "nothing was changed; look at the plan anew, and apply that";

/// The options of every change.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ApplyArgs {
    /// Do what the plan says; without this, it is only shown.
    #[arg(long, help_heading = "Change")]
    pub(crate) apply: bool,
    /// Do not ask.
    #[arg(long, short, requires = "apply", help_heading = "Change")]
    pub(crate) yes: bool,
    /// Apply nothing if there is a warning, and exit with 1.
    #[arg(long, help_heading = "Change")]
    pub(crate) strict: bool,
}

/// A change that a command proposes.
pub(crate) trait Proposal {
    /// Shows what would change, and what stands against it.
    fn show(&self, session: &Session) -> Result<()>;

    /// Returns what is to become of it.
    fn verdict(&self, args: &ApplyArgs) -> Verdict;

    /// Returns the plan as a document for programs.
    fn document(&self) -> Result<Box<RawValue>>;

    /// Returns the command that shows what became of the change, should the answer be lost.
    fn check(&self) -> &str;

    /// Ensures, after somebody has agreed and before anything is sent, that what they saw still holds.
    async fn recheck(&self, _session: &Session) -> Result<()> {
        Ok(())
    }
}

/// What is to become of a change.
pub(crate) enum Verdict {
    /// It can be carried out.
    Go,
    /// There is nothing to do, as this says.
    NoOp(&'static str),
    /// It must not be carried out.
    Refused(Failure),
}

/// What was done.
pub(crate) struct Done {
    /// What to say about it, if anything.
    pub(crate) text: Option<String>,
    /// The document for programs, if it says more than that of the plan.
    pub(crate) json: Option<Box<RawValue>>,
    /// Why some of it was not done.
    pub(crate) failure: Option<Failure>,
}

impl Done {
    /// All of it was done.
    pub(crate) fn new(text: impl Into<String>, json: Option<Box<RawValue>>) -> Self {
        Self {
            text: Some(text.into()),
            json,
            failure: None,
        }
    }
}

/// Shows a change and, if that is asked for and nothing stands against it, asks and carries it out with `act`.
pub(crate) async fn carry_out(
    session: &Session,
    args: &ApplyArgs,
    proposal: &impl Proposal,
    act: impl AsyncFnOnce() -> Result<Done>,
) -> Result<Exit> {
    let ui = &session.ui;
    session.show_place();
    proposal.show(session)?;

    let end = match proposal.verdict(args) {
        Verdict::Go if args.apply => None,
        Verdict::Go => Some(Ok("nothing was changed; `--apply` does it")),
        Verdict::NoOp(text) => Some(Ok(text)),
        Verdict::Refused(failure) => Some(Err(failure)),
    };
    if let Some(end) = end {
        if ui.json {
            ui.document(&proposal.document()?)?;
        }
        ui.note(end?);
        return Ok(Exit::Ok);
    }

    confirm(session, args.yes).await?;
    proposal.recheck(session).await?;

    let hint = format!(
        "the change may have been made or not; `{}` tells",
        proposal.check()
    );
    let done = under_way::unless_interrupted(hint, act()).await?;

    // First of all that it was done: what comes of the document is another matter.
    if let Some(text) = &done.text {
        ui.note(text);
    }
    let printed = match (ui.json, &done.json) {
        (false, _) => Ok(()),
        (true, Some(json)) => ui.document(json),
        (true, None) => proposal.document().and_then(|json| ui.document(&json)),
    };
    match done.failure {
        Some(failure) => Err(failure),
        None => printed.map(|()| Exit::Ok),
    }
}

/// Returns what is to become of a change against which so many blockers and warnings stand.
pub(crate) fn verdict(args: &ApplyArgs, blockers: usize, warnings: usize, is_no_op: bool) -> Verdict {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if blockers > 0 {
        let text = format!(
            "{blockers} rule{} forbid{} it; nothing was changed",
            plural(blockers),
            if blockers == 1 { "s" } else { "" }
        );
        return Verdict::Refused(Failure::failed(text));
    }
    if warnings > 0 && args.strict {
        let text = format!(
            "there {} {warnings} warning{}, and `--strict` is set; nothing was changed",
            if warnings == 1 { "is" } else { "are" },
            plural(warnings)
        );
        return Verdict::Refused(Failure::failed(text));
    }
    if is_no_op {
        return Verdict::NoOp("everything is like this already; there is nothing to change");
    }
    Verdict::Go
}

/// Asks whether to go on, if there is somebody at a terminal.
///
/// Where they are, but the question or their answer would go elsewhere, nothing is done that they were not asked about.
async fn confirm(session: &Session, is_confirmed: bool) -> Result<()> {
    let ui = &session.ui;
    if is_confirmed || !ui.is_watched() {
        return Ok(());
    }
    if !ui.can_ask() {
        let failure = Failure::failed(
            "you cannot be asked here, where input or messages go elsewhere; nothing was changed",
        );
        return Err(failure.hint("add `--yes` to do it without being asked"));
    }
    if ui.confirm(&format!("Do this in {}?", session.place())).await? {
        return Ok(());
    }
    Err(Failure::failed("not confirmed; nothing was changed"))
}

/// Returns the failure of a change whose plan is not as it was shown any more.
pub(crate) fn plan_moved() -> Failure {
    Failure::new(Exit::Conflict, "the plan has changed since you saw it").hint(LOOK_ANEW)
}

/// Returns why a change failed and, if nobody knows whether it was made, the command that shows it.
pub(crate) fn unanswered(error: ClientError, check: &str) -> Failure {
    if error.is_outcome_unknown() {
        return Failure::from(error).hint(format!("`{check}` tells what became of it"));
    }
    Failure::from(error)
}
