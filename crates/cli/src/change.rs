//! Changes: the plan first, then the very same plan if it is wanted.

use forge_client::answers::{Plan, Service};
use forge_client::{ClientError, Expected};
use forge_domain::{ServiceId, SetName};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::numbers;
use crate::plan;
use crate::session::Session;
use crate::under_way;

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
    #[arg(long, value_name = "N", value_parser = numbers::from_one::<i64>, help_heading = "Change")]
    pub(crate) expect_revision: Option<i64>,
}

impl SetChangeArgs {
    pub(crate) fn expected(&self) -> Option<Expected> {
        self.expect_revision.map(Expected::At)
    }
}

/// What a change would do.
pub(crate) struct Planned {
    /// The plan of each set that would change.
    pub(crate) plans: Vec<Plan>,
    /// What fixes all of it.
    pub(crate) digest: String,
    /// What the server answered.
    pub(crate) json: Box<RawValue>,
}

impl Planned {
    /// The plan of one set.
    pub(crate) fn one(plan: Plan, json: Box<RawValue>) -> Self {
        Self {
            digest: plan.digest.clone(),
            plans: vec![plan],
            json,
        }
    }

    /// Adds to what the server answered what was found here, so that programs see all of it, too.
    pub(crate) fn with_findings(mut self) -> Result<Self> {
        let unreadable = |error: serde_json::Error| Failure::failed(error.to_string());
        let mut document: Value = serde_json::from_str(self.json.get()).map_err(unreadable)?;
        let mut has_more = false;
        let places = match document.as_object_mut() {
            Some(fields) if fields.contains_key("plans") => {
                fields["plans"].as_array_mut().into_iter().flatten().collect()
            }
            Some(fields) if fields.contains_key("plan") => vec![&mut fields["plan"]],
            _ => vec![&mut document],
        };
        for (place, plan) in places.into_iter().zip(&self.plans) {
            for (field, found) in [("blockers", &plan.blockers), ("warnings", &plan.warnings)] {
                let Some(told) = place[field].as_array_mut() else {
                    continue;
                };
                let more = found
                    .iter()
                    .skip(told.len())
                    .map(|found| json!({"code": found.code, "message": found.message, "hint": found.hint}));
                let before = told.len();
                told.extend(more);
                has_more |= told.len() > before;
            }
        }
        // What nothing was added to stays as it was sent, to the letter.
        if has_more {
            self.json = to_raw_value(&document).map_err(unreadable)?;
        }
        Ok(self)
    }
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

/// A change that somebody wants to make.
pub(crate) struct Change<'s> {
    session: &'s Session,
    args: &'s ApplyArgs,
    /// The names of the services whose sets would change.
    services: Vec<(ServiceId, String)>,
    /// The command that tells what became of it, should the answer be lost.
    check: String,
}

impl<'s> Change<'s> {
    /// A change of a set in these services.
    pub(crate) fn new(
        session: &'s Session,
        args: &'s ApplyArgs,
        services: &[Service],
        set: &SetName,
    ) -> Self {
        let first = services
            .first()
            .map_or_else(|| "SERVICE".to_owned(), lookup::handle);
        Self {
            session,
            args,
            services: services
                .iter()
                .map(|service| (service.id, service.name.clone()))
                .collect(),
            check: session.command(&format!("version-set history {first} {set}")),
        }
    }

    fn show(&self, plan: &Plan) -> Result<()> {
        let named = self.services.iter().find(|(id, _)| *id == plan.service_id);
        let name = named.map_or_else(|| plan.service_id.to_string(), |(_, name)| name.clone());
        plan::show(&self.session.ui, plan, &name)
    }

    /// Shows what was planned and, if that is wanted, carries it out with `act`, which gets the digest of what was
    /// shown.
    pub(crate) async fn carry_out(
        &self,
        planned: Planned,
        act: impl AsyncFnOnce(String) -> std::result::Result<Done, ClientError>,
    ) -> Result<Exit> {
        let ui = &self.session.ui;
        self.session.tell_place();
        for plan in &planned.plans {
            self.show(plan)?;
        }
        let verdict = judge(self.args, &planned.plans);
        if !matches!(verdict, Verdict::Go) || !self.args.apply {
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
        confirm(self.session, self.args.yes).await?;
        // The digest fixes the name from the plan on, and this that it is still the one that was named and shown.
        lookup::refuse_if_renamed(self.session, &self.services).await?;
        let done = watched(&self.check, act(planned.digest))
            .await
            .map_err(|error| self.refused(error))?;
        // First of all that it was done: what comes of the document is another matter.
        ui.note(&done.text);
        if ui.json {
            ui.document(done.json.as_deref().unwrap_or(&planned.json))?;
        }
        Ok(Exit::Ok)
    }

    /// Tells why a plan was refused; if a set is not there, which ones are.
    pub(crate) async fn unplanned(&self, error: ClientError, sets: &[&SetName]) -> Failure {
        match (&error, self.services.as_slice()) {
            (ClientError::NotFound(_), [(service, _)]) => {
                lookup::no_such_set(self.session, *service, sets, error).await
            }
            _ => self.refused(error),
        }
    }

    /// Tells why a change, or the plan of one, was refused, with the plan or the set as it is now.
    pub(crate) fn refused(&self, error: ClientError) -> Failure {
        let ui = &self.session.ui;
        match &error {
            ClientError::Blocked { plans, .. } => {
                self.session.tell_place();
                for plan in plans {
                    plan::findings(ui, plan);
                }
                Failure::from(error)
            }
            ClientError::Conflict { plans, .. } => {
                if !plans.is_empty() {
                    self.session.tell_place();
                }
                for plan in plans {
                    // The plan is what there is to look at; if it cannot be shown, the error still is.
                    let _ = self.show(plan);
                }
                Failure::from(error).hint("nothing was changed; look at the plan anew, and apply that")
            }
            ClientError::SetMoved { version_set, .. } => {
                let now = version_set.as_ref().map(|set| {
                    let (when, by) = (ui.time(&set.updated_at), &set.updated_by.user_id);
                    format!(
                        "`{}` is at revision {} now, written {when} by {by}",
                        set.name, set.revision
                    )
                });
                let mut failure = Failure::from(error);
                failure.details.extend(now);
                failure.hint("nothing was changed; look at the plan anew")
            }
            _ => unanswered(error, &self.check),
        }
    }
}

/// What the plans, and the options of the caller, come to.
pub(crate) enum Verdict {
    Refused(Failure),
    NoOp,
    Go,
}

fn judge(args: &ApplyArgs, plans: &[Plan]) -> Verdict {
    let count = |findings: fn(&Plan) -> usize| plans.iter().map(findings).sum::<usize>();
    let blockers = count(|plan| plan.blockers.len());
    let warnings = count(|plan| plan.warnings.len());
    verdict(
        args.strict,
        blockers,
        warnings,
        plans.iter().all(|plan| plan.is_no_op),
    )
}

/// Returns what so many findings come to.
pub(crate) fn verdict(is_strict: bool, blockers: usize, warnings: usize, is_no_op: bool) -> Verdict {
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if blockers > 0 {
        let text = format!(
            "{blockers} rule{} forbid{} it; nothing was changed",
            plural(blockers),
            if blockers == 1 { "s" } else { "" }
        );
        return Verdict::Refused(Failure::failed(text));
    }
    if warnings > 0 && is_strict {
        let text = format!(
            "there {} {warnings} warning{}, and `--strict` is set; nothing was changed",
            if warnings == 1 { "is" } else { "are" },
            plural(warnings)
        );
        return Verdict::Refused(Failure::failed(text));
    }
    if is_no_op {
        return Verdict::NoOp;
    }
    Verdict::Go
}

/// Asks whether to go on, if there is somebody at a terminal.
///
/// Where they are, but the question or their answer would go elsewhere, nothing is done that they were not asked about.
pub(crate) async fn confirm(session: &Session, is_confirmed: bool) -> Result<()> {
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

/// Carries a change out, and remembers meanwhile how to see what became of it.
pub(crate) async fn watched<T>(check: &str, change: impl Future<Output = T>) -> T {
    let hint = format!("the change may have been made or not; `{check}` tells");
    under_way::unless_interrupted(hint, change).await
}

/// Tells why a change failed, and how to see what became of it if that is not known.
pub(crate) fn unanswered(error: ClientError, check: &str) -> Failure {
    if error.is_outcome_unknown() {
        return Failure::from(error).hint(format!("`{check}` tells what became of it"));
    }
    Failure::from(error)
}
