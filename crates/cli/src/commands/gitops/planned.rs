//! Asking the server for the plans of what is to be done about services and their sets.

use forge_client::answers::{Asset, Finding, Plan, ServicePlan};
use forge_client::{ChangeOptions, Client, ClientError, ServiceChange};
use forge_domain::ServiceId;
use forge_domain::asset::{AssetId, AssetKind};
use serde_json::Value;

use super::floats::{self, withheld};
use super::server::ServerState;
use super::tree::kind_name;
use super::work::{ServiceWork, SetStep, Work};
use crate::commands::service::plan::{Seen, rows};
use crate::error::{Failure, Result};
use crate::plan::FieldEdit;

/// What is asked of every change of a service and of a set.
#[derive(Debug, Clone, Default)]
pub(super) struct ApplyOptions {
    pub(super) message: Option<String>,
    pub(super) lift_hold: bool,
    /// Whether a warning counts like a rule that forbids it.
    pub(super) strict: bool,
}

impl ApplyOptions {
    pub(super) fn of_change(&self) -> ChangeOptions {
        ChangeOptions {
            message: self.message.clone(),
            lift_hold: self.lift_hold,
            ..ChangeOptions::default()
        }
    }

    /// Returns `true` if these findings stop a change.
    pub(super) fn stop(&self, blockers: &[Finding], warnings: &[Finding]) -> bool {
        !blockers.is_empty() || self.strict && !warnings.is_empty()
    }
}

/// The plan of a change of a service that is there.
pub(super) struct Update {
    pub(super) service: ServiceId,
    pub(super) change: ServiceChange,
    pub(super) plan: ServicePlan,
    /// What it comes to, for the service and for its sets.
    pub(super) rows: Vec<FieldEdit>,
}

impl Update {
    /// Returns `true` if conversations start in the service from then on.
    pub(super) fn activates(&self) -> bool {
        self.change.is_active == Some(true)
    }
}

/// The plans of what is to be done about one service, where the server could make them.
#[derive(Default)]
pub(super) struct ServicePlans {
    /// Of the service itself.
    pub(super) update: Option<Update>,
    /// Of its sets, in the order of the steps.
    pub(super) sets: Vec<Option<Plan>>,
    /// Why it cannot be done in one run at all.
    pub(super) against: Vec<Finding>,
}

impl ServicePlans {
    /// Returns what was found about the service itself: blockers and warnings.
    pub(super) fn of_service(&self) -> [Vec<Finding>; 2] {
        let [mut blockers, warnings] = match &self.update {
            Some(update) => [update.plan.blockers.clone(), update.plan.warnings.clone()],
            None => Default::default(),
        };
        blockers.extend_from_slice(&self.against);
        [blockers, warnings]
    }

    /// Returns `true` if a rule forbids any of it.
    pub(super) fn is_blocked(&self) -> bool {
        let [of_service, _] = self.of_service();
        !of_service.is_empty() || self.sets.iter().flatten().any(|plan| !plan.blockers.is_empty())
    }

    /// Returns `true` if versions are not created because of it.
    pub(super) fn withholds(&self) -> bool {
        self.against.iter().any(|found| found.code == floats::WITHHELD)
    }

    pub(super) fn has_warnings(&self) -> bool {
        let [_, of_service] = self.of_service();
        !of_service.is_empty() || self.sets.iter().flatten().any(|plan| !plan.warnings.is_empty())
    }
}

/// Asks the server for the plan of every change of a service and of a set whose service is there.
pub(super) async fn plan(
    client: &Client,
    work: &Work,
    known: &ServerState,
    options: &ApplyOptions,
) -> Result<Vec<ServicePlans>> {
    let mut all = Vec::new();
    for service in &work.services {
        all.push(plan_service(client, service, known, options).await?);
    }
    let left = work.services.iter().zip(&all);
    let left = left.filter(|(_, plans)| plans.is_blocked()).map(|(work, _)| work);
    if let Some(finding) = withheld(left) {
        for (service, plans) in work.services.iter().zip(&mut all) {
            if service.needs_versions() || service.comes_first() && plans.is_blocked() {
                plans.against.push(finding.clone());
            }
        }
    }
    Ok(all)
}

async fn plan_service(
    client: &Client,
    work: &ServiceWork,
    known: &ServerState,
    options: &ApplyOptions,
) -> Result<ServicePlans> {
    let nothing = || work.sets.iter().map(|_| None).collect();
    let Some(on_server) = &work.known else {
        return Ok(ServicePlans {
            sets: nothing(),
            ..ServicePlans::default()
        });
    };
    let against = against(work);
    if !against.is_empty() {
        return Ok(ServicePlans {
            sets: nothing(),
            against,
            ..ServicePlans::default()
        });
    }
    let mut plans = ServicePlans::default();
    if !work.changes.is_empty() {
        let mut update = plan_update(client, on_server.id, work, known, options).await?;
        if update.activates() {
            // What is wrong with a set that changes is no reason against it: the service becomes active behind its sets.
            update
                .plan
                .blockers
                .retain(|blocker| !work.changes_set_of(blocker));
        }
        plans.update = Some(update);
    }
    for step in &work.sets {
        let mut plan = dry_run(client, on_server.id, step, options).await?;
        if work.awaits_versions {
            // Versions that are still to come are no reason against it.
            plan.blockers.retain(|blocker| blocker.code != "no_such_version");
        }
        plans.sets.push(Some(plan));
    }
    Ok(plans)
}

/// Tells why it cannot be done in one run: a set would run in between what nobody planned.
fn against(work: &ServiceWork) -> Vec<Finding> {
    let name = &work.service.fields.name;
    let mut against: Vec<Finding> = floats::against(work).into_iter().collect();
    if !work.is_rebound {
        return against;
    }
    let awaited = work.awaited.iter();
    let awaited = awaited.map(|(kind, name)| format!("{} `{name}`", kind_name(*kind)));
    let awaited: Vec<String> = awaited.collect();
    if !awaited.is_empty() {
        against.push(Finding {
            code: "rebind_before_versions".to_owned(),
            message: format!(
                "`{name}` gets another agent or context graph, and versions of {} come with the files: what its sets come to \
                 mean can only be planned once they are there",
                awaited.join(" and ")
            ),
            hint: Some(
                "`--apply` creates them and leaves the service as it is; `forge apply` again plans it then".to_owned(),
            ),
        });
    }
    if !work.sets.is_empty() {
        let sets: Vec<String> = work.sets.iter().map(|step| format!("`{}`", step.name)).collect();
        against.push(Finding {
            code: "rebind_with_pins".to_owned(),
            message: format!(
                "`{name}` gets another agent or context graph, and {} changes, too: in between, what is pinned now would run \
                 on the new one, and what is to be pinned can only be planned then",
                sets.join(", ")
            ),
            hint: Some(
                "in two steps: first with the sets as they are (`forge export` writes them), then with the others"
                    .to_owned(),
            ),
        });
    }
    against
}

async fn plan_update(
    client: &Client,
    id: ServiceId,
    work: &ServiceWork,
    known: &ServerState,
    options: &ApplyOptions,
) -> Result<Update> {
    let change = wanted(work, known)?;
    let plan = client
        .plan_service_update(id, &change, options.of_change())
        .await?
        .value;
    let mut seen = Seen::of(client, id, &plan).await?;
    for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
        seen.assets
            .extend(known.assets(kind).iter().map(|(name, asset)| Asset {
                id: asset.id,
                name: name.clone(),
                deprecated: asset.is_deprecated,
                latest_version: Some(asset.latest).filter(|latest| *latest > 0),
            }));
    }
    let rows = rows(&plan, &seen)
        .into_iter()
        .map(|row| by_name(row, &seen))
        .collect();
    Ok(Update {
        service: id,
        change,
        plan,
        rows,
    })
}

/// The files name agents and context graphs, and so do the fields of a service here.
fn by_name(row: FieldEdit, seen: &Seen) -> FieldEdit {
    let field = match row.field.as_str() {
        "agent_id" => "agent",
        "service_hierarchical_state_machine_id" => "context_graph",
        _ => return row,
    };
    let name = |id: &Value| Value::String(seen.name(id.as_str().unwrap_or_default()));
    FieldEdit::new(field, name(&row.from), name(&row.to))
}

/// Returns the fields of a service that differ, as the server takes them.
fn wanted(work: &ServiceWork, known: &ServerState) -> Result<ServiceChange> {
    let wanted = &work.service.fields;
    let differs = |field: &str| work.changes.iter().any(|change| change.field == field);
    Ok(ServiceChange {
        name: differs("name").then(|| wanted.name.clone()),
        description: differs("description").then(|| wanted.description.clone()),
        is_active: differs("is_active").then_some(wanted.is_active),
        agent_id: differs("agent")
            .then(|| id(known, AssetKind::Agent, &wanted.agent, AssetId::agent))
            .transpose()?,
        context_graph_id: differs("context_graph")
            .then(|| {
                id(
                    known,
                    AssetKind::ContextGraph,
                    &wanted.context_graph,
                    AssetId::context_graph,
                )
            })
            .transpose()?,
        tags: differs("tags").then(|| wanted.tags.clone()),
        keyterms: differs("keyterms").then(|| wanted.keyterms.clone()),
    })
}

fn id<T>(known: &ServerState, kind: AssetKind, name: &str, of_kind: fn(AssetId) -> Option<T>) -> Result<T> {
    let id = known.assets(kind).get(name).and_then(|asset| of_kind(asset.id));
    id.ok_or_else(|| Failure::failed(format!("the server told no id of the {kind} `{name}`")))
}

/// Asks for the plan of a change of a set.
pub(super) async fn dry_run(
    client: &Client,
    service: ServiceId,
    step: &SetStep,
    options: &ApplyOptions,
) -> Result<Plan> {
    let plan = send(client, service, step, options, None).await?;
    plan.ok_or_else(|| Failure::failed("the server answered no plan"))
}

/// Sends a change of a set: with the digest of its plan, or as a dry run.
pub(super) async fn send(
    client: &Client,
    service: ServiceId,
    step: &SetStep,
    options: &ApplyOptions,
    digest: Option<String>,
) -> std::result::Result<Option<Plan>, ClientError> {
    let options = ChangeOptions {
        dry_run: digest.is_none(),
        plan_digest: digest,
        ..options.of_change()
    };
    let answer = match &step.after {
        Some(pins) => {
            client
                .upsert_version_set(service, &step.name, pins, options)
                .await?
        }
        None => client.delete_version_set(service, &step.name, options).await?,
    };
    Ok(answer.value)
}
