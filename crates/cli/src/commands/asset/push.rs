//! `forge asset push`

use std::path::{Path, PathBuf};

use forge_client::answers::{Asset, Finding};
use forge_client::{Client, ClientError};
use forge_domain::AgentId;
use forge_domain::asset::{AssetId, AssetKind};
use serde_json::{Map, Value, json};

use super::diff::compare;
use super::written::{Written, checked, unknown_field};
use crate::assets::{self, AssetRef, Content, KindArg, versions_arguments, word};
use crate::change::{ApplyArgs, Done};
use crate::creation;
use crate::edit::Edit;
use crate::error::{Exit, Failure, Result};
use crate::finder::by_name_or_id;
use crate::input;
use crate::likeness::alike;
use crate::lookup;
use crate::plan::FieldEdit;
use crate::session::Session;
use crate::ui::quoted;

/// Make a file the next version of an agent or a context graph.
///
/// The file is checked, and what differs from the newest version is shown. If nothing does, no version is made. A field that
/// no version has is refused. If there is nothing of that name, `--create` makes it with its first version. In a file of an
/// agent, what is absent stays as it is.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset show agent Mira@2 --json > mira.json && forge asset push agent Mira -f mira.json\n  \
    forge asset show agent Mira@2 --json | forge asset push agent 'Mira of the night' -f - --create --apply"
)]
pub(crate) struct Args {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name, or the id of one that is there.
    name: String,
    /// The JSON document; `-` is stdin.
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,
    /// Create the agent or the context graph if there is none of that name.
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    change: ApplyArgs,
}

/// What is pushed to.
struct Target {
    /// Its name, also if it is not there yet.
    name: String,
    asset: Option<Asset>,
    /// The names of others that are like it.
    alike: Vec<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (client, kind) = (&session.client, args.kind.kind());
    let file = read(&args.file)?;
    let target = find(session, kind, args.name.trim()).await?;
    let latest = match &target.asset {
        Some(asset) => assets::try_content(client, asset, None).await?,
        None => None,
    };
    let pushed =
        checked(kind, file, latest.as_ref()).map_err(|faults| refused_file(&args.file, kind, faults))?;
    let version = latest
        .as_ref()
        .map_or(1, |latest| latest.version.version.saturating_add(1));
    let mut edit = plan(session, kind, &target, latest, &pushed)?;
    if target.asset.is_none() {
        about_creation(kind, &target, args.create, &mut edit);
    }
    if let Some(asset) = target.asset.as_ref().filter(|_| !edit.plan.fields.is_empty()) {
        edit.plan
            .warnings
            .extend(released_at_once(client, kind, asset, version).await?);
    }
    if kind == AssetKind::ContextGraph && !edit.plan.fields.is_empty() {
        check_on_server(client, target.asset.as_ref(), &pushed.sent).await?;
    }
    edit.carry_out(session, &args.change, async || {
        let pushed = Pushed {
            document: &pushed.sent,
            version,
            edit: &edit,
        };
        send(session, kind, &target, &pushed).await
    })
    .await
}

/// Adds what stands against making something new: a name that was mistyped is one of nothing, too.
fn about_creation(kind: AssetKind, target: &Target, is_wanted: bool, edit: &mut Edit) {
    if is_wanted {
        edit.plan.warnings.extend(creation::similar(&target.alike));
    } else {
        edit.plan.blockers.push(Finding {
            code: "not_there".to_owned(),
            message: format!("there is no {kind} `{}`", target.name),
            hint: Some(creation::instead(&target.alike)),
        });
    }
}

/// Warns of every `release` that runs the version as soon as it is there.
async fn released_at_once(
    client: &Client,
    kind: AssetKind,
    asset: &Asset,
    version: i64,
) -> Result<Vec<Finding>> {
    let option = match kind {
        AssetKind::Agent => "--agent-version",
        AssetKind::ContextGraph => "--context-graph-version",
    };
    let mut warnings = Vec::new();
    for service in client.services(&[], Some(true)).all().await?.value {
        let id = match kind {
            AssetKind::Agent => AssetId::from(service.agent_id),
            AssetKind::ContextGraph => service.context_graph_id.into(),
        };
        let is_pinned = service.version_sets.get("release").is_none_or(|pins| {
            let number = match kind {
                AssetKind::Agent => pins.agent_version_number,
                AssetKind::ContextGraph => pins.context_graph_version_number,
            };
            number.is_some()
        });
        if id != asset.id || is_pinned {
            continue;
        }
        warnings.push(Finding {
            code: "release_floats".to_owned(),
            message: format!(
                "`release` of `{}` floats: it runs version {version} as soon as it is there",
                service.name
            ),
            hint: Some(format!(
                "to keep it from that, pin it first: `forge version-set upsert {} release {option} N`",
                lookup::handle(&service)
            )),
        });
    }
    Ok(warnings)
}

/// Lets the server check what only it knows: its tools, and the other graphs that this one refers to.
async fn check_on_server(client: &Client, asset: Option<&Asset>, document: &Value) -> Result<()> {
    let id = match asset {
        Some(asset) => asset.id,
        // It checks documents of graphs that are there only. Any will do, as nothing is stored.
        None => match client
            .assets(AssetKind::ContextGraph, &[])
            .at_most(1)
            .await?
            .value
            .pop()
        {
            Some(other) => other.id,
            None => return Ok(()),
        },
    };
    let Some(id) = id.context_graph() else {
        return Ok(());
    };
    match client.check_context_graph_version(id, document).await {
        // Who may add no version to the other graph may add one to the new graph all the same.
        Err(ClientError::Forbidden(_)) if asset.is_none() => Ok(()),
        checked => Ok(checked?),
    }
}

/// Finds what is pushed to.
async fn find(session: &Session, kind: AssetKind, wanted: &str) -> Result<Target> {
    let all = session.client.assets(kind, &[]).all().await?.value;
    if let Some(asset) = by_name_or_id(&all, wanted) {
        return Ok(Target {
            name: asset.name.clone(),
            asset: Some(asset.clone()),
            alike: Vec::new(),
        });
    }
    if wanted.parse::<AgentId>().is_ok() {
        // Nobody means to create something that is called like an id.
        return Err(assets::not_found(&all, kind, wanted));
    }
    if let Ok(AssetRef {
        version: Some(_),
        name,
        ..
    }) = wanted.parse()
    {
        let text = format!("`{wanted}` names a version, and a push makes the next one");
        let command = format!("forge asset push {} {}", word(kind), quoted(&name));
        return Err(Failure::new(Exit::Usage, text).hint(format!("name it without: `{command}`")));
    }
    let names = all.iter().map(|asset| asset.name.as_str());
    Ok(Target {
        name: wanted.to_owned(),
        alike: alike(wanted, names).into_iter().map(str::to_owned).collect(),
        asset: None,
    })
}

fn read(path: &Path) -> Result<Map<String, Value>> {
    let document = input::document(input::bytes(path)?);
    document.map_err(|fault| Failure::failed(format!("{} is no JSON object: {fault}", path.display())))
}

fn refused_file(path: &Path, kind: AssetKind, faults: Vec<String>) -> Failure {
    let text = format!(
        "{} is no {kind} that could be stored; nothing was changed",
        path.display()
    );
    let mut failure = Failure::failed(text);
    failure.details = faults;
    failure.hint(format!(
        "`forge asset show {} NAME --json` prints one that is",
        word(kind)
    ))
}

fn plan(
    session: &Session,
    kind: AssetKind,
    target: &Target,
    latest: Option<Content>,
    pushed: &Written,
) -> Result<Edit> {
    let Target { name, asset, .. } = target;
    let before = latest.as_ref().map(|latest| latest.version.version);
    let version = before.unwrap_or(0).saturating_add(1);
    let title = match asset {
        Some(_) => format!("push version {version} of {kind} `{name}`"),
        None => format!("create {kind} `{name}` and its version 1"),
    };
    let mut edit = Edit::new(session, title, &versions_arguments(kind, name));
    let more = [
        ("kind", json!(kind)),
        ("name", json!(name)),
        ("id", json!(asset.as_ref().map(|asset| &asset.id))),
    ];
    edit.more
        .extend(more.map(|(field, value)| (field.to_owned(), value)));
    let has_changed = match latest {
        Some(latest) => {
            let found = compare(kind, latest.document, pushed.document.clone())?;
            edit.more.insert("diff".to_owned(), found.json);
            edit.plan.differences = found.rows;
            !edit.plan.differences.is_empty()
        }
        None => true,
    };
    if asset.is_none() {
        edit.plan
            .fields
            .push(FieldEdit::new("name", Value::Null, json!(name)));
    }
    if has_changed {
        edit.plan
            .fields
            .push(FieldEdit::new("version", json!(before), json!(version)));
    }
    // What was to change something would not be among what is sent.
    edit.plan
        .blockers
        .extend(pushed.unknown.iter().map(unknown_field));
    if asset.as_ref().is_some_and(|asset| asset.deprecated) && has_changed {
        edit.plan.warnings.push(Finding {
            code: "deprecated".to_owned(),
            message: format!("{kind} `{name}` is deprecated"),
            hint: None,
        });
    }
    Ok(edit)
}

/// What becomes a version.
struct Pushed<'p> {
    document: &'p Value,
    version: i64,
    edit: &'p Edit,
}

async fn send(session: &Session, kind: AssetKind, target: &Target, pushed: &Pushed<'_>) -> Result<Done> {
    let Target { name, asset, .. } = target;
    let Pushed {
        document,
        version,
        edit,
    } = *pushed;
    let client = &session.client;
    let id = match asset {
        Some(asset) => asset.id,
        None => client
            .create_asset(kind, name)
            .await
            .map_err(|error| edit.refused(error))?,
    };
    let created = client.create_asset_version(id, document, version).await;
    let created = created.map_err(|error| {
        let failure = edit.refused(error);
        if asset.is_some() {
            return failure;
        }
        failure.hint(format!(
            "{kind} {} is there now, without a version; push again once the file is right",
            quoted(name)
        ))
    })?;
    Ok(Done::new(
        format!("done: {kind} `{name}` has version {}", created.value.version),
        Some(created.json),
    ))
}
