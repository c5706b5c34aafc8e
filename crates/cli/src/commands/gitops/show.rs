//! Showing what would be done, or was.

use forge_client::answers::{FieldChange, Pins};
use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::float::Float;
use super::outcome::Outcome;
use super::planned::ServicePlans;
use super::tree::kind_name;
use super::work::{AssetStep, Renamed, SetStep, Similar, StepId, Work};
use crate::error::Result;
use crate::finder::joined;
use crate::findings;
use crate::plan::FieldEdit;
use crate::session::Session;
use crate::ui::{Style, quoted, values};

/// How many sets that float are told, beside each `release`.
const LISTED: usize = 10;

/// The plan of everything, as it is shown.
pub(super) struct Shown {
    pub(super) work: Work,
    /// The plans of the services of the work, in their order.
    pub(super) plans: Vec<ServicePlans>,
    pub(super) rows: Vec<Row>,
    organization: String,
    server: String,
}

impl Shown {
    /// Returns how the plan looks of what is to be done in the organization of this session.
    pub(super) fn new(session: &Session, work: Work, plans: Vec<ServicePlans>) -> Self {
        let credentials = session.client.credentials();
        Self {
            rows: rows(&work, &plans),
            work,
            plans,
            organization: credentials.organization_id.clone(),
            server: credentials.base_url.clone(),
        }
    }

    /// Shows the plan, what the rules say about it, and what is left alone.
    pub(super) fn show(&self, session: &Session, is_check: bool) -> Result<()> {
        let ui = &session.ui;
        let Self {
            work, plans, rows, ..
        } = self;
        if ui.json {
            // The document is for programs, and comes at the end; whoever is asked sees this.
            for row in rows {
                let change = row.change.as_ref().map(|change| {
                    let [from, to] = &change.shown;
                    format!(": {}: {from} → {to}", change.label)
                });
                let (action, kind, name) = (row.action, row.kind, &row.name);
                ui.progress(&format!("  {action} {kind} {name}{}", change.unwrap_or_default()));
            }
        } else {
            ui.rows(
                rows,
                ["action", "what", "name", "field", "from", "to"],
                |row| {
                    let [field, from, to] = match &row.change {
                        Some(change) => {
                            let [from, to] = change.shown.clone();
                            [change.label.clone(), from, to]
                        }
                        None => Default::default(),
                    };
                    [
                        row.action.to_owned(),
                        row.kind.to_owned(),
                        row.name.clone(),
                        field,
                        from,
                        to,
                    ]
                },
                |row| {
                    let [field, from, to] = match &row.change {
                        Some(change) => [
                            change.field.clone(),
                            change.from.to_string(),
                            change.to.to_string(),
                        ],
                        None => Default::default(),
                    };
                    [
                        row.action.to_owned(),
                        row.kind.replace(' ', "_"),
                        row.name.clone(),
                        field,
                        from,
                        to,
                    ]
                },
            )?;
        }
        for (work, plans) in work.services.iter().zip(plans) {
            let [blockers, warnings] = plans.of_service();
            if !(blockers.is_empty() && warnings.is_empty()) {
                ui.note(&format!("`{}`:", work.service.fields.name));
                findings::show(ui, &blockers, &warnings);
            }
            for (step, plan) in work.sets.iter().zip(&plans.sets) {
                if let Some(plan) = plan
                    && !(plan.blockers.is_empty() && plan.warnings.is_empty())
                {
                    ui.note(&format!("`{}` of `{}`:", step.name, work.service.fields.name));
                    findings::show(ui, &plan.blockers, &plan.warnings);
                }
            }
        }
        show_floats(session, self.floats());
        for Similar { kind, name, alike } in &work.similar {
            ui.warning(&format!(
                "the {kind} `{name}` would be created, and is called nearly like {}",
                joined(alike, " and ")
            ));
            ui.labelled(Style::Hint, "  hint", "if that is meant, `--create` says so");
        }
        for Renamed { from, to } in &work.renamed {
            ui.warning(&format!(
            "`{to}` would be created, and `{from}`, which runs the same and is not in the files, would stay active beside it"
        ));
            let (from, to) = (quoted(from), quoted(to));
            let command = session.command(&format!("service update {from} --name {to} --apply"));
            ui.labelled(
                Style::Hint,
                "  hint",
                &format!("if it was renamed: `{command}` first"),
            );
        }
        if !work.left_alone.is_empty() {
            let text = format!("not in the files, and left alone: {}", work.left_alone.join(", "));
            if is_check {
                // Whoever asks whether all is like the files is told what is not, however little they want to hear.
                ui.warning(&text);
            } else {
                ui.note(&text);
            }
        }
        Ok(())
    }

    /// Returns the plan as one document, with what was done.
    pub(super) fn document(&self, outcome: &Outcome) -> Result<Box<RawValue>> {
        let Self {
            work, plans, rows, ..
        } = self;
        let (mut services, mut sets) = (Vec::new(), Vec::new());
        for (work, plans) in work.services.iter().zip(plans) {
            let [blockers, warnings] = plans.of_service();
            if work.known.is_some() && !work.changes.is_empty() {
                services.push(json!({
                "name": work.service.fields.name, "blockers": findings::json(&blockers), "warnings": findings::json(&warnings),
            }));
            }
            for (step, plan) in work.sets.iter().zip(&plans.sets) {
                let Some(plan) = plan else { continue };
                sets.push(json!({
                    "service": work.service.fields.name,
                    "name": step.name,
                    "blockers": findings::json(&plan.blockers),
                    "warnings": findings::json(&plan.warnings),
                }));
            }
        }
        let step = |row: &Row| {
            let change = row.change.as_ref();
            // Nobody knows of a step whose answer was lost.
            let is_known = outcome.unknown != Some(row.step);
            json!({
                "action": row.action, "kind": row.kind.replace(' ', "_"), "name": row.name,
                "field": change.map(|change| &change.field),
                "from": change.map(|change| &change.from),
                "to": change.map(|change| &change.to),
                "done": is_known.then(|| outcome.done.contains(&row.step)),
            })
        };
        let float = |it: &Float| {
            json!({
                "service": it.service, "version_set": it.set, "kind": kind_name(it.kind).replace(' ', "_"),
                "name": it.asset, "version": it.version,
            })
        };
        let all_steps = work.steps();
        let similar =
            |it: &Similar| json!({"kind": it.kind.replace(' ', "_"), "name": it.name, "alike": it.alike});
        let document = json!({
            "organization_id": self.organization,
            "base_url": self.server,
            "steps": rows.iter().map(step).collect::<Vec<_>>(),
            "services": services,
            "version_sets": sets,
            "left_alone": work.left_alone,
            "similar": work.similar.iter().map(similar).collect::<Vec<_>>(),
            "renamed": work.renamed.iter().map(|it| json!({"from": it.from, "to": it.to})).collect::<Vec<_>>(),
            "floating": self.floats().iter().map(float).collect::<Vec<_>>(),
            "steps_done": outcome.done.len(),
            "steps_in_all": all_steps.len(),
            "applied": !all_steps.is_empty() && all_steps.iter().all(|step| outcome.done.contains(step)),
        });
        Ok(to_raw_value(&document)?)
    }

    /// Returns what runs versions as soon as they are there, if they come.
    fn floats(&self) -> &[Float] {
        if self.plans.iter().any(ServicePlans::withholds) {
            &[]
        } else {
            &self.work.floats
        }
    }
}

/// One line of the plan.
#[derive(Clone)]
pub(super) struct Row {
    /// What it is a line of.
    step: StepId,
    action: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// The field that changes, if it is about one.
    change: Option<FieldEdit>,
}

/// Returns the lines of the plan: what the server planned, where it could.
fn rows(work: &Work, plans: &[ServicePlans]) -> Vec<Row> {
    let mut rows = Vec::new();
    let row = |step, action, kind, name: String, change| Row {
        step,
        action,
        kind,
        name,
        change,
    };
    for (at, step) in work.assets.iter().enumerate() {
        let id = StepId::Asset(at);
        rows.push(match step {
            AssetStep::Create { kind, name } => row(id, "create", kind_name(*kind), name.clone(), None),
            AssetStep::CreateVersion {
                kind, name, version, ..
            } => {
                let kind = match kind {
                    AssetKind::Agent => "agent version",
                    AssetKind::ContextGraph => "context graph version",
                };
                row(id, "create", kind, format!("{name}@{version}"), None)
            }
        });
    }
    for (at, (work, plans)) in work.services.iter().zip(plans).enumerate() {
        let (id, name) = (StepId::Service(at), &work.service.fields.name);
        if work.known.is_none() {
            rows.push(row(id, "create", "service", name.clone(), None));
            let release = SetStep::release_of_new(&work.service);
            let set = row(
                id,
                "create",
                "version set",
                format!("{name}/{}", release.name),
                None,
            );
            rows.extend(set_rows(&set, &pin_changes(&release)));
        }
        let changes = match &plans.update {
            Some(update) => update.rows.clone(),
            None => work.changes.iter().map(edit).collect(),
        };
        for change in changes {
            rows.push(row(id, "update", "service", name.clone(), Some(change)));
        }
        for (place, (step, plan)) in work.sets.iter().zip(&plans.sets).enumerate() {
            let action = match (&step.before, &step.after) {
                (None, _) => "create",
                (_, None) => "delete",
                _ => "update",
            };
            let changes = plan
                .as_ref()
                .map_or_else(|| pin_changes(step), |plan| plan.changes.clone());
            let (id, name) = (StepId::Set(at, place), format!("{name}/{}", step.name));
            rows.extend(set_rows(&row(id, action, "version set", name, None), &changes));
        }
    }
    rows
}

/// Returns the lines of one set: one for each field that changes, or the one of the set itself.
fn set_rows(set: &Row, changes: &[FieldChange]) -> Vec<Row> {
    let differing = changes.iter().filter(|change| change.from != change.to);
    let rows: Vec<Row> = differing
        .map(|change| Row {
            change: Some(edit(change)),
            ..set.clone()
        })
        .collect();
    if rows.is_empty() { vec![set.clone()] } else { rows }
}

/// Returns a change as it is shown: a version that floats has a name.
fn edit(change: &FieldChange) -> FieldEdit {
    let edit = FieldEdit::new(change.field.clone(), change.from.clone(), change.to.clone());
    edit.shown_as(shown(change, &change.from), shown(change, &change.to))
}

/// Returns the fields of a set before and after.
fn pin_changes(step: &SetStep) -> Vec<FieldChange> {
    let fields = |pins: Option<&Pins>| {
        let mut fields = serde_json::Map::new();
        let pins = json!(pins.cloned().unwrap_or_default());
        for (field, value) in pins.as_object().into_iter().flatten() {
            match value.as_object() {
                Some(models) => {
                    for (interaction, model) in models {
                        fields.insert(format!("{field}.{interaction}"), model.clone());
                    }
                }
                None => {
                    fields.insert(field.clone(), value.clone());
                }
            }
        }
        fields
    };
    let (before, after) = (fields(step.before.as_ref()), fields(step.after.as_ref()));
    let mut names: Vec<&String> = before.keys().collect();
    names.extend(after.keys().filter(|name| !before.contains_key(*name)));
    let value = |fields: &serde_json::Map<String, Value>, name: &str| {
        fields.get(name).cloned().unwrap_or(Value::Null)
    };
    names
        .into_iter()
        .map(|name| FieldChange {
            field: name.clone(),
            from: value(&before, name),
            to: value(&after, name),
        })
        .collect()
}

/// Returns a value as people see it: a version that floats has a name.
fn shown(change: &FieldChange, value: &Value) -> String {
    if value.is_null() && change.field.ends_with("version_number") {
        return "latest".to_owned();
    }
    values::text(value)
}

/// Shows what runs versions as soon as they are there.
fn show_floats(session: &Session, floats: &[Float]) {
    let ui = &session.ui;
    let (of_release, others): (Vec<&Float>, Vec<&Float>) =
        floats.iter().partition(|float| float.set == SetName::release());
    for float in of_release {
        ui.warning(&float.description());
    }
    for float in others.iter().take(LISTED) {
        ui.note(&float.description());
    }
    if others.len() > LISTED {
        ui.note(&format!("… and {} more sets that float", others.len() - LISTED));
    }
}
