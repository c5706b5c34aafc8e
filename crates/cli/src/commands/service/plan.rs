//! Showing plans of changes of services: what becomes of the service, and of each of its sets.

use forge_client::answers::{Asset, FieldChange, Plan, ServicePlan, VersionSet};
use forge_client::{Client, ClientError};
use forge_domain::ServiceId;
use forge_domain::asset::AssetKind;
use serde_json::{Value, json};

use super::binding::id_field;
use super::state;
use super::tag_arg::{Tags, shown};
use crate::error::{Exit, Failure, Result};
use crate::plan::FieldEdit;
use crate::ui::values::{field, pin};

/// What a plan does not tell itself: how its sets were when it was made, and what agents and graphs are called.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    sets: Vec<VersionSet>,
    pub(crate) assets: Vec<Asset>,
}

impl Seen {
    /// Looks at the sets of a plan, and ensures that they are those that were planned with.
    pub(crate) async fn of(client: &Client, service: ServiceId, plan: &ServicePlan) -> Result<Self> {
        if plan.version_sets.is_empty() {
            return Ok(Self::default());
        }
        let sets = match client.version_sets(service).await {
            Ok(answer) => answer.value.version_sets,
            // Who may change sets need not be allowed to see them.
            Err(ClientError::Forbidden(_)) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let is_other = |set: &&VersionSet| {
            let planned = plan.version_sets.iter().find(|plan| plan.target.name == set.name);
            planned.is_none_or(|planned| planned.target.revision != Some(set.revision))
        };
        if let Some(set) = sets.iter().find(is_other) {
            let text = format!("`{}` was changed while the service was planned", set.name);
            return Err(Failure::new(Exit::Conflict, text).hint("nothing was changed; ask for the plan anew"));
        }
        Ok(Self {
            sets,
            assets: Vec::new(),
        })
    }

    fn asset(&self, id: &str) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.id.to_string() == id)
    }

    /// Returns the name of an agent or a graph, or the id where that is all there is.
    pub(crate) fn name(&self, id: &str) -> String {
        self.asset(id)
            .map_or_else(|| id.to_owned(), |asset| asset.name.clone())
    }
}

fn kind_of(field: &str) -> Option<AssetKind> {
    [AssetKind::Agent, AssetKind::ContextGraph]
        .into_iter()
        .find(|kind| id_field(*kind) == field)
}

/// Returns everything that a plan changes: the fields of the service first, then each of its sets.
pub(crate) fn rows(plan: &ServicePlan, seen: &Seen) -> Vec<FieldEdit> {
    let mut rows: Vec<FieldEdit> = plan
        .changes
        .iter()
        .map(|change| of_service(change, seen))
        .collect();
    for set in &plan.version_sets {
        rows.extend(set.changes.iter().map(|change| of_set(set, change, seen)));
    }
    rows
}

fn of_service(change: &FieldChange, seen: &Seen) -> FieldEdit {
    let edit = FieldEdit::new(change.field.clone(), change.from.clone(), change.to.clone());
    let [from, to] = [&change.from, &change.to];
    match (change.field.as_str(), kind_of(&change.field)) {
        (_, Some(kind)) => {
            let name = |id: &Value| seen.name(id.as_str().unwrap_or_default());
            edit.called(kind.to_string()).shown_as(name(from), name(to))
        }
        ("is_active", _) => {
            let text = |value: &Value| state(value.as_bool().unwrap_or_default());
            edit.called("state").shown_as(text(from), text(to))
        }
        ("tags", _) => edit.shown_as(tags(from), tags(to)),
        _ => edit,
    }
}

fn tags(value: &Value) -> String {
    let tags: Tags = serde_json::from_value(value.clone()).unwrap_or_default();
    if tags.is_empty() {
        return "-".to_owned();
    }
    shown(&tags)
}

/// Tells one thing that becomes of a set.
///
/// Of another agent or graph that is which version the set means.
fn of_set(plan: &Plan, change: &FieldChange, seen: &Seen) -> FieldEdit {
    let name = &plan.target.name;
    let place = format!("version_sets.{name}.{}", change.field);
    let Some(kind) = kind_of(&change.field) else {
        let edit = FieldEdit::new(place, change.from.clone(), change.to.clone());
        return edit.called(format!("{} of `{name}`", field(&change.field)));
    };
    let set = seen.sets.iter().find(|set| set.name == *name);
    let (pinned, meant) = set.map_or((None, None), |set| match kind {
        AssetKind::Agent => (set.pins.agent_version_number, set.resolved.agent_version_number),
        AssetKind::ContextGraph => (
            set.pins.context_graph_version_number,
            set.resolved.context_graph_version_number,
        ),
    });
    let [from, to] = [&change.from, &change.to].map(|id| id.as_str().unwrap_or_default());
    // Where a rule forbids it, the plan does not tell what the set would mean.
    let would_mean = match plan.resolved {
        Some(resolved) => match kind {
            AssetKind::Agent => resolved.agent_version_number,
            AssetKind::ContextGraph => resolved.context_graph_version_number,
        },
        None => pinned.or_else(|| seen.asset(to).and_then(|asset| asset.latest_version)),
    };
    let (before, after) = match set {
        Some(_) => (
            format!("{} {}", seen.name(from), pin(pinned, meant)),
            format!("{} {}", seen.name(to), pin(pinned, would_mean)),
        ),
        None => (
            seen.name(from),
            match would_mean {
                Some(number) => format!("{} {number}", seen.name(to)),
                None => seen.name(to),
            },
        ),
    };
    FieldEdit::new(
        place,
        json!({"id": from, "version": meant}),
        json!({"id": to, "version": would_mean}),
    )
    .called(format!("{kind} of `{name}`"))
    .shown_as(before, after)
}
