//! Carrying everything out, as it was shown.

use std::collections::BTreeMap;

use forge_client::ClientError;
use forge_client::answers::{FieldChange, Finding, Plan, ServicePlan};
use forge_domain::asset::AssetKind;
use forge_domain::{ServiceId, SetName};
use serde_json::{Value, json};

use super::planned::{ServicePlans, Update, Wishes, dry_run, send};
use super::server::{Known, rename_references};
use super::tree::kind_name;
use super::work::{AssetStep, ServiceWork, SetStep, Work};
use crate::error::{Exit, Failure, Result, for_people};
use crate::plan;
use crate::session::Session;
use crate::ui::Style;

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
            if plans.is_blocked() {
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
        let is_done = match &work.known {
            Some(known) => self.change_service(work, known.id, plans).await?,
            None => self.new_service(work).await?,
        };
        if !is_done {
            self.blocked.push(work.service.fields.name.clone());
        }
        Ok(())
    }

    /// Changes a service and its sets by plans that are as they were shown. All of them are looked at before anything is sent.
    /// Tells whether no rule forbids it.
    async fn change_service(
        &mut self,
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
            self.update_service(work, service, update, &update.plan.digest)
                .await?;
        }
        for (step, digest) in work.sets.iter().zip(digests) {
            self.send_set(service, step, digest).await?;
        }
        let Some(update) = last else {
            return Ok(true);
        };
        let digest = if work.sets.is_empty() {
            Some(update.plan.digest.clone())
        } else {
            self.judge_activation(work, service, update).await?
        };
        match digest {
            Some(digest) => self.update_service(work, service, update, &digest).await?,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Creates a service and its sets, whose plans can only be made then. Tells whether no rule forbids it.
    async fn new_service(&mut self, work: &ServiceWork) -> Result<bool> {
        let Some(service) = self.create_service(work).await? else {
            return Ok(false);
        };
        self.done += 1;
        for step in &work.sets {
            match self.judge(work, service, step, None).await? {
                Some(digest) => self.send_set(service, step, digest).await?,
                None => return Ok(false),
            }
        }
        Ok(true)
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
        let created = match self.session.client.post("service/", &body).await {
            Ok(created) => created,
            Err(ClientError::Blocked { detail, .. }) => {
                let text = format!("service `{}`: {}", fields.name, for_people(&detail));
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
        work: &ServiceWork,
        id: ServiceId,
        update: &Update,
        digest: &str,
    ) -> Result<()> {
        let change = &update.change;
        let sent = self
            .session
            .client
            .update_service(id, change, self.wishes.terms(), digest);
        match sent.await {
            Ok(_) => {
                self.done += 1;
                Ok(())
            }
            Err(ClientError::Conflict { .. }) => {
                let now = self
                    .session
                    .client
                    .plan_service_update(id, change, self.wishes.terms());
                let details = service_moved(&update.plan, &now.await?.value);
                Err(moved(format!("`{}`", work.service.fields.name), details))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks once more at a service that is to become active, now that its sets are as wanted, and returns the digest by which
    /// it may unless a rule forbids it.
    async fn judge_activation(
        &self,
        work: &ServiceWork,
        service: ServiceId,
        update: &Update,
    ) -> Result<Option<String>> {
        let terms = self.wishes.terms();
        let now = self
            .session
            .client
            .plan_service_update(service, &update.change, terms);
        let now = now.await?.value;
        let name = &work.service.fields.name;
        if now.changes != update.plan.changes {
            return Err(moved(format!("`{name}`"), service_moved(&update.plan, &now)));
        }
        if self.wishes.stop(&now.blockers, &now.warnings) {
            self.session.ui.note(&format!("`{name}`:"));
            plan::blockers_and_warnings(&self.session.ui, &now.blockers, &now.warnings);
            return Ok(None);
        }
        Ok(Some(now.digest))
    }

    /// Looks once more at the change of a set, and returns the digest by which it may be made unless a rule forbids it.
    async fn judge(
        &self,
        work: &ServiceWork,
        service: ServiceId,
        step: &SetStep,
        shown: Option<&Plan>,
    ) -> Result<Option<String>> {
        let ui = &self.session.ui;
        let now = dry_run(&self.session.client, service, step, self.wishes).await?;
        let place = format!("`{}` of `{}`", step.name, work.service.fields.name);
        if let Some(shown) = shown {
            // What floats means another number once there are new versions, and what rules say of those is known only then.
            let is_other = shown.target != now.target
                || shown.changes != now.changes
                || work.awaited.is_empty() && shown.digest != now.digest;
            if is_other {
                return Err(moved(place, what_moved(shown, &now)));
            }
        }
        let stops = self.wishes.stop(&now.blockers, &now.warnings);
        let is_told = |found: &Finding| shown.is_some_and(|shown| shown.warnings.contains(found));
        if stops || !now.warnings.iter().all(is_told) {
            ui.note(&format!("{place}:"));
            plan::findings(ui, &now);
        }
        Ok((!stops).then_some(now.digest))
    }

    async fn send_set(&mut self, service: ServiceId, step: &SetStep, digest: String) -> Result<()> {
        send(&self.session.client, service, step, self.wishes, Some(digest)).await?;
        self.done += 1;
        Ok(())
    }
}

/// Says that something is not as it was shown any more.
fn moved(what: String, details: Vec<String>) -> Failure {
    let text = format!("{what} was changed while its plan was looked at");
    let mut failure = Failure::new(Exit::Conflict, text).hint("look at the plan anew, and apply that");
    failure.details = details;
    failure
}

/// Tells in what two plans of a service differ.
fn service_moved(shown: &ServicePlan, now: &ServicePlan) -> Vec<String> {
    let mut details = changes_moved(&shown.changes, &now.changes);
    for now in &now.version_sets {
        let name = &now.target.name;
        let before = shown.version_sets.iter().find(|set| set.target.name == *name);
        let of_set = match before {
            Some(shown) if shown.digest == now.digest => continue,
            Some(shown) => what_moved(shown, now),
            None => vec!["it was not there".to_owned()],
        };
        details.extend(of_set.into_iter().map(|detail| format!("`{name}`: {detail}")));
    }
    or_the_rules(details)
}

/// Tells in what two plans of a set differ.
fn what_moved(shown: &Plan, now: &Plan) -> Vec<String> {
    let revision = |plan: &Plan| match plan.target.revision {
        Some(revision) => format!("at revision {revision}"),
        None => "not there".to_owned(),
    };
    let mut details = Vec::new();
    if shown.target != now.target {
        details.push(format!("it was {}, and is {}", revision(shown), revision(now)));
    }
    details.extend(changes_moved(&shown.changes, &now.changes));
    or_the_rules(details)
}

fn changes_moved(shown: &[FieldChange], now: &[FieldChange]) -> Vec<String> {
    let text = |change: &FieldChange| {
        let (from, to) = (plan::text(&change.from), plan::text(&change.to));
        format!(
            "now it would change {}: {from} → {to}",
            plan::field(&change.field)
        )
    };
    now.iter()
        .filter(|change| !shown.contains(change))
        .map(text)
        .collect()
}

fn or_the_rules(mut details: Vec<String>) -> Vec<String> {
    if details.is_empty() {
        details.push("the rules find something else now".to_owned());
    }
    details
}
