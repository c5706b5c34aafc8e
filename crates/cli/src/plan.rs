//! Showing plans.

use std::fmt::Write as _;

use forge_client::answers::{FieldChange, Finding, Plan, SetRevision};
use serde_json::Value;

use crate::error::{Result, for_people};
use crate::ui::{Style, Ui, folded};

const AGENT: &str = "agent_version_number";
const CONTEXT_GRAPH: &str = "service_hierarchical_state_machine_version_number";
const MODELS: &str = "llm_model_preferences.";
/// How many blockers, and how many warnings, are shown.
const LISTED: usize = 50;

/// Shows what a plan would change, and what stands against it.
pub(crate) fn show(ui: &Ui, plan: &Plan, service: &str) -> Result<()> {
    ui.note(&format!("{}:", title(plan, service)));
    if ui.json {
        // The document is for programs; whoever is asked sees this.
        for change in &plan.changes {
            let (from, to) = (folded(&before(plan, change)), folded(&after(plan, change)));
            ui.progress(&format!("  {}: {from} → {to}", field(&change.field)));
        }
    } else {
        changes(ui, plan)?;
    }
    findings(ui, plan);
    Ok(())
}

/// Shows blockers and warnings, as many as anybody reads.
pub(crate) fn findings(ui: &Ui, plan: &Plan) {
    blockers_and_warnings(ui, &plan.blockers, &plan.warnings);
}

/// The same, of whatever has them.
pub(crate) fn blockers_and_warnings(ui: &Ui, blockers: &[Finding], warnings: &[Finding]) {
    for (style, label, all) in [
        (Style::Error, "blocker", blockers),
        (Style::Warning, "warning", warnings),
    ] {
        for found in all.iter().take(LISTED) {
            finding(ui, style, label, found);
        }
        if all.len() > LISTED {
            ui.labelled(style, label, &format!("… and {} more", all.len() - LISTED));
        }
    }
}

/// Shows one finding.
pub(crate) fn finding(ui: &Ui, style: Style, label: &str, finding: &Finding) {
    let text = format!("{} [{}]", finding.message, finding.code);
    ui.labelled(style, label, &folded(&text));
    if let Some(hint) = &finding.hint {
        ui.labelled(Style::Hint, "  hint", &folded(&for_people(hint)));
    }
}

fn changes(ui: &Ui, plan: &Plan) -> Result<()> {
    ui.rows(
        &plan.changes,
        ["field", "from", "to"],
        |change| [field(&change.field), before(plan, change), after(plan, change)],
        |change| {
            [
                change.field.clone(),
                change.from.to_string(),
                change.to.to_string(),
            ]
        },
    )
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

/// Returns what people call a field of a set.
pub(crate) fn field(name: &str) -> String {
    match name {
        AGENT => "agent version".to_owned(),
        CONTEXT_GRAPH => "context graph version".to_owned(),
        _ => match name.strip_prefix(MODELS) {
            Some(interaction) => format!("model of {interaction}"),
            None => name.replace('_', " "),
        },
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

/// Returns a pin as people see it: its number, or what it floats with.
pub(crate) fn pin(pinned: Option<i64>, resolved: Option<i64>) -> String {
    match (pinned, resolved) {
        (Some(number), _) => number.to_string(),
        (None, Some(latest)) => format!("latest ({latest})"),
        (None, None) => "latest (none yet)".to_owned(),
    }
}

/// Returns a value of a field as people see it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => match fields.get("llm_name").and_then(Value::as_str) {
            Some(name) => model(name, fields.get("params").and_then(Value::as_object)),
            None => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// Returns a preferred model in the form that `--model` takes.
pub(crate) fn model(name: &str, params: Option<&serde_json::Map<String, Value>>) -> String {
    let mut text = name.to_owned();
    for (param, value) in params.into_iter().flatten() {
        // Writing to a text cannot fail.
        let _ = write!(text, ",{param}={value}");
    }
    text
}
