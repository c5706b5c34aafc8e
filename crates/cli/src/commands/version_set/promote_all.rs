//! `forge version-set promote --all-services`

use forge_client::answers::Service;
use forge_client::{PromotionOfMany, Promotions};
use forge_domain::SetName;

use super::promote_args::Args;
use super::set_ref::SetRef;
use crate::change::Done;
use crate::creation;
use crate::error::{Exit, Failure, Result};
use crate::session::Session;
use crate::set_change::{Planned, SetChange};

/// How many services one request can promote.
const AT_ONCE: usize = 50;

/// Promotes in every active service that has the source.
pub(super) async fn run(session: &Session, source: &SetRef, target: &SetName, args: &Args) -> Result<Exit> {
    let (ui, client) = (&session.ui, &session.client);
    if source.revision.is_some() {
        let text = format!("`{source}`: with `--all-services`, the sets are copied as they are now");
        return Err(Failure::new(Exit::Usage, text).hint("name the set without a revision"));
    }
    let active = client.services(&[], Some(true)).all().await?.value;
    let (with, without): (Vec<Service>, Vec<Service>) = active
        .into_iter()
        .partition(|service| service.version_sets.contains_key(source.name.as_str()));
    if with.is_empty() {
        return Err(Failure::failed(format!(
            "no active service has a set `{}`",
            source.name
        )));
    }
    if !without.is_empty() {
        let names: Vec<&str> = without.iter().map(|service| service.name.as_str()).collect();
        ui.note(&format!(
            "without a set `{}`, and left out: {}",
            source.name,
            names.join(", ")
        ));
    }
    if with.len() > AT_ONCE {
        let text = format!(
            "{} services have a set `{}`, and at most {AT_ONCE} can be promoted as one step",
            with.len(),
            source.name
        );
        return Err(Failure::failed(text)
            .hint("promote them one by one: `forge version-set promote SERVICE SOURCE TARGET`"));
    }
    let body = |plan_digest: Option<String>| Promotions {
        promotions: with
            .iter()
            .map(|service| PromotionOfMany {
                service_id: service.id,
                source: source.name.to_string(),
                target: target.to_string(),
            })
            .collect(),
        options: args.change.options(plan_digest, args.lift_hold),
    };
    let change = SetChange::new(session, &args.change.apply, &with, target);
    let planned = client.promote_many(&body(None)).await;
    let mut planned = planned.map_err(|error| change.refused(error))?;
    for plan in &mut planned.value.plans {
        if let Some(service) = with.iter().find(|service| service.id == plan.service_id) {
            creation::of_set(plan, service.version_sets.keys().map(String::as_str), args.create);
        }
    }
    let planned = Planned {
        plans: planned.value.plans,
        digest: planned.value.digest,
        json: planned.json,
    }
    .with_findings()?;
    let act = async |digest: String| {
        let done = client.promote_many(&body(Some(digest))).await?;
        let text = format!(
            "done: `{target}` is promoted in {} services",
            done.value.plans.len()
        );
        Ok(Done::new(text, Some(done.json)))
    };
    change.carry_out(planned, act).await
}
