//! Plans as people see them: what would change, and what stands against it.

use forge_client::answers::{FieldChange, Finding, Plan, SetRevision};
use serde_json::Value;

use crate::error::Result;
use crate::findings;
use crate::ui::values::{AGENT, CONTEXT_GRAPH, field, pin, text};
use crate::ui::{Ui, diff, folded};

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

/// A plan as it is shown.
#[derive(Default)]
pub(crate) struct PlanView {
    /// What it is about, as a few words.
    pub(crate) title: String,
    /// The fields that would change.
    pub(crate) fields: Vec<FieldEdit>,
    /// What would differ between two documents.
    pub(crate) differences: Vec<diff::Row>,
    /// What forbids it.
    pub(crate) blockers: Vec<Finding>,
    /// What to think twice about.
    pub(crate) warnings: Vec<Finding>,
}

impl PlanView {
    /// Returns how a plan of the server for a set of this service looks.
    pub(crate) fn of_set(plan: &Plan, service: &str) -> Self {
        let edit = |change: &FieldChange| {
            FieldEdit::new(change.field.clone(), change.from.clone(), change.to.clone())
                .shown_as(before(plan, change), after(plan, change))
        };
        Self {
            title: title(plan, service),
            fields: plan.changes.iter().map(edit).collect(),
            differences: Vec::new(),
            blockers: plan.blockers.clone(),
            warnings: plan.warnings.clone(),
        }
    }

    /// Shows it.
    pub(crate) fn show(&self, ui: &Ui) -> Result<()> {
        ui.note(&format!("{}:", self.title));
        if ui.json {
            // The document is for programs; whoever is asked sees this.
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
        findings::show(ui, &self.blockers, &self.warnings);
        Ok(())
    }
}

/// Says what a plan is about.
fn title(plan: &Plan, service: &str) -> String {
    let target = set(&plan.target);
    match (plan.action.as_str(), &plan.source) {
        ("promote", Some(source)) => {
            let source = match source.revision {
                Some(_) => set(source),
                None => format!("`{}`", source.name),
            };
            format!("promote {source} to {target} of `{service}`")
        }
        (
            "rollback",
            Some(SetRevision {
                revision: Some(revision),
                ..
            }),
        ) => {
            format!("roll back {target} of `{service}` to what revision {revision} pins")
        }
        ("rollback", _) => format!("roll back {target} of `{service}`"),
        (action, _) => format!("{action} {target} of `{service}`"),
    }
}

fn set(set: &SetRevision) -> String {
    match set.revision {
        Some(revision) => format!("`{}` (revision {revision})", set.name),
        None => format!("`{}` (new)", set.name),
    }
}

fn before(plan: &Plan, change: &FieldChange) -> String {
    let is_there = plan.target.revision.is_some() && plan.action != "create";
    match (&change.from, is_version(&change.field) && is_there) {
        (Value::Null, true) => "latest".to_owned(),
        (value, _) => text(value),
    }
}

fn after(plan: &Plan, change: &FieldChange) -> String {
    let is_there = plan.action != "delete";
    match (&change.to, is_version(&change.field) && is_there) {
        (Value::Null, true) => {
            let resolved = plan.resolved.unwrap_or_default();
            let meant = if change.field == AGENT {
                resolved.agent_version_number
            } else {
                resolved.context_graph_version_number
            };
            pin(None, meant)
        }
        (value, _) => text(value),
    }
}

fn is_version(field: &str) -> bool {
    field == AGENT || field == CONTEXT_GRAPH
}
