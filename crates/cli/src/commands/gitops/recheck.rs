//! Looking once more, right before something is changed: it has to be as it was shown.

use std::collections::{BTreeMap, BTreeSet};

use forge_client::answers::{Finding, Pins, Plan};
use forge_domain::ServiceId;
use forge_domain::asset::AssetId;
use forge_domain::number;
use serde_json::json;

use super::moved::{moved, service_moved, what_moved};
use super::planned::{Update, dry_run};
use super::server::{self, ServerService};
use super::steps::Worker;
use super::tree::kind_name;
use super::work::{ServiceWork, SetStep, Work};
use crate::error::Result;
use crate::findings;

impl Worker<'_> {
    /// Ensures that the services are called as they were shown: no plan fixes that.
    pub(super) async fn check_names(&self, work: &Work) -> Result<()> {
        let changed = work.services.iter().filter(|service| !service.is_nothing());
        let shown: Vec<&ServerService> = changed.filter_map(|service| service.known.as_ref()).collect();
        if shown.is_empty() {
            return Ok(());
        }
        let now = server::services(&self.session.client, self.known).await?;
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

    /// Looks once more at a service that is to become active, now that its sets are as wanted, and returns the digest
    /// by which it may unless a rule forbids it.
    pub(super) async fn judge_activation(
        &self,
        work: &ServiceWork,
        update: &Update,
    ) -> Result<Option<String>> {
        let (service, options) = (update.service, self.options.of_change());
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
        if self.options.stop(&now.blockers, &now.warnings) {
            self.session.ui.note(&format!("`{name}`:"));
            findings::show(&self.session.ui, &now.blockers, &now.warnings);
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
    pub(super) async fn judge(
        &self,
        work: &ServiceWork,
        service: ServiceId,
        step: &SetStep,
        shown: Option<&Plan>,
    ) -> Result<Option<String>> {
        let ui = &self.session.ui;
        let now = dry_run(&self.session.client, service, step, self.options).await?;
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
        let stops = self.options.stop(&now.blockers, &now.warnings);
        let is_known = |found: &Finding| shown.is_some_and(|shown| shown.warnings.contains(found));
        if stops || !now.warnings.iter().all(is_known) {
            ui.note(&format!("{place}:"));
            findings::show(ui, &now.blockers, &now.warnings);
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
                (AssetId::from(now.agent_id), &fields.agent),
                (now.context_graph_id.into(), &fields.context_graph),
            ];
            for (id, wanted) in pair {
                let kind = id.kind();
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
}
