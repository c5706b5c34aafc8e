//! Changes: the plan first, then the very same plan if it is wanted.

use std::sync::Mutex;

use forge_client::answers::Plan;
use forge_client::{ClientError, Expected};
use forge_domain::SetName;
use serde_json::value::RawValue;

use crate::error::{Exit, Failure, Result};
use crate::plan;
use crate::session::Session;
use crate::ui::Ui;

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
    /// Why, for the history.
    #[arg(long, short, value_name = "TEXT", help_heading = "Change")]
    pub(crate) message: Option<String>,
}

/// The options of every change of one set.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetChangeArgs {
    #[command(flatten)]
    pub(crate) apply: ApplyArgs,
    /// Fail with 5 unless the set is at this revision.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..), help_heading = "Change")]
    pub(crate) expect_revision: Option<i64>,
}

impl SetChangeArgs {
    pub(crate) fn expected(&self) -> Option<Expected> {
        self.expect_revision.map(Expected::At)
    }
}

/// What a change would do.
pub(crate) struct Planned {
    /// The plan of each set that would change, with the name of its service.
    pub(crate) plans: Vec<(String, Plan)>,
    /// What fixes all of it.
    pub(crate) digest: String,
    /// What the server answered.
    pub(crate) json: Box<RawValue>,
}

/// What was done.
pub(crate) struct Done {
    /// What to say about it.
    pub(crate) text: String,
    /// What the server answered, if it answered anything.
    pub(crate) json: Option<Box<RawValue>>,
}

impl Done {
    /// A set is at this revision now.
    pub(crate) fn at(set: &SetName, revision: Option<i64>, json: Option<Box<RawValue>>) -> Self {
        let text = match revision {
            Some(revision) => format!("done: `{set}` is at revision {revision}"),
            None => format!("done: `{set}` is as planned"),
        };
        Self { text, json }
    }
}

/// What is under way: how to see afterwards what became of it.
static UNDER_WAY: Mutex<Option<String>> = Mutex::new(None);

/// Shows a plan and, if that is wanted, carries it out with `act`, which gets the digest of what was shown. `check` is the
/// command that tells what became of it, should the answer be lost.
pub(crate) async fn carry_out(
    session: &Session,
    args: &ApplyArgs,
    planned: Planned,
    check: &str,
    act: impl AsyncFnOnce(String) -> std::result::Result<Done, ClientError>,
) -> Result<Exit> {
    let ui = &session.ui;
    for (service, plan) in &planned.plans {
        plan::show(ui, plan, service)?;
    }
    let verdict = judge(args, planned.plans.iter().map(|(_, plan)| plan));
    if !matches!(verdict, Verdict::Go) || !args.apply {
        if ui.json {
            ui.document(&planned.json)?;
        }
        return match verdict {
            Verdict::Refused(failure) => Err(failure),
            Verdict::NoOp => {
                ui.note("everything is like this already; there is nothing to change");
                Ok(Exit::Ok)
            }
            Verdict::Go => {
                ui.note("nothing was changed; `--apply` does it");
                Ok(Exit::Ok)
            }
        };
    }
    confirm(session, args.yes).await?;
    let done = watched(check, act(planned.digest))
        .await
        .map_err(|error| refused(ui, error, check))?;
    if ui.json {
        ui.document(done.json.as_deref().unwrap_or(&planned.json))?;
    }
    ui.note(&done.text);
    Ok(Exit::Ok)
}

/// What the plans, and the terms of the caller, come to.
enum Verdict {
    Refused(Failure),
    NoOp,
    Go,
}

fn judge<'p>(args: &ApplyArgs, plans: impl Iterator<Item = &'p Plan> + Clone) -> Verdict {
    let count = |findings: fn(&Plan) -> usize| plans.clone().map(findings).sum::<usize>();
    let blockers = count(|plan| plan.blockers.len());
    let warnings = count(|plan| plan.warnings.len());
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
    if plans.clone().all(|plan| plan.is_no_op) {
        return Verdict::NoOp;
    }
    Verdict::Go
}

/// Asks whether to go on, if there is somebody to ask.
pub(crate) async fn confirm(session: &Session, is_confirmed: bool) -> Result<()> {
    let ui = &session.ui;
    if is_confirmed || !ui.can_ask() {
        return Ok(());
    }
    let credentials = session.client.credentials();
    let question = format!(
        "Do this in `{}` at {}?",
        credentials.organization_id, credentials.base_url
    );
    if ui.confirm(&question).await? {
        return Ok(());
    }
    Err(Failure::failed("not confirmed; nothing was changed"))
}

/// Carries a change out, and remembers meanwhile how to see what became of it.
pub(crate) async fn watched<T>(check: &str, change: impl Future<Output = T>) -> T {
    let set = |value| {
        if let Ok(mut under_way) = UNDER_WAY.lock() {
            *under_way = value;
        }
    };
    set(Some(check.to_owned()));
    let result = change.await;
    set(None);
    result
}

/// Returns the command that tells what became of the change under way, if there is one.
pub(crate) fn under_way() -> Option<String> {
    UNDER_WAY.lock().ok()?.clone()
}

/// Tells why a change was refused, with the plan as it is now.
pub(crate) fn refused(ui: &Ui, error: ClientError, check: &str) -> Failure {
    match &error {
        ClientError::Blocked { plans, .. } => {
            for plan in plans {
                plan::findings(ui, plan);
            }
            Failure::from(error)
        }
        ClientError::Conflict { plans, .. } => {
            for plan in plans {
                // The plan is what there is to look at; if it cannot be shown, the error still is.
                let _ = plan::show(ui, plan, &plan.service_id.to_string());
            }
            Failure::from(error).hint("nothing was changed; look at the plan anew, and apply that")
        }
        ClientError::SetMoved { version_set, .. } => {
            let now = version_set.as_ref().map(|set| {
                let by = &set.updated_by.user_id;
                format!(
                    "`{}` is at revision {} now, written {} by {by}",
                    set.name,
                    set.revision,
                    ui.time(&set.updated_at)
                )
            });
            let mut failure = Failure::from(error);
            failure.details.extend(now);
            failure.hint("nothing was changed; look at the plan anew")
        }
        ClientError::Transport {
            may_be_applied: true, ..
        }
        | ClientError::Busy {
            may_be_applied: true, ..
        } => Failure::from(error).hint(format!("`{check}` tells what became of it")),
        _ => Failure::from(error),
    }
}
