//! Changes of services, agents and context graphs. The server plans changes of services; what the others would do is found
//! out here, by the rules that the server goes by; it has the last word.

use forge_client::ClientError;
use forge_client::answers::Finding;
use forge_contract::contract;
use forge_domain::Refusal;
use forge_domain::fault::Fault;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::change::{Verdict, confirm, unanswered, verdict, watched};
use crate::commands::version_set::diff;
use crate::error::{Exit, Failure, Result};
use crate::plan::{field, finding, text};
use crate::session::Session;
use crate::ui::{Style, Ui, folded};

/// The options of these changes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct EditArgs {
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

/// One field before and after.
#[derive(Clone)]
pub(crate) struct FieldEdit {
    pub(crate) field: String,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) from: Value,
    pub(crate) to: Value,
    /// What people see instead.
    pub(crate) shown: [String; 2],
}

impl FieldEdit {
    pub(crate) fn new(name: impl Into<String>, from: Value, to: Value) -> Self {
        let name = name.into();
        Self {
            label: field(&name),
            field: name,
            shown: [text(&from), text(&to)],
            from,
            to,
        }
    }

    /// The same field under another name for people.
    pub(crate) fn called(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same field, that people see in another form.
    pub(crate) fn shown_as(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.shown = [from.into(), to.into()];
        self
    }
}

/// A change that somebody wants to make.
///
/// Without fields and differences, there is nothing to change.
pub(crate) struct Edit {
    /// What it is about, as a few words.
    pub(crate) title: String,
    /// The fields that would change.
    pub(crate) fields: Vec<FieldEdit>,
    /// What would differ between two documents.
    pub(crate) differences: Vec<diff::Row>,
    /// What the document of the plan has beside.
    pub(crate) more: Map<String, Value>,
    /// What forbids it.
    pub(crate) blockers: Vec<Finding>,
    /// What to think twice about.
    pub(crate) warnings: Vec<Finding>,
    /// The command that tells what became of it, should the answer be lost.
    pub(crate) check: String,
}

/// What was done.
pub(crate) struct Edited {
    /// What to say about it.
    pub(crate) text: String,
    /// What the server answered, if it says more than the plan.
    pub(crate) json: Option<Box<RawValue>>,
}

impl Edit {
    /// A change without anything in it yet.
    ///
    /// `forge` with these arguments tells what became of it.
    pub(crate) fn new(session: &Session, title: String, check: &str) -> Self {
        let credentials = session.client.credentials();
        let place = [
            ("organization_id", &credentials.organization_id),
            ("base_url", &credentials.base_url),
        ];
        let place = place.map(|(field, value)| (field.to_owned(), json!(value)));
        Self {
            title,
            fields: Vec::new(),
            differences: Vec::new(),
            more: place.into_iter().collect(),
            blockers: Vec::new(),
            warnings: Vec::new(),
            check: session.command(check),
        }
    }

    fn is_no_op(&self) -> bool {
        self.fields.is_empty() && self.differences.is_empty()
    }

    /// The plan as a document; what plans of the server have too is called the same.
    fn json(&self) -> Result<Box<RawValue>> {
        let change = |edit: &FieldEdit| json!({"field": edit.field, "from": edit.from, "to": edit.to});
        let finding =
            |found: &Finding| json!({"code": found.code, "message": found.message, "hint": found.hint});
        let mut plan = self.more.clone();
        plan.insert("changes".to_owned(), self.fields.iter().map(change).collect());
        plan.insert("blockers".to_owned(), self.blockers.iter().map(finding).collect());
        plan.insert("warnings".to_owned(), self.warnings.iter().map(finding).collect());
        plan.insert("is_no_op".to_owned(), self.is_no_op().into());
        to_raw_value(&plan).map_err(|error| Failure::failed(error.to_string()))
    }

    fn show(&self, ui: &Ui) -> Result<()> {
        ui.note(&format!("{}:", self.title));
        if ui.json {
            for edit in &self.fields {
                let [from, to] = edit.shown.each_ref().map(|text| folded(text));
                ui.progress(&format!("  {}: {from} → {to}", edit.label));
            }
        } else {
            ui.rows(
                &self.fields,
                ["field", "from", "to"],
                |edit| {
                    let [from, to] = edit.shown.clone();
                    [edit.label.clone(), from, to]
                },
                |edit| [edit.field.clone(), edit.from.to_string(), edit.to.to_string()],
            )?;
            diff::show(ui, &self.differences)?;
        }
        for blocker in &self.blockers {
            finding(ui, Style::Error, "blocker", blocker);
        }
        for warning in &self.warnings {
            finding(ui, Style::Warning, "warning", warning);
        }
        Ok(())
    }

    /// Shows what would change and, if that is wanted, carries it out with `act`.
    pub(crate) async fn carry_out(
        &self,
        session: &Session,
        args: &EditArgs,
        act: impl AsyncFnOnce() -> Result<Edited>,
    ) -> Result<Exit> {
        let ui = &session.ui;
        session.tell_place();
        self.show(ui)?;
        let verdict = verdict(
            args.strict,
            self.blockers.len(),
            self.warnings.len(),
            self.is_no_op(),
        );
        if !matches!(verdict, Verdict::Go) || !args.apply {
            if ui.json {
                ui.document(&self.json()?)?;
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
        let done = watched(&self.check, act()).await?;
        // First of all that it was done: what comes of the document is another matter.
        ui.note(&done.text);
        if ui.json {
            let json = match done.json {
                Some(json) => json,
                None => self.json()?,
            };
            ui.document(&json)?;
        }
        Ok(Exit::Ok)
    }

    /// Tells why the change failed.
    pub(crate) fn refused(&self, error: ClientError) -> Failure {
        match &error {
            ClientError::Conflict { .. } => {
                Failure::from(error).hint("nothing was changed; look at the plan anew, and apply that")
            }
            ClientError::YankMoved { yanked, .. } => {
                let is_told = yanked.is_some();
                let failure = Failure::from(error);
                if is_told {
                    return failure.hint("that yank was left alone; look at it anew");
                }
                failure.hint(format!("`{}` tells how it is now", self.check))
            }
            _ => unanswered(error, &self.check),
        }
    }
}

/// Reads the body of a request as the server would; fails with every fault that its contract finds.
pub(crate) fn read_body(operation: &str, body: Value) -> std::result::Result<Value, Vec<String>> {
    let operation = contract()
        .operation(operation)
        .ok_or_else(|| vec![format!("the contract has no operation {operation}")])?;
    let text = |fault: &Fault| fault.to_string().replacen("body.", "", 1);
    operation
        .read_body(body)
        .map_err(|faults| faults.iter().map(text).collect())
}

/// Ensures that the contract admits a body, before anything is planned with it.
pub(crate) fn check_body(operation: &str, body: Value) -> Result<()> {
    let Err(faults) = read_body(operation, body) else {
        return Ok(());
    };
    let mut failure = Failure::failed("it cannot be like this; nothing was changed");
    failure.details = faults;
    Err(failure)
}

/// Returns the finding of a rule.
pub(crate) fn of_rule(refusal: &Refusal) -> Finding {
    Finding {
        code: refusal.code().to_owned(),
        message: refusal.message(),
        hint: refusal.hint(),
    }
}
