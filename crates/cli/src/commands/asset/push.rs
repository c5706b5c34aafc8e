//! `forge asset push`

use std::path::{Path, PathBuf};

use forge_client::answers::{Asset, Finding};
use forge_client::{Client, ClientError};
use forge_domain::AgentId;
use forge_domain::agent::AgentChange;
use forge_domain::asset::AssetKind;
use forge_domain::context_graph::{ContextGraphDocument, rules};
use forge_domain::fault::Fault;
use serde_json::{Map, Value, json};

use super::diff::compare;
use crate::assets::{self, AssetRef, Content, KindArg, versions_arguments, without_list_fields, word};
use crate::edit::{Edit, EditArgs, Edited, FieldEdit, read_body};
use crate::error::{Exit, Failure, Result};
use crate::input;
use crate::likeness::alike;
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
    edit: EditArgs,
}

/// What is pushed to.
struct Target {
    /// Its name, also if it is not there yet.
    name: String,
    asset: Option<Asset>,
    /// The names of others that are like it.
    alike: Vec<String>,
}

/// What is to become a version.
struct Pushed {
    /// What is sent.
    sent: Value,
    /// The content that the version gets.
    document: Map<String, Value>,
    /// Fields of the file that no version has.
    unknown: Vec<Unknown>,
}

/// A field that no version has.
#[derive(Debug, PartialEq, Eq)]
struct Unknown {
    /// Where it is: names and places in lists, with dots between.
    path: String,
    /// The fields beside it that are like it.
    alike: Vec<String>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (client, kind) = (&session.client, args.kind.kind());
    let file = read(&args.file)?;
    let target = find(session, kind, args.name.trim()).await?;
    let latest = match &target.asset {
        Some(asset) => assets::try_content(client, kind, asset, None).await?,
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
    if kind == AssetKind::ContextGraph && !edit.fields.is_empty() {
        check_on_server(client, target.asset.as_ref(), &pushed.sent).await?;
    }
    edit.carry_out(session, &args.edit, async || {
        send(session, kind, &target, &pushed.sent, (version, &edit)).await
    })
    .await
}

/// Says what stands against making something new: a name that was mistyped is one of nothing, too.
fn about_creation(kind: AssetKind, target: &Target, is_wanted: bool, edit: &mut Edit) {
    let alike: Vec<String> = target.alike.iter().map(|name| format!("`{name}`")).collect();
    if !is_wanted {
        let hint = if alike.is_empty() {
            "`--create` makes it".to_owned()
        } else {
            format!("did you mean {}? `--create` makes a new one", alike.join(" or "))
        };
        edit.blockers.push(Finding {
            code: "not_there".to_owned(),
            message: format!("there is no {kind} `{}`", target.name),
            hint: Some(hint),
        });
    } else if !alike.is_empty() {
        edit.warnings.push(Finding {
            code: "similar_name".to_owned(),
            message: format!("there is {} already, called nearly the same", alike.join(" and ")),
            hint: None,
        });
    }
}

/// Lets the server check what only it knows: its tools, and the other graphs that this one refers to.
async fn check_on_server(client: &Client, asset: Option<&Asset>, document: &Value) -> Result<()> {
    let id = match asset {
        Some(asset) => asset.id.clone(),
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
    match client.check_context_graph_version(&id, document).await {
        // Who may add no version to the other graph may add one to the new graph all the same.
        Err(ClientError::Forbidden(_)) if asset.is_none() => Ok(()),
        checked => Ok(checked?),
    }
}

/// Finds what is pushed to.
async fn find(session: &Session, kind: AssetKind, wanted: &str) -> Result<Target> {
    let all = session.client.assets(kind, &[]).all().await?.value;
    if let Some(asset) = assets::choose(&all, wanted) {
        return Ok(Target {
            name: asset.name.clone(),
            asset: Some(asset.clone()),
            alike: Vec::new(),
        });
    }
    if wanted.parse::<AgentId>().is_ok() {
        // Nobody means to create something that is called like an id.
        return Err(assets::unknown(&all, kind, wanted));
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

/// Checks a document by the contract and by the rules, as far as they need nothing of the server.
fn checked(
    kind: AssetKind,
    mut file: Map<String, Value>,
    latest: Option<&Content>,
) -> std::result::Result<Pushed, Vec<String>> {
    without_list_fields(&mut file);
    let operation = match kind {
        AssetKind::Agent => "create-agent-version",
        AssetKind::ContextGraph => "create-service-hierarchical-state-machine-version",
    };
    let body = read_body(operation, Value::Object(file))?;
    let content = match kind {
        AssetKind::Agent => agent_content(&body, latest)?,
        AssetKind::ContextGraph => graph_content(&body)?,
    };
    let (Value::Object(document), Value::Object(mut sent)) = (content, body) else {
        return Err(vec!["it is no JSON object".to_owned()]);
    };
    let mut unknown = Vec::new();
    unknown_in(&sent, &document, "", &mut unknown);
    sent.retain(|name, _| document.contains_key(name));
    if sent.is_empty() {
        let fields: Vec<String> = unknown.iter().map(|field| format!("`{}`", field.path)).collect();
        return Err(vec![match fields.as_slice() {
            [] => "it has no field".to_owned(),
            fields => format!("a version has none of its fields: {}", fields.join(", ")),
        }]);
    }
    Ok(Pushed {
        sent: Value::Object(sent),
        document,
        unknown,
    })
}

/// Adds the fields of an object that are not among what is kept of it.
fn unknown_in(sent: &Map<String, Value>, kept: &Map<String, Value>, path: &str, unknown: &mut Vec<Unknown>) {
    for (name, value) in sent {
        let path = format!("{path}{name}");
        match kept.get(name) {
            Some(kept) => unknown_within(value, kept, &path, unknown),
            None => unknown.push(Unknown {
                path,
                alike: alike(name, kept.keys().map(String::as_str))
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            }),
        }
    }
}

fn unknown_within(sent: &Value, kept: &Value, path: &str, unknown: &mut Vec<Unknown>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => unknown_in(sent, kept, &format!("{path}."), unknown),
        (Value::Array(sent), Value::Array(kept)) => {
            for (index, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                unknown_within(sent, kept, &format!("{path}.{index}"), unknown);
            }
        }
        _ => {}
    }
}

fn agent_content(body: &Value, latest: Option<&Content>) -> std::result::Result<Value, Vec<String>> {
    let text = |error: serde_json::Error| vec![error.to_string()];
    let change: AgentChange = serde_json::from_value(body.clone()).map_err(text)?;
    let latest = latest.map(|latest| serde_json::from_value(Value::Object(latest.document.clone())));
    let document = change.apply(latest.transpose().map_err(text)?);
    Ok(json!(document.map_err(|error| vec![error.to_string()])?))
}

fn graph_content(body: &Value) -> std::result::Result<Value, Vec<String>> {
    let graph: ContextGraphDocument =
        serde_json::from_value(body.clone()).map_err(|error| vec![error.to_string()])?;
    let faults = rules::check(&graph);
    if faults.is_empty() {
        return Ok(json!(graph));
    }
    Err(faults.iter().map(Fault::to_string).collect())
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
    Target { name, asset, .. }: &Target,
    latest: Option<Content>,
    pushed: &Pushed,
) -> Result<Edit> {
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
            edit.differences = found.rows;
            !edit.differences.is_empty()
        }
        None => true,
    };
    if asset.is_none() {
        edit.fields.push(FieldEdit::new("name", Value::Null, json!(name)));
    }
    if has_changed {
        edit.fields
            .push(FieldEdit::new("version", json!(before), json!(version)));
    }
    // What was to change something would not be among what is sent.
    edit.blockers.extend(pushed.unknown.iter().map(unknown_field));
    if asset.as_ref().is_some_and(|asset| asset.deprecated) && has_changed {
        edit.warnings.push(Finding {
            code: "deprecated".to_owned(),
            message: format!("{kind} `{name}` is deprecated"),
            hint: None,
        });
    }
    Ok(edit)
}

fn unknown_field(Unknown { path, alike }: &Unknown) -> Finding {
    let alike: Vec<String> = alike.iter().map(|name| format!("`{name}`")).collect();
    Finding {
        code: "unknown_field".to_owned(),
        message: format!("a version has no field `{path}`"),
        hint: Some(match alike.as_slice() {
            [] => "leave it out".to_owned(),
            alike => format!("did you mean {}?", alike.join(" or ")),
        }),
    }
}

async fn send(
    session: &Session,
    kind: AssetKind,
    Target { name, asset, .. }: &Target,
    document: &Value,
    (version, edit): (i64, &Edit),
) -> Result<Edited> {
    let client = &session.client;
    let id = match asset {
        Some(asset) => asset.id.clone(),
        None => client
            .create_asset(kind, name)
            .await
            .map_err(|error| edit.refused(error))?,
    };
    let created = client.create_asset_version(kind, &id, document, version).await;
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
    Ok(Edited {
        text: format!("done: {kind} `{name}` has version {}", created.value.version),
        json: Some(created.json),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_no_version_has_are_found_wherever_they_are() {
        let found = |sent: Value, kept: Value| {
            let mut unknown = Vec::new();
            unknown_within(&sent, &kept, "file", &mut unknown);
            let text = |field: &Unknown| format!("{} {}", field.path, field.alike.join(","));
            unknown.iter().map(text).collect::<Vec<_>>()
        };
        let kept = json!({"identity": {"name": "Mira", "role": null}, "states": {"a": {"actions": [{"type": "x"}]}}});
        assert!(found(kept.clone(), kept.clone()).is_empty());
        assert!(found(json!({"identity": {"name": " Mira "}}), kept.clone()).is_empty());
        let sent =
            json!({"identity": {"nmae": "Mira"}, "states": {"a": {"actions": [{"typo": 1}]}}, "x": {"y": 1}});
        let expected = [
            "file.identity.nmae name",
            "file.states.a.actions.0.typo type",
            "file.x ",
        ];
        assert_eq!(found(sent, kept), expected);
    }

    #[test]
    fn the_examples_have_no_field_that_no_version_has() {
        let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        for (kind, text) in [
            (
                AssetKind::Agent,
                include_str!("../../../../../examples/agent/v1.json"),
            ),
            (
                AssetKind::ContextGraph,
                include_str!("../../../../../examples/context_graph/v1.json"),
            ),
        ] {
            let pushed = checked(kind, read(text), None).unwrap();
            assert_eq!(pushed.unknown, []);
        }
    }
}
