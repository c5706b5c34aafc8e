//! Carrying everything out, as it was shown.

use std::collections::BTreeMap;

use forge_client::ClientError;
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::{ServiceId, SetName};
use serde_json::{Value, json};

use super::float::Float;
use super::floats::{floats, withheld};
use super::moved::{moved, service_moved};
use super::outcome::Outcome;
use super::planned::{ApplyOptions, ServicePlans, Update, send};
use super::server::{self, ServerState, rename_references};
use super::tree::kind_name;
use super::work::{AssetStep, ServiceWork, SetStep, StepId, Work};
use crate::error::{Failure, Result};
use crate::findings;
use crate::session::Session;
use crate::ui::Style;

/// Carries the work out.
pub(super) struct Worker<'s> {
    pub(super) session: &'s Session,
    pub(super) options: &'s ApplyOptions,
    /// What is on the server, as it was shown.
    pub(super) known: &'s ServerState,
    /// What identifies the assets, by kind and name.
    ids: BTreeMap<(&'static str, String), AssetId>,
    /// What was done.
    pub(super) outcome: Outcome,
    /// The services that were left as they are, or from a step on, because a rule forbids it.
    pub(super) blocked: Vec<String>,
}

/// Returns what a step does, as a few words.
fn description(step: &AssetStep) -> String {
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
    pub(super) fn new(session: &'s Session, options: &'s ApplyOptions, known: &'s ServerState) -> Self {
        let mut ids = BTreeMap::new();
        for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
            for (name, asset) in known.assets(kind) {
                ids.insert((folder(kind), name.clone()), asset.id);
            }
        }
        Self {
            session,
            options,
            known,
            ids,
            outcome: Outcome::default(),
            blocked: Vec::new(),
        }
    }

    /// Does everything that no rule forbids.
    ///
    /// What was done when it fails stays done; a second run goes on from there.
    ///
    /// A set that floats runs a new version as soon as it is there. So what the files want otherwise comes first; where that cannot
    /// be, there are no new versions.
    pub(super) async fn work(&mut self, work: &Work, plans: &[ServicePlans]) -> Result<()> {
        let all: Vec<(usize, &ServiceWork, &ServicePlans)> = work
            .services
            .iter()
            .zip(plans)
            .enumerate()
            .map(|(at, (service, plans))| (at, service, plans))
            .collect();
        self.check_names(work).await?;
        let mut left = Vec::new();
        for (at, service, plans) in &all {
            if service.comes_first() && !self.service_unless_blocked(*at, service, plans).await? {
                left.push(*service);
            }
        }
        let withheld = withheld(left.into_iter());
        match &withheld {
            Some(_) if plans.iter().any(ServicePlans::withholds) => {}
            Some(finding) => findings::show(&self.session.ui, std::slice::from_ref(finding), &[]),
            None => self.assets(work).await?,
        }
        for (at, service, plans) in &all {
            if service.comes_first() {
                continue;
            }
            if withheld.is_some() && service.needs_versions() {
                self.blocked.push(service.service.fields.name.clone());
            } else {
                self.service_unless_blocked(*at, service, plans).await?;
            }
        }
        Ok(())
    }

    /// Creates agents, context graphs and versions, if what floats on those is what was shown.
    async fn assets(&mut self, work: &Work) -> Result<()> {
        if work.assets.is_empty() {
            return Ok(());
        }
        let now = server::services(&self.session.client, self.known).await?;
        let floats = now.iter().flat_map(|service| floats(service, &work.assets));
        let is_shown = |float: &Float| work.floats.iter().any(|shown| shown.is_of_the_same(float));
        let other: Vec<Float> = floats.filter(|float| !is_shown(float)).collect();
        if let Some(first) = other.first() {
            let details = other.iter().map(Float::description).collect();
            return Err(moved(format!("`{}`", first.service), details));
        }
        for (at, step) in work.assets.iter().enumerate() {
            let sent = self.asset(StepId::Asset(at), step).await;
            if let Err(mut failure) = sent {
                failure
                    .details
                    .push(format!("while it was to {}", description(step)));
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Changes or creates a service.
    ///
    /// Returns `false` if a rule forbids it.
    async fn service_unless_blocked(
        &mut self,
        at: usize,
        work: &ServiceWork,
        plans: &ServicePlans,
    ) -> Result<bool> {
        let is_done = if plans.is_blocked() {
            false
        } else {
            match &work.known {
                _ if work.is_nothing() => true,
                Some(known) => self.change_service(at, work, known.id, plans).await?,
                None => self.new_service(at, work).await?,
            }
        };
        if !is_done {
            self.blocked.push(work.service.fields.name.clone());
        }
        Ok(is_done)
    }

    /// Returns the id of an agent or a context graph.
    pub(super) fn id(&self, kind: AssetKind, name: &str) -> Result<AssetId> {
        let id = self.ids.get(&(folder(kind), name.to_owned()));
        id.copied().ok_or_else(|| {
            Failure::failed(format!(
                "the {kind} `{name}` is not there any more",
                kind = kind_name(kind)
            ))
        })
    }

    async fn asset(&mut self, id: StepId, step: &AssetStep) -> Result<()> {
        let (ui, client) = (&self.session.ui, &self.session.client);
        match step {
            AssetStep::Create { kind, name } => {
                let field = match kind {
                    AssetKind::Agent => "agent_name",
                    AssetKind::ContextGraph => "state_machine_name",
                };
                let sent = client.post(folder(*kind), &json!({field: name})).await;
                let created = self.outcome.note(id, sent)?;
                let id = AssetId::parse(*kind, created["id"].as_str().unwrap_or_default());
                let id = id.map_err(|_| Failure::failed("the server told no id of what it created"))?;
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
                let graphs = graphs
                    .map(|((_, name), id)| (name.clone(), id.to_string()))
                    .collect();
                rename_references(&mut document, &graphs);
                // With its number, so that it is refused if somebody else was faster.
                let (of, document) = (self.id(*kind, name)?, Value::Object(document));
                let sent = client.create_asset_version(of, &document, *version);
                self.outcome.note(id, sent.await)?;
            }
        }
        Ok(())
    }

    /// Changes a service and its sets by plans that are as they were shown.
    ///
    /// All of them are looked at before anything is sent. Returns `true` if no rule forbids it.
    async fn change_service(
        &mut self,
        at: usize,
        work: &ServiceWork,
        service: ServiceId,
        plans: &ServicePlans,
    ) -> Result<bool> {
        let mut digests = Vec::new();
        for (step, shown) in work.sets.iter().zip(&plans.sets) {
            match self.judge(work, service, step, shown.as_ref()).await? {
                Some(digest) => digests.push(digest),
                None => return Ok(false),
            }
        }
        // Conversations start in it only once its sets are as wanted.
        let update = plans.update.as_ref();
        let last = update.filter(|update| update.activates());
        let first = update.filter(|update| !update.activates());
        if let Some(update) = first {
            self.update_service(at, work, update, &update.plan.digest).await?;
        }
        for (place, (step, digest)) in work.sets.iter().zip(digests).enumerate() {
            self.send_set(StepId::Set(at, place), service, step, digest)
                .await?;
        }
        let Some(update) = last else {
            return Ok(true);
        };
        let digest = if work.sets.is_empty() && work.awaited.is_empty() {
            Some(update.plan.digest.clone())
        } else {
            self.judge_activation(work, update).await?
        };
        match digest {
            Some(digest) => {
                self.update_service(at, work, update, &digest).await?;
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Creates a service and its sets, whose plans can only be made then.
    ///
    /// Returns `false` if a rule forbids it.
    async fn new_service(&mut self, at: usize, work: &ServiceWork) -> Result<bool> {
        let Some(service) = self.create_service(at, work).await? else {
            return Ok(false);
        };
        for (place, step) in work.sets.iter().enumerate() {
            match self.judge(work, service, step, None).await? {
                Some(digest) => {
                    self.send_set(StepId::Set(at, place), service, step, digest)
                        .await?;
                }
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Creates a service, and returns its id unless a rule forbids it.
    async fn create_service(&mut self, at: usize, work: &ServiceWork) -> Result<Option<ServiceId>> {
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
        let sent = self.session.client.post("service/", &body).await;
        let created = match self.outcome.note(StepId::Service(at), sent) {
            Ok(created) => created,
            Err(ClientError::Blocked { detail, .. }) => {
                let text = format!("service `{}`: {detail}", fields.name);
                self.session.ui.labelled(Style::Error, "blocker", &text);
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let id = created["id"].as_str().and_then(|id| id.parse().ok());
        id.map(Some)
            .ok_or_else(|| Failure::failed("the server answered no id of the new service"))
    }

    /// Changes a service as it was shown.
    async fn update_service(
        &mut self,
        at: usize,
        work: &ServiceWork,
        update: &Update,
        digest: &str,
    ) -> Result<()> {
        let (id, change) = (update.service, &update.change);
        let sent = self
            .session
            .client
            .update_service(id, change, self.options.of_change(), digest);
        match self.outcome.note(StepId::Service(at), sent.await) {
            Ok(_) => Ok(()),
            Err(ClientError::Conflict { .. }) => {
                let now = self
                    .session
                    .client
                    .plan_service_update(id, change, self.options.of_change());
                let details = service_moved(&update.plan, &now.await?.value);
                Err(moved(format!("`{}`", work.service.fields.name), details))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn send_set(
        &mut self,
        id: StepId,
        service: ServiceId,
        step: &SetStep,
        digest: String,
    ) -> Result<()> {
        let sent = send(&self.session.client, service, step, self.options, Some(digest)).await;
        self.outcome.note(id, sent)?;
        Ok(())
    }
}
