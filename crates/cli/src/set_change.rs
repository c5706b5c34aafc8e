//! Changes of version sets, which the server plans.

use forge_client::answers::{Plan, Service};
use forge_client::{ClientError, Expected, PromotionOptions};
use forge_domain::{ServiceId, SetName};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::change::{self, ApplyArgs, Done, LOOK_ANEW, Proposal, Verdict, unanswered};
use crate::error::{Exit, Failure, Result};
use crate::findings;
use crate::lookup;
use crate::numbers;
use crate::plan::PlanView;
use crate::session::Session;

/// The options of every change of sets.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetChangeArgs {
    #[command(flatten)]
    pub(crate) apply: ApplyArgs,
    /// Why, for the history.
    #[arg(long, short, value_name = "TEXT", help_heading = "Change")]
    pub(crate) message: Option<String>,
    /// Fail with 5 unless the set is at this revision.
    #[arg(long, value_name = "N", value_parser = numbers::from_one::<i64>, help_heading = "Change")]
    pub(crate) expect_revision: Option<i64>,
}

impl SetChangeArgs {
    pub(crate) fn expected(&self) -> Option<Expected> {
        self.expect_revision.map(Expected::At)
    }

    /// Returns the options of the change whose plan has this digest, or of planning it.
    pub(crate) fn options(&self, plan_digest: Option<String>, lift_hold: bool) -> PromotionOptions {
        PromotionOptions {
            lift_hold,
            message: self.message.clone(),
            dry_run: plan_digest.is_none(),
            plan_digest,
        }
    }
}

/// A change of a set in one service or in several.
pub(crate) struct SetChange<'s> {
    session: &'s Session,
    args: &'s ApplyArgs,
    /// The names of the services whose sets would change.
    services: Vec<(ServiceId, String)>,
    /// The command that shows what became of it, should the answer be lost.
    check: String,
}

/// What the server planned.
pub(crate) struct Planned {
    /// The plan of each set that would change.
    pub(crate) plans: Vec<Plan>,
    /// What fixes all of it.
    pub(crate) digest: String,
    /// What the server answered.
    pub(crate) json: Box<RawValue>,
}

impl Planned {
    /// Returns the plan of one set.
    pub(crate) fn one(plan: Plan, json: Box<RawValue>) -> Self {
        Self {
            digest: plan.digest.clone(),
            plans: vec![plan],
            json,
        }
    }

    /// Adds to what the server answered what was found here, so that programs see all of it, too.
    pub(crate) fn with_findings(mut self) -> Result<Self> {
        let mut document: Value = serde_json::from_str(self.json.get())?;
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
                let Some(sent) = place[field].as_array_mut() else {
                    continue;
                };
                let more = findings::json(found.get(sent.len()..).unwrap_or_default());
                has_more |= !more.is_empty();
                sent.extend(more);
            }
        }
        // What nothing was added to stays as it was sent, to the letter.
        if has_more {
            self.json = to_raw_value(&document)?;
        }
        Ok(self)
    }
}

impl<'s> SetChange<'s> {
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

    /// Shows what was planned and, if that is asked for, carries it out with `act`, which gets the digest of what was
    /// shown.
    pub(crate) async fn carry_out(
        &self,
        planned: Planned,
        act: impl AsyncFnOnce(String) -> std::result::Result<Done, ClientError>,
    ) -> Result<Exit> {
        let digest = planned.digest.clone();
        let proposal = PlannedChange {
            change: self,
            planned,
        };
        change::carry_out(self.session, self.args, &proposal, async || {
            act(digest).await.map_err(|error| self.refused(error))
        })
        .await
    }

    fn show(&self, plan: &Plan) -> Result<()> {
        let named = self.services.iter().find(|(id, _)| *id == plan.service_id);
        let name = named.map_or_else(|| plan.service_id.to_string(), |(_, name)| name.clone());
        PlanView::of_set(plan, &name).show(&self.session.ui)
    }

    /// Returns why there is no plan; if a set is not there, with those that are.
    pub(crate) async fn unplanned(&self, error: ClientError, sets: &[&SetName]) -> Failure {
        match (&error, self.services.as_slice()) {
            (ClientError::NotFound(_), [(service, _)]) => {
                lookup::no_such_set(self.session, *service, sets, error).await
            }
            _ => self.refused(error),
        }
    }

    /// Returns why a change, or the plan of one, was refused.
    ///
    /// Shows the plan or the set as it is now.
    pub(crate) fn refused(&self, error: ClientError) -> Failure {
        let ui = &self.session.ui;
        match &error {
            ClientError::Blocked { plans, .. } => {
                self.session.show_place();
                for plan in plans {
                    findings::show(ui, &plan.blockers, &plan.warnings);
                }
                Failure::from(error)
            }
            ClientError::Conflict { plans, .. } => {
                if !plans.is_empty() {
                    self.session.show_place();
                }
                for plan in plans {
                    // The plan is what there is to look at; if it cannot be shown, the error still is.
                    let _ = self.show(plan);
                }
                Failure::from(error).hint(LOOK_ANEW)
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

/// A change, and what the server planned for it.
struct PlannedChange<'c> {
    change: &'c SetChange<'c>,
    planned: Planned,
}

impl Proposal for PlannedChange<'_> {
    fn show(&self, _: &Session) -> Result<()> {
        self.planned
            .plans
            .iter()
            .try_for_each(|plan| self.change.show(plan))
    }

    fn verdict(&self, args: &ApplyArgs) -> Verdict {
        let plans = &self.planned.plans;
        let count = |findings: fn(&Plan) -> usize| plans.iter().map(findings).sum();
        let blockers = count(|plan| plan.blockers.len());
        let warnings = count(|plan| plan.warnings.len());
        change::verdict(args, blockers, warnings, plans.iter().all(|plan| plan.is_no_op))
    }

    fn document(&self) -> Result<Box<RawValue>> {
        Ok(self.planned.json.clone())
    }

    fn check(&self) -> &str {
        &self.change.check
    }

    /// The digest fixes the name of the set; this ensures that the services are still those that were named and shown.
    async fn recheck(&self, session: &Session) -> Result<()> {
        lookup::refuse_if_renamed(session, &self.change.services).await
    }
}

/// Returns what to report of a set that is at this revision now.
pub(crate) fn done_at(set: &SetName, revision: Option<i64>, json: Box<RawValue>) -> Done {
    let text = match revision {
        Some(revision) => format!("done: `{set}` is at revision {revision}"),
        None => format!("done: `{set}` is as planned"),
    };
    Done::new(text, Some(json))
}
