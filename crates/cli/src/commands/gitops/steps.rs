//! Carrying everything out, as it was shown.

use std::collections::{BTreeMap, BTreeSet};

use forge_client::ClientError;
use forge_client::answers::{FieldChange, Finding, Pins, Plan, ServicePlan};
use forge_domain::asset::AssetKind;
use forge_domain::number;
use forge_domain::{ServiceId, SetName};
use serde_json::{Value, json};

use super::float::Float;
use super::floats::{floats, withheld};
use super::planned::{ServicePlans, Update, Wishes, dry_run, send};
use super::server::{self, Known, KnownService, rename_references};
use super::tree::kind_name;
use super::work::{AssetStep, ServiceWork, SetStep, StepId, Work};
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
    /// What was done.
    pub(super) outcome: Outcome,
    /// The services that were left as they are, or from a step on, because a rule forbids it.
    pub(super) blocked: Vec<String>,
}

/// Which steps were done.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) done: BTreeSet<StepId>,
    /// The one that nobody knows of: its answer was lost.
    pub(super) unknown: Option<StepId>,
}

impl Outcome {
    /// Notes what became of a step that was sent.
    fn note<T>(
        &mut self,
        step: StepId,
        sent: std::result::Result<T, ClientError>,
    ) -> std::result::Result<T, ClientError> {
        match &sent {
            Ok(_) => {
                self.done.insert(step);
            }
            Err(error) if error.is_outcome_unknown() || matches!(error, ClientError::BrokenOff { .. }) => {
                self.unknown = Some(step);
            }
            Err(_) => {}
        }
        sent
    }
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
    pub(super) async fn work(&mut self, work: &Work, plans: &[ServicePlans], known: &Known) -> Result<()> {
        let all: Vec<(usize, &ServiceWork, &ServicePlans)> = work
            .services
            .iter()
            .zip(plans)
            .enumerate()
            .map(|(at, (service, plans))| (at, service, plans))
            .collect();
        self.check_names(work, known).await?;
        let mut left = Vec::new();
        for (at, service, plans) in &all {
            if service.comes_first() && !self.service_unless_blocked(*at, service, plans).await? {
                left.push(*service);
            }
        }
        let withheld = withheld(left.into_iter());
        match &withheld {
            Some(_) if plans.iter().any(ServicePlans::withholds) => {}
            Some(finding) => plan::finding(&self.session.ui, Style::Error, "blocker", finding),
            None => self.assets(work, known).await?,
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

    /// Ensures that the services are called as they were shown: no plan fixes that.
    async fn check_names(&self, work: &Work, known: &Known) -> Result<()> {
        let changed = work.services.iter().filter(|service| !service.is_nothing());
        let shown: Vec<&KnownService> = changed.filter_map(|service| service.known.as_ref()).collect();
        if shown.is_empty() {
            return Ok(());
        }
        let now = server::services(&self.session.client, known).await?;
        for shown in shown {
            let name = &shown.service.fields.name;
            let found = now.iter().find(|now| now.id == shown.id);
            let details = match found.map(|now| &now.service.fields.name) {
                Some(now) if now == name => continue,
                Some(now) => format!("it is called `{now}` now"),
                None => "it is not there any more".to_owned(),
            };
            return Err(moved(format!("`{name}`"), vec![details]));
        }
        Ok(())
    }

    /// Creates agents, context graphs and versions, if what floats on those is what was shown.
    async fn assets(&mut self, work: &Work, known: &Known) -> Result<()> {
        if work.assets.is_empty() {
            return Ok(());
        }
        let now = server::services(&self.session.client, known).await?;
        let floats = now.iter().flat_map(|service| floats(service, &work.assets));
        let is_told = |float: &Float| work.floats.iter().any(|told| told.is_of_the_same(float));
        let other: Vec<Float> = floats.filter(|float| !is_told(float)).collect();
        if let Some(first) = other.first() {
            let details = other.iter().map(Float::told).collect();
            return Err(moved(format!("`{}`", first.service), details));
        }
        for (at, step) in work.assets.iter().enumerate() {
            let sent = self.asset(StepId::Asset(at), step).await;
            if let Err(mut failure) = sent {
                failure.details.push(format!("while it was to {}", told(step)));
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Changes or creates a service, and tells whether no rule forbids it.
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

    fn id(&self, kind: AssetKind, name: &str) -> Result<String> {
        let id = self.ids.get(&(folder(kind), name.to_owned()));
        id.cloned().ok_or_else(|| {
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
                let sent = client.post(&path, &Value::Object(document)).await;
                self.outcome.note(id, sent)?;
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
            self.update_service((at, work), service, update, &update.plan.digest)
                .await?;
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
            self.judge_activation(work, service, update).await?
        };
        match digest {
            Some(digest) => {
                self.update_service((at, work), service, update, &digest).await?;
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Creates a service and its sets, whose plans can only be made then.
    ///
    /// Returns `true` if no rule forbids it.
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
        (at, work): (usize, &ServiceWork),
        id: ServiceId,
        update: &Update,
        digest: &str,
    ) -> Result<()> {
        let change = &update.change;
        let sent = self
            .session
            .client
            .update_service(id, change, self.wishes.options(), digest);
        match self.outcome.note(StepId::Service(at), sent.await) {
            Ok(_) => Ok(()),
            Err(ClientError::Conflict { .. }) => {
                let now = self
                    .session
                    .client
                    .plan_service_update(id, change, self.wishes.options());
                let details = service_moved(&update.plan, &now.await?.value);
                Err(moved(format!("`{}`", work.service.fields.name), details))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks once more at a service that is to become active, now that its sets are as wanted, and returns the digest
    /// by which it may unless a rule forbids it.
    async fn judge_activation(
        &self,
        work: &ServiceWork,
        service: ServiceId,
        update: &Update,
    ) -> Result<Option<String>> {
        let options = self.wishes.options();
        let now = self
            .session
            .client
            .plan_service_update(service, &update.change, options);
        let now = now.await?.value;
        let name = &work.service.fields.name;
        if now.changes != update.plan.changes {
            return Err(moved(format!("`{name}`"), service_moved(&update.plan, &now)));
        }
        // The plan fixes what the sets pin from now on; that it is what was shown has to be looked at.
        self.check_sets(work, service).await?;
        if self.wishes.stop(&now.blockers, &now.warnings) {
            self.session.ui.note(&format!("`{name}`:"));
            plan::blockers_and_warnings(&self.session.ui, &now.blockers, &now.warnings);
            return Ok(None);
        }
        Ok(Some(now.digest))
    }

    /// Ensures that the sets of a service pin what they pinned when it was looked at, and what was done since.
    async fn check_sets(&self, work: &ServiceWork, service: ServiceId) -> Result<()> {
        let before = work.known.as_ref().map(|known| &known.service.version_sets);
        let mut expected = before.cloned().unwrap_or_default();
        for step in &work.sets {
            match &step.after {
                Some(pins) => expected.insert(step.name.clone(), pins.clone()),
                None => expected.remove(&step.name),
            };
        }
        let now = self.session.client.services(&[service], None).all().await?;
        let now = now.value.into_iter().flat_map(|service| service.version_sets);
        let now: BTreeMap<String, Pins> = now.filter(|(name, _)| name != "edge").collect();
        let expected: BTreeMap<String, Pins> = expected
            .into_iter()
            .map(|(name, pins)| (name.to_string(), pins))
            .collect();
        let names: BTreeSet<&String> = now.keys().chain(expected.keys()).collect();
        let is_other = |name: &&&String| {
            let (now, expected) = (json!(now.get(**name)), json!(expected.get(**name)));
            !number::is_same(&now, &expected)
        };
        let details: Vec<String> = names
            .iter()
            .filter(is_other)
            .map(|name| format!("its set `{name}` pins something else now"))
            .collect();
        if details.is_empty() {
            return Ok(());
        }
        Err(moved(format!("`{}`", work.service.fields.name), details))
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
        // What floats means another number once there are new versions, and what rules say of those is known only then.
        let is_settled = step.is_settled || work.comes_first();
        if let Some(shown) = shown {
            let is_other = shown.target != now.target
                || shown.changes != now.changes
                || is_settled && shown.digest != now.digest;
            if is_other {
                self.check_binding(work, service).await?;
                return Err(moved(place, what_moved(shown, &now)));
            }
        }
        if shown.is_none() || !is_settled {
            self.check_binding(work, service).await?;
        }
        let stops = self.wishes.stop(&now.blockers, &now.warnings);
        let is_told = |found: &Finding| shown.is_some_and(|shown| shown.warnings.contains(found));
        if stops || !now.warnings.iter().all(is_told) {
            ui.note(&format!("{place}:"));
            plan::findings(ui, &now);
        }
        Ok((!stops).then_some(now.digest))
    }

    /// Ensures that numbers are those of the agent and the context graph that the files say.
    ///
    /// The digest of a plan that was made before fixes them from then on.
    async fn check_binding(&self, work: &ServiceWork, service: ServiceId) -> Result<()> {
        let now = self.session.client.services(&[service], None).all().await?;
        let fields = &work.service.fields;
        let mut details = Vec::new();
        for now in &now.value {
            let pair = [
                (AssetKind::Agent, now.agent_id.to_string(), &fields.agent),
                (
                    AssetKind::ContextGraph,
                    now.context_graph_id.to_string(),
                    &fields.context_graph,
                ),
            ];
            for (kind, id, wanted) in pair {
                if self.id(kind, wanted)? != id {
                    details.push(format!("its {} is not `{wanted}` any more", kind_name(kind)));
                }
            }
        }
        if details.is_empty() {
            return Ok(());
        }
        Err(moved(format!("`{}`", fields.name), details))
    }

    async fn send_set(
        &mut self,
        id: StepId,
        service: ServiceId,
        step: &SetStep,
        digest: String,
    ) -> Result<()> {
        let sent = send(&self.session.client, service, step, self.wishes, Some(digest)).await;
        self.outcome.note(id, sent)?;
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
