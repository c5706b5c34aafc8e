//! `forge service create`

use forge_client::ServiceFields;
use forge_client::answers::{Asset, Finding, Service};
use forge_domain::asset::{AssetId, AssetKind};
use serde_json::{Value, json};

use super::binding::{against_creation, id_field};
use super::state;
use super::tag_arg::{TagArg, Tags, shown};
use crate::assets;
use crate::body::check_body;
use crate::change::{ApplyArgs, Done};
use crate::creation;
use crate::edit::Edit;
use crate::error::{Exit, Failure, Result};
use crate::likeness::slips;
use crate::plan::FieldEdit;
use crate::session::Session;
use crate::ui::quoted;
use crate::ui::values::pin;

/// Create a service.
///
/// Its sets `edge` and `release` float with the latest versions until something is promoted.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge service create --name 'Ear care' --agent Mira --context-graph Appointments --description 'Answers patients.'\n  \
    forge service create --name 'Ear care' --agent Mira --context-graph Appointments --description 'Answers patients.' \
    --inactive --tag team:care --apply"
)]
pub(crate) struct Args {
    /// Name of the service.
    #[arg(long)]
    name: String,
    /// Name or id of the agent that speaks.
    #[arg(long, value_name = "NAME")]
    agent: String,
    /// Name or id of the context graph that conversations walk.
    #[arg(long, value_name = "NAME")]
    context_graph: String,
    /// What the service is for.
    #[arg(long, value_name = "TEXT")]
    description: String,
    /// Let no conversation start in it yet.
    #[arg(long)]
    inactive: bool,
    /// Give it a tag, or KEY for one without a value. May be repeated.
    #[arg(long = "tag", value_name = "KEY:VALUE")]
    tags: Vec<TagArg>,
    #[command(flatten)]
    change: ApplyArgs,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let client = &session.client;
    let agent = assets::find(client, AssetKind::Agent, &args.agent).await?;
    let graph = assets::find(client, AssetKind::ContextGraph, &args.context_graph).await?;
    let tags = args.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
    let (AssetId::Agent(agent_id), AssetId::ContextGraph(context_graph_id)) = (agent.id, graph.id) else {
        return Err(Failure::failed("an agent and a context graph were mixed up"));
    };
    let fields = ServiceFields {
        name: args.name.trim().to_owned(),
        description: args.description.trim().to_owned(),
        is_active: !args.inactive,
        agent_id,
        context_graph_id,
        tags: tags.collect(),
        keyterms: Vec::new(),
    };
    check_body("create-service", json!(fields))?;
    let mut edit = Edit::new(
        session,
        format!("create the service `{}`", fields.name),
        &format!("service show {}", quoted(&fields.name)),
    );
    edit.plan.fields = rows(&fields, &agent, &graph);
    edit.plan.blockers = against_creation(&agent, &graph);
    if fields.is_active {
        let active = client.services(&[], Some(true)).all().await?.value;
        edit.plan.blockers.extend(taken(&active, &fields.name));
        if edit.plan.blockers.is_empty() {
            edit.plan.warnings.extend(similar(&active, &fields.name));
        }
    }
    edit.carry_out(session, &args.change, async || {
        let created = client.create_service(&fields).await;
        let created = created.map_err(|error| edit.refused(error))?;
        Ok(Done::new(
            format!("done: `{}` is the service {}", fields.name, created.value.id),
            Some(created.json),
        ))
    })
    .await
}

fn rows(fields: &ServiceFields, agent: &Asset, graph: &Asset) -> Vec<FieldEdit> {
    let new = |name: &str, value: Value| FieldEdit::new(name, Value::Null, value);
    let bound = |asset: &Asset| {
        let kind = asset.id.kind();
        let version = pin(None, asset.latest_version);
        new(id_field(kind), json!(asset.id))
            .called(kind.to_string())
            .shown_as("-", format!("{} {version}", asset.name))
    };
    let mut rows = vec![
        new("name", json!(fields.name)),
        new("description", json!(fields.description)),
        new("is_active", json!(fields.is_active))
            .called("state")
            .shown_as("-", state(fields.is_active)),
        bound(agent),
        bound(graph),
    ];
    rows.extend(tag_rows(&Tags::new(), &fields.tags));
    rows
}

/// Returns the change of tags as one field, if they differ.
fn tag_rows(from: &Tags, to: &Tags) -> Option<FieldEdit> {
    let text = |tags: &Tags| {
        if tags.is_empty() {
            "-".to_owned()
        } else {
            shown(tags)
        }
    };
    (from != to).then(|| FieldEdit::new("tags", json!(from), json!(to)).shown_as(text(from), text(to)))
}

/// Tells that an active service has a name already.
pub(super) fn taken(active: &[Service], name: &str) -> Option<Finding> {
    let other = active.iter().find(|service| service.name == name)?;
    Some(Finding {
        code: "name_taken".to_owned(),
        message: format!("the active service {} is called `{name}` already", other.id),
        hint: Some("choose another name, or deactivate that one first".to_owned()),
    })
}

/// Tells that active services are called nearly the same.
fn similar(active: &[Service], name: &str) -> Option<Finding> {
    let names = active.iter().map(|service| service.name.as_str());
    let alike: Vec<String> = slips(name, names).into_iter().map(str::to_owned).collect();
    creation::similar(&alike)
}
