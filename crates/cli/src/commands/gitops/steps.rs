//! Planning the changes of sets by dry runs, and carrying everything out.

use std::collections::BTreeMap;

use forge_client::answers::Plan;
use forge_client::{Client, ClientError, Terms};
use forge_domain::refusal::AssetKind;
use forge_domain::{ServiceId, SetName};
use serde_json::{Value, json};

use super::compare::{AssetStep, ServiceWork, SetStep, Work};
use super::server::{Known, rename_references};
use super::tree::kind_name;
use crate::error::{Exit, Failure, Result, for_people};
use crate::plan;
use crate::session::Session;
use crate::ui::Style;

/// What is asked of every change of a set.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub(super) message: Option<String>,
    pub(super) lift_hold: bool,
    /// Whether a warning counts like a rule that forbids it.
    pub(super) strict: bool,
}

/// The plans of the changes of one service's sets, where the server could make them.
#[derive(Debug, Default)]
pub(super) struct ServicePlans {
    pub(super) plans: Vec<Option<Plan>>,
    /// Whether a rule forbids one of them.
    pub(super) is_blocked: bool,
}

/// Asks the server for the plan of every change of a set whose service is there.
pub(super) async fn plan_sets(client: &Client, work: &Work, wishes: &Wishes) -> Result<Vec<ServicePlans>> {
    let mut all = Vec::new();
    for service in &work.services {
        let mut plans = ServicePlans::default();
        for step in &service.sets {
            let plan = match &service.known {
                Some(known) => Some(dry_run(client, known.id, step, wishes, service.awaits_versions).await?),
                None => None,
            };
            plans.is_blocked |= plan.as_ref().is_some_and(|plan| !plan.blockers.is_empty());
            plans.plans.push(plan);
        }
        all.push(plans);
    }
    Ok(all)
}

/// Asks for the plan of a change. Versions that are still to come are no reason against it.
async fn dry_run(
    client: &Client,
    service: ServiceId,
    step: &SetStep,
    wishes: &Wishes,
    awaits_versions: bool,
) -> Result<Plan> {
    let plan = send(client, service, step, wishes, None).await?;
    let mut plan = plan.ok_or_else(|| Failure::failed("the server answered no plan"))?;
    if awaits_versions {
        plan.blockers.retain(|blocker| blocker.code != "no_such_version");
    }
    Ok(plan)
}

/// Sends a change: with the digest of its plan, or as a dry run.
async fn send(
    client: &Client,
    service: ServiceId,
    step: &SetStep,
    wishes: &Wishes,
    digest: Option<String>,
) -> std::result::Result<Option<Plan>, ClientError> {
    let terms = Terms {
        dry_run: digest.is_none(),
        plan_digest: digest,
        message: wishes.message.clone(),
        lift_hold: wishes.lift_hold,
        expected: None,
    };
    let answer = match &step.after {
        Some(pins) => {
            client
                .upsert_version_set(service, &step.name, pins, terms)
                .await?
        }
        None => client.delete_version_set(service, &step.name, terms).await?,
    };
    Ok(answer.value)
}

/// Carries the work out.
pub(super) struct Worker<'s> {
    session: &'s Session,
    wishes: &'s Wishes,
    /// What identifies the assets, by kind and name.
    ids: BTreeMap<(&'static str, String), String>,
    /// How many steps are done.
    pub(super) done: usize,
    /// The services that were left as they are, or from a step on, because a rule forbids it.
    pub(super) blocked: Vec<String>,
}

/// Says what a step does.
fn told(step: &AssetStep) -> String {
    match step {
        AssetStep::Create { kind, name } => format!("create the {} `{name}`", kind_name(*kind)),
        AssetStep::CreateVersion {
            kind, name, version, ..
        } => format!("create version {version} of the {} `{name}`", kind_name(*kind)),
    }
}

fn folder(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "organization/agent",
        AssetKind::ContextGraph => "organization/service_hierarchical_state_machine",
    }
}

impl<'s> Worker<'s> {
    pub(super) fn new(session: &'s Session, wishes: &'s Wishes, known: &Known) -> Self {
        let mut ids = BTreeMap::new();
        for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
            for (name, asset) in known.assets(kind) {
                ids.insert((folder(kind), name.clone()), asset.id.clone());
            }
        }
        Self {
            session,
            wishes,
            ids,
            done: 0,
            blocked: Vec::new(),
        }
    }

    /// Does everything that no rule forbids. What was done when it fails stays done; a second run goes on from there.
    pub(super) async fn work(&mut self, work: &Work, plans: &[ServicePlans]) -> Result<()> {
        for step in &work.assets {
            if let Err(mut failure) = self.asset(step).await {
                failure.details.push(format!("while it was to {}", told(step)));
                return Err(failure);
            }
            self.done += 1;
        }
        for (service, plans) in work.services.iter().zip(plans) {
            if plans.is_blocked {
                self.blocked.push(service.service.fields.name.clone());
            } else if !service.is_nothing() {
                self.service(service, plans).await?;
            }
        }
        Ok(())
    }

    fn id(&self, kind: AssetKind, name: &str) -> Result<String> {
        let id = self.ids.get(&(folder(kind), name.to_owned()));
        id.cloned().ok_or_else(|| {
            Failure::failed(format!(
                "the {kind} `{name}` is not there any more",
                kind = kind_name(kind)
            ))
        })
    }

    async fn asset(&mut self, step: &AssetStep) -> Result<()> {
        let (ui, client) = (&self.session.ui, &self.session.client);
        match step {
            AssetStep::Create { kind, name } => {
                let field = match kind {
                    AssetKind::Agent => "agent_name",
                    AssetKind::ContextGraph => "state_machine_name",
                };
                let created = client.post(folder(*kind), &json!({field: name})).await?;
                let id = created["id"].as_str().unwrap_or_default().to_owned();
                self.ids.insert((folder(*kind), name.clone()), id);
            }
            AssetStep::CreateVersion {
                kind,
                name,
                version,
                document,
            } => {
                ui.progress(&format!("creating version {version} of `{name}`"));
                let mut document = document.clone();
                let graphs = self
                    .ids
                    .iter()
                    .filter(|((kind, _), _)| *kind == folder(AssetKind::ContextGraph));
                let graphs = graphs.map(|((_, name), id)| (name.clone(), id.clone())).collect();
                rename_references(&mut document, &graphs);
                // With its number, so that it is refused if somebody else was faster.
                let path = format!("{}/{}/?version={version}", folder(*kind), self.id(*kind, name)?);
                client.post(&path, &Value::Object(document)).await?;
            }
        }
        Ok(())
    }

    async fn service(&mut self, work: &ServiceWork, plans: &ServicePlans) -> Result<()> {
        let id = match &work.known {
            Some(known) if work.changes.is_empty() => Some(known.id),
            Some(known) => self.update_service(known.id, work).await?,
            None => self.create_service(work).await?,
        };
        let Some(id) = id else {
            self.blocked.push(work.service.fields.name.clone());
            return Ok(());
        };
        self.done += usize::from(work.known.is_none() || !work.changes.is_empty());
        for (step, shown) in work.sets.iter().zip(&plans.plans) {
            if !self.set(work, id, step, shown.as_ref()).await? {
                self.blocked.push(work.service.fields.name.clone());
                return Ok(());
            }
            self.done += 1;
        }
        Ok(())
    }

    /// Creates a service, and returns its id unless a rule forbids it.
    async fn create_service(&self, work: &ServiceWork) -> Result<Option<ServiceId>> {
        let fields = &work.service.fields;
        let body = json!({
            "name": fields.name,
            "description": fields.description,
            "is_active": fields.is_active,
            "agent_id": self.id(AssetKind::Agent, &fields.agent)?,
            "service_hierarchical_state_machine_id": self.id(AssetKind::ContextGraph, &fields.context_graph)?,
            "keyterms": fields.keyterms,
            "tags": fields.tags,
            "release_version_set": work.service.version_sets.get(&SetName::release()),
        });
        let Some(created) = self.post_service(work, "service/", &body).await? else {
            return Ok(None);
        };
        let id = created["id"].as_str().and_then(|id| id.parse().ok());
        id.map(Some)
            .ok_or_else(|| Failure::failed("the server answered no id of the new service"))
    }

    /// Changes the fields of a service that differ, and returns its id unless a rule forbids it.
    async fn update_service(&self, id: ServiceId, work: &ServiceWork) -> Result<Option<ServiceId>> {
        let mut body = json!({});
        for change in &work.changes {
            let name = change.to.as_str().unwrap_or_default();
            let (field, value) = match change.field.as_str() {
                "agent" => ("agent_id", json!(self.id(AssetKind::Agent, name)?)),
                "context_graph" => (
                    "service_hierarchical_state_machine_id",
                    json!(self.id(AssetKind::ContextGraph, name)?),
                ),
                field => (field, change.to.clone()),
            };
            body[field] = value;
        }
        let answer = self.post_service(work, &format!("service/{id}/"), &body).await?;
        Ok(answer.map(|_| id))
    }

    /// Sends a change of a service. If a rule forbids it, that is told, and nothing is returned.
    async fn post_service(&self, work: &ServiceWork, path: &str, body: &Value) -> Result<Option<Value>> {
        match self.session.client.post(path, body).await {
            Ok(answer) => Ok(Some(answer)),
            Err(ClientError::Blocked { detail, .. }) => {
                let text = format!("service `{}`: {}", work.service.fields.name, for_people(&detail));
                self.session.ui.labelled(Style::Error, "blocker", &text);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Changes a set by a plan that is as it was shown. Tells whether no rule forbids it.
    async fn set(
        &self,
        work: &ServiceWork,
        service: ServiceId,
        step: &SetStep,
        shown: Option<&Plan>,
    ) -> Result<bool> {
        let (ui, client) = (&self.session.ui, &self.session.client);
        // What floats means another number once there are new versions, so that the plan that was shown has another
        // digest than this one, which is the one to be carried out.
        let plan = dry_run(client, service, step, self.wishes, false).await?;
        let is_forbidden = !plan.blockers.is_empty() || self.wishes.strict && !plan.warnings.is_empty();
        if is_forbidden || shown.is_none() && !plan.warnings.is_empty() {
            ui.note(&format!("`{}` of `{}`:", step.name, work.service.fields.name));
            plan::findings(ui, &plan);
        }
        if is_forbidden {
            return Ok(false);
        }
        let has_moved = |shown: &Plan| shown.target != plan.target || shown.changes != plan.changes;
        if !work.awaits_versions && shown.is_some_and(has_moved) {
            let text = format!(
                "`{}` of `{}` was changed while its plan was looked at",
                step.name, work.service.fields.name
            );
            return Err(Failure::new(Exit::Conflict, text).hint("look at the plan anew, and apply that"));
        }
        send(client, service, step, self.wishes, Some(plan.digest)).await?;
        Ok(true)
    }
}
