//! `forge service update`

use forge_client::answers::{Asset, Service};
use forge_client::{ChangeOptions, Client, ClientError, ServiceChange};
use forge_domain::asset::AssetId;
use serde_json::json;

use super::plan;
use super::tag_arg::{TagArg, Tags, tags_of};
use crate::assets::{self, AssetNames};
use crate::body::check_body;
use crate::change::{ApplyArgs, Done, LOOK_ANEW, plan_moved};
use crate::edit::Edit;
use crate::error::{Exit, Failure, Result};
use crate::lookup;
use crate::session::Session;

/// Change a service. What you do not name stays as it is.
///
/// With another agent or context graph, its sets keep their numbers and mean the versions of that one; the plan tells what
/// each set would mean.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge service update 'Dental care' --description 'Answers patients at any hour.'\n  \
    forge service update 'Dental care' --tag team:care --tag beta --apply\n  \
    forge service update 'Dental care' --remove-tag beta --apply\n  \
    forge service update 'Dental care' --agent Mira --strict --apply"
)]
pub(crate) struct Args {
    /// Name or id of the service.
    service: String,
    /// Call it so.
    #[arg(long)]
    name: Option<String>,
    /// Name or id of the agent that speaks from now on.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Name or id of the context graph that conversations walk from now on.
    #[arg(long, value_name = "NAME")]
    context_graph: Option<String>,
    /// What the service is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Let conversations start in it.
    #[arg(long, conflicts_with = "inactive")]
    active: bool,
    /// Let no conversation start in it any more.
    #[arg(long)]
    inactive: bool,
    /// Give it a tag, or another value for one that it has. May be repeated.
    #[arg(long = "tag", value_name = "KEY:VALUE")]
    tags: Vec<TagArg>,
    /// Take a tag away. May be repeated.
    #[arg(long = "remove-tag", value_name = "KEY")]
    removed_tags: Vec<String>,
    /// Lift the holds on its sets: they stop another agent or context graph.
    #[arg(long)]
    lift_hold: bool,
    #[command(flatten)]
    change: ApplyArgs,
}

/// What the service gets another one of.
struct Rebind {
    agent: Option<Asset>,
    graph: Option<Asset>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let service = lookup::service(session, &args.service).await?;
    let rebind = Rebind::find(client, &args, &service).await?;
    let change = wanted(&args, &service, &rebind)?;
    check_body("update-service", json!(change))?;
    let mut edit = Edit::new(
        session,
        format!("update the service `{}`", service.name),
        &format!("service show {}", service.id),
    );
    let options = ChangeOptions {
        lift_hold: args.lift_hold,
        ..ChangeOptions::default()
    };
    let plan = client.plan_service_update(service.id, &change, options.clone());
    let plan = plan.await?.value;
    let mut seen = plan::Seen::of(client, service.id, &plan).await?;
    seen.assets = rebind.assets(client, &service).await?;
    edit.plan.fields = plan::rows(&plan, &seen);
    edit.plan.blockers.clone_from(&plan.blockers);
    edit.plan.warnings.clone_from(&plan.warnings);
    edit.carry_out(session, &args.change, async || {
        refuse_if_moved(client, &service).await?;
        let updated = client
            .update_service(service.id, &change, options, &plan.digest)
            .await;
        updated.map_err(|error| match error {
            ClientError::Conflict { .. } => plan_moved(),
            error => edit.refused(error),
        })?;
        Ok(Done::new(
            format!("done: the service {} is as planned", service.id),
            None,
        ))
    })
    .await
}

/// Returns what is to change; what is like that already is not in it.
fn wanted(args: &Args, service: &Service, rebind: &Rebind) -> Result<ServiceChange> {
    let other = |wanted: &Option<String>, now: &str| {
        let wanted = wanted.as_deref().map(str::trim);
        wanted.filter(|wanted| *wanted != now).map(str::to_owned)
    };
    let is_active = (args.active || args.inactive).then_some(args.active);
    Ok(ServiceChange {
        name: other(&args.name, &service.name),
        description: other(&args.description, &service.description),
        is_active: is_active.filter(|wanted| *wanted != service.is_active),
        agent_id: rebind.agent.as_ref().and_then(|agent| agent.id.agent()),
        context_graph_id: rebind.graph.as_ref().and_then(|graph| graph.id.context_graph()),
        tags: wanted_tags(args, &tags_of(&service.tags))?,
        keyterms: None,
    })
}

fn wanted_tags(args: &Args, now: &Tags) -> Result<Option<Tags>> {
    let mut tags = now.clone();
    for key in &args.removed_tags {
        if tags.shift_remove(key).is_none() {
            let failure = Failure::failed(format!("the service has no tag `{key}`"));
            return Err(failure.hint("`forge service show` tells its tags"));
        }
    }
    for tag in &args.tags {
        tags.insert(tag.key.clone(), tag.value.clone());
    }
    Ok((tags != *now).then_some(tags))
}

impl Rebind {
    async fn find(client: &Client, args: &Args, service: &Service) -> Result<Self> {
        let other = async |now: AssetId, wanted: &Option<String>| -> Result<Option<Asset>> {
            let Some(wanted) = wanted else { return Ok(None) };
            let found = assets::find(client, now.kind(), wanted).await?;
            Ok(Some(found).filter(|found| found.id != now))
        };
        Ok(Self {
            agent: other(service.agent_id.into(), &args.agent).await?,
            graph: other(service.context_graph_id.into(), &args.context_graph).await?,
        })
    }

    /// Returns what it is about: those that the service gets, and those that it has.
    async fn assets(self, client: &Client, service: &Service) -> Result<Vec<Asset>> {
        let mut assets = Vec::new();
        for (to, from) in [
            (self.agent, AssetId::from(service.agent_id)),
            (self.graph, service.context_graph_id.into()),
        ] {
            let Some(to) = to else { continue };
            assets.push(to);
            let known = AssetNames::fetch(client, from.kind(), [from].into()).await?;
            assets.extend(known.into_assets());
        }
        Ok(assets)
    }
}

/// What is asked for comes from what was looked at before the server planned: tags are replaced as a whole.
///
/// So it is looked at once more, right before.
async fn refuse_if_moved(client: &Client, seen: &Service) -> Result<()> {
    let now = client.services(&[seen.id], None).all().await?.value;
    let parts = |service: &Service| {
        (
            service.name.clone(),
            service.description.clone(),
            service.is_active,
            (service.agent_id, service.context_graph_id),
            service.tags.clone(),
            service.version_sets.clone(),
        )
    };
    match now.first() {
        Some(now) if parts(now) == parts(seen) => Ok(()),
        _ => Err(Failure::new(
            Exit::Conflict,
            "the service is not as it was when the plan was made",
        )
        .hint(LOOK_ANEW)),
    }
}
