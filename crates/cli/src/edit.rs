//! Changes of services, agents and context graphs. The server plans changes of services; what the others would do is found
//! out here, by the rules that the server goes by; it has the last word.

use forge_client::ClientError;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::change::{self, ApplyArgs, Done, Proposal, Verdict, unanswered};
use crate::error::{Exit, Failure, Result};
use crate::findings;
use crate::plan::{FieldEdit, PlanView};
use crate::session::Session;

/// A change that is planned here.
///
/// Without fields and differences, there is nothing to change.
pub(crate) struct Edit {
    pub(crate) plan: PlanView,
    /// What the document of the plan has beside.
    pub(crate) more: Map<String, Value>,
    /// The command that shows what became of it, should the answer be lost.
    check: String,
}

impl Edit {
    /// Creates a change without anything in it yet.
    ///
    /// `forge` with the arguments `check` shows what became of it.
    pub(crate) fn new(session: &Session, title: String, check: &str) -> Self {
        let credentials = session.client.credentials();
        let place = [
            ("organization_id", &credentials.organization_id),
            ("base_url", &credentials.base_url),
        ];
        let place = place.map(|(field, value)| (field.to_owned(), json!(value)));
        Self {
            plan: PlanView {
                title,
                ..PlanView::default()
            },
            more: place.into_iter().collect(),
            check: session.command(check),
        }
    }

    fn is_no_op(&self) -> bool {
        self.plan.fields.is_empty() && self.plan.differences.is_empty()
    }

    /// Shows what would change and, if that is asked for, carries it out with `act`.
    pub(crate) async fn carry_out(
        &self,
        session: &Session,
        args: &ApplyArgs,
        act: impl AsyncFnOnce() -> Result<Done>,
    ) -> Result<Exit> {
        change::carry_out(session, args, self, act).await
    }

    /// Returns why the server refused the change.
    pub(crate) fn refused(&self, error: ClientError) -> Failure {
        match &error {
            ClientError::Conflict { .. } => Failure::from(error).hint(change::LOOK_ANEW),
            ClientError::YankMoved { yanked, .. } => {
                let is_yanked = yanked.is_some();
                let failure = Failure::from(error);
                if is_yanked {
                    return failure.hint("that yank was left alone; look at it anew");
                }
                failure.hint(format!("`{}` tells how it is now", self.check))
            }
            _ => unanswered(error, &self.check),
        }
    }
}

impl Proposal for Edit {
    fn show(&self, session: &Session) -> Result<()> {
        self.plan.show(&session.ui)
    }

    fn verdict(&self, args: &ApplyArgs) -> Verdict {
        let (blockers, warnings) = (self.plan.blockers.len(), self.plan.warnings.len());
        change::verdict(args, blockers, warnings, self.is_no_op())
    }

    /// What plans of the server have too is called the same.
    fn document(&self) -> Result<Box<RawValue>> {
        let change = |edit: &FieldEdit| json!({"field": edit.field, "from": edit.from, "to": edit.to});
        let mut plan = self.more.clone();
        plan.insert(
            "changes".to_owned(),
            self.plan.fields.iter().map(change).collect(),
        );
        plan.insert("blockers".to_owned(), findings::json(&self.plan.blockers).into());
        plan.insert("warnings".to_owned(), findings::json(&self.plan.warnings).into());
        plan.insert("is_no_op".to_owned(), self.is_no_op().into());
        Ok(to_raw_value(&plan)?)
    }

    fn check(&self) -> &str {
        &self.check
    }
}
