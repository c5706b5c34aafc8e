//! `forge apply`

use std::path::PathBuf;

use forge_client::answers::{FieldChange, Finding, Pins};
use forge_domain::refusal::AssetKind;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::compare::{AssetStep, SetStep, Work, compare};
use super::steps::{ServicePlans, Wishes, Worker, plan_sets};
use super::tree::kind_name;
use super::{files, server};
use crate::change::{ApplyArgs, confirm, watched};
use crate::error::{Exit, Failure, Result};
use crate::plan;
use crate::session::{Common, Session, interruptible};
use crate::ui::quoted;

/// Make agents, context graphs, services and version sets like the files that `forge export` writes.
///
/// Agents and graphs get the versions that they lack, then services are created and changed, then their sets, each by its own
/// plan. Nothing is ever deleted but sets with --prune. If a rule forbids a change of a set, nothing of its service is
/// changed, and the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge apply -f acme\n  forge apply -f acme --apply --message 'Reviewed.'\n  forge apply -f acme --check\n\n\
    In a pipe, each line has: create, update or delete; kind of thing; name; field; value before; value after."
)]
pub(crate) struct Args {
    /// Folder with the files.
    #[arg(long, short, value_name = "DIR")]
    file: PathBuf,
    /// Change nothing; exit with 1 if anything differs.
    #[arg(long, conflicts_with = "apply")]
    check: bool,
    /// Delete the sets that the files do not have.
    #[arg(long)]
    prune: bool,
    /// Lift the holds on the sets that change.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: ApplyArgs,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(apply(args)).await
}

async fn apply(args: Args) -> Result<Exit> {
    let tree = files::read(&args.file)?;
    let session = args.common.session()?;
    let (ui, client) = (&session.ui, &session.client);
    let wants = |kind: AssetKind, name: &str| tree.assets(kind).iter().any(|asset| asset.name == name);
    let known = server::ask(ui, client, wants).await?;
    let work = compare(&tree, &known, args.prune);
    if !work.problems.is_empty() {
        let mut failure = Failure::failed("the files do not fit what is on the server; nothing was changed");
        failure.details = work.problems;
        return Err(failure);
    }
    let wishes = Wishes {
        message: args.change.message.clone(),
        lift_hold: args.lift_hold,
        strict: args.change.strict,
    };
    let plans = plan_sets(client, &work, &wishes).await?;
    let rows = rows(&work);
    show(&session, &work, &rows, &plans)?;
    if let Some(end) = verdict(&args, &work, &rows, &plans) {
        if ui.json {
            print_json(&session, &work, &rows, &plans, false)?;
        }
        return match end {
            Ok(note) => {
                ui.note(note);
                Ok(Exit::Ok)
            }
            Err(failure) => Err(failure),
        };
    }
    confirm(&session, args.change.yes).await?;
    let mut worker = Worker::new(&session, &wishes, &known);
    let check = format!(
        "forge apply -f {} --check",
        quoted(&args.file.display().to_string())
    );
    let result = watched(&check, worker.work(&work, &plans)).await;
    if ui.json {
        print_json(&session, &work, &rows, &plans, true)?;
    }
    let (done, all) = (worker.done, count(&work));
    result.map_err(|failure| {
        failure.hint(format!(
            "{done} of {all} steps are done; `forge apply` again goes on from there"
        ))
    })?;
    ui.note(&format!("done: {done} of {all} steps"));
    match worker.blocked.as_slice() {
        [] => Ok(Exit::Ok),
        names => Err(blocked(names)),
    }
}

/// Returns how it ends before anything is changed, if it does.
fn verdict(
    args: &Args,
    work: &Work,
    rows: &[Row],
    plans: &[ServicePlans],
) -> Option<std::result::Result<&'static str, Failure>> {
    if work.is_nothing() {
        return Some(Ok(
            "everything is like the files already; there is nothing to change",
        ));
    }
    if args.check {
        let things: std::collections::BTreeSet<_> = rows.iter().map(|row| (row.kind, &row.name)).collect();
        let text = match things.len() {
            1 => "1 thing differs from the files".to_owned(),
            many => format!("{many} things differ from the files"),
        };
        return Some(Err(
            Failure::failed(text).hint("without `--check`, the plan; `--apply` does it")
        ));
    }
    let has_warnings = findings(plans).any(|plan| !plan.warnings.is_empty());
    if args.change.strict && has_warnings {
        let text = "there are warnings, and `--strict` is set; nothing was changed";
        return Some(Err(Failure::failed(text)));
    }
    if args.change.apply {
        return None;
    }
    let names: Vec<String> = work
        .services
        .iter()
        .zip(plans)
        .filter(|(_, plans)| plans.is_blocked)
        .map(|(work, _)| work.service.fields.name.clone())
        .collect();
    if names.is_empty() {
        return Some(Ok("nothing was changed; `--apply` does it"));
    }
    Some(Err(blocked(&names)))
}

fn blocked(names: &[String]) -> Failure {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Failure::failed(format!("rules forbid changes of {}", names.join(", ")))
        .hint("the other services do not wait for them; what a rule forbids is named above")
}

fn findings(plans: &[ServicePlans]) -> impl Iterator<Item = &forge_client::answers::Plan> {
    plans.iter().flat_map(|plans| plans.plans.iter().flatten())
}

/// Returns how many steps there are.
fn count(work: &Work) -> usize {
    let of_service = |service: &super::compare::ServiceWork| {
        let itself = service.known.is_none() || !service.changes.is_empty();
        usize::from(itself) + service.sets.len()
    };
    work.assets.len() + work.services.iter().map(of_service).sum::<usize>()
}

/// One line of the plan.
struct Row {
    action: &'static str,
    kind: &'static str,
    name: String,
    /// The field that changes, if it is about one.
    change: Option<FieldChange>,
}

fn rows(work: &Work) -> Vec<Row> {
    let mut rows = Vec::new();
    let row = |action, kind, name: String, change| Row {
        action,
        kind,
        name,
        change,
    };
    for step in &work.assets {
        rows.push(match step {
            AssetStep::Create { kind, name } => row("create", kind_name(*kind), name.clone(), None),
            AssetStep::CreateVersion {
                kind, name, version, ..
            } => {
                let kind = match kind {
                    AssetKind::Agent => "agent version",
                    AssetKind::ContextGraph => "context graph version",
                };
                row("create", kind, format!("{name}@{version}"), None)
            }
        });
    }
    for work in &work.services {
        let name = &work.service.fields.name;
        if work.known.is_none() {
            rows.push(row("create", "service", name.clone(), None));
        }
        for change in &work.changes {
            rows.push(row("update", "service", name.clone(), Some(change.clone())));
        }
        for step in &work.sets {
            let action = match (&step.before, &step.after) {
                (None, _) => "create",
                (_, None) => "delete",
                _ => "update",
            };
            let name = format!("{name}/{}", step.name);
            let changes = pin_changes(step);
            if changes.is_empty() {
                rows.push(row(action, "version set", name.clone(), None));
            }
            for change in changes {
                rows.push(row(action, "version set", name.clone(), Some(change)));
            }
        }
    }
    rows
}

/// Returns the fields of a set that change. Of one that comes or goes, what floats is no change.
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
        .filter(|change| change.from != change.to)
        .collect()
}

fn show(session: &Session, work: &Work, rows: &[Row], plans: &[ServicePlans]) -> Result<()> {
    let ui = &session.ui;
    if !ui.json {
        ui.rows(
            rows,
            ["action", "what", "name", "field", "from", "to"],
            |row| {
                let [field, from, to] = match &row.change {
                    Some(change) => [
                        plan::field(&change.field),
                        shown(change, &change.from),
                        shown(change, &change.to),
                    ],
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
        for (step, plan) in work.sets.iter().zip(&plans.plans) {
            if let Some(plan) = plan
                && !(plan.blockers.is_empty() && plan.warnings.is_empty())
            {
                ui.note(&format!("`{}` of `{}`:", step.name, work.service.fields.name));
                plan::findings(ui, plan);
            }
        }
    }
    if !work.left_alone.is_empty() {
        ui.note(&format!(
            "not in the files, and left alone: {}",
            work.left_alone.join(", ")
        ));
    }
    Ok(())
}

/// Returns a value as people see it: a version that floats has a name.
fn shown(change: &FieldChange, value: &Value) -> String {
    if value.is_null() && change.field.ends_with("version_number") {
        return "latest".to_owned();
    }
    plan::text(value)
}

/// Prints the plan as one document.
fn print_json(
    session: &Session,
    work: &Work,
    rows: &[Row],
    plans: &[ServicePlans],
    applied: bool,
) -> Result<()> {
    let finding =
        |finding: &Finding| json!({"code": finding.code, "message": finding.message, "hint": finding.hint});
    let all = |findings: &[Finding]| findings.iter().map(finding).collect::<Vec<_>>();
    let mut sets = Vec::new();
    for (work, plans) in work.services.iter().zip(plans) {
        for (step, plan) in work.sets.iter().zip(&plans.plans) {
            let Some(plan) = plan else { continue };
            sets.push(json!({
                "service": work.service.fields.name,
                "name": step.name,
                "blockers": all(&plan.blockers),
                "warnings": all(&plan.warnings),
            }));
        }
    }
    let step = |row: &Row| {
        let change = row.change.as_ref();
        json!({
            "action": row.action, "kind": row.kind.replace(' ', "_"), "name": row.name,
            "field": change.map(|change| &change.field),
            "from": change.map(|change| &change.from),
            "to": change.map(|change| &change.to),
        })
    };
    let document = json!({
        "steps": rows.iter().map(step).collect::<Vec<_>>(),
        "version_sets": sets,
        "left_alone": work.left_alone,
        "applied": applied,
    });
    let document = to_raw_value(&document).map_err(|error| Failure::failed(error.to_string()))?;
    session.ui.document(&document)
}
