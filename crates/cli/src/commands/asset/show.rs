//! `forge asset show`

use forge_domain::asset::AssetKind;
use forge_domain::context_graph::ContextGraphDocument;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::picture::picture;
use super::versions::{places, yanked};
use crate::assets::{self, AssetRef, Content, KindArg};
use crate::error::{Exit, Failure, Result};
use crate::session::Session;
use crate::ui::Ui;
use crate::ui::values::text;

/// Show a version of an agent or a context graph, the newest if none is named.
///
/// Of a context graph, tells its states and the ways between them. `▶` is a state where conversations begin, `■` the one
/// where they end, and `✗` one that none can come to.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset show agent Mira@2\n  forge asset show agent Mira@2 --json > mira.json\n  \
    forge asset show context-graph Appointments\n\n\
    JSON is the document alone, as `forge asset push` takes it. In a pipe, the lines of an agent have a name and a value; those \
    of a context graph after that `state`, name, type and `begin`, `end` or `unreachable`, or `transition`, from, to and the \
    condition."
)]
pub(crate) struct Args {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name or id, and a version.
    #[arg(value_name = "NAME[@VERSION]")]
    asset: AssetRef,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client, kind) = (&session.ui, &session.client, args.kind.kind());
    let (asset, version) = assets::find_ref(client, kind, &args.asset).await?;
    let version = version.and_then(|version| version.0);
    let content = assets::find_content(client, &asset, version).await?;
    if ui.json {
        let json = to_raw_value(&content.document)?;
        ui.document(&json)?;
        return Ok(Exit::Ok);
    }
    let number = content.version.version;
    let references = client.references(asset.id, number).all().await?.value;
    let mut rows = head(ui, kind, &asset.name, &content);
    if !references.is_empty() {
        rows.push(["runs in".to_owned(), places(&references, "; ")]);
    }
    let graph = match kind {
        AssetKind::Agent => {
            flatten("", &content.document, &mut rows);
            None
        }
        AssetKind::ContextGraph => {
            let mut rest = content.document.clone();
            rest.shift_remove("states");
            flatten("", &rest, &mut rows);
            let graph: ContextGraphDocument = serde_json::from_value(Value::Object(content.document))
                .map_err(|error| Failure::failed(format!("the document is no context graph: {error}")))?;
            Some(graph)
        }
    };
    let named = |[name, value]: &[String; 2], from, to| [name.replace(from, to), value.clone()];
    ui.rows(
        &rows,
        ["", ""],
        |row| named(row, '_', " "),
        |row| named(row, ' ', "_"),
    )?;
    match graph {
        Some(graph) => show_graph(ui, &graph),
        None => Ok(Exit::Ok),
    }
}

fn head(ui: &Ui, kind: AssetKind, name: &str, content: &Content) -> Vec<[String; 2]> {
    let version = &content.version;
    let mut rows = vec![
        [kind.to_string(), name.to_owned()],
        ["version".to_owned(), version.version.to_string()],
        ["created at".to_owned(), ui.time(&version.created_at)],
        ["created by".to_owned(), version.creator.user_id.clone()],
    ];
    if version.yanked.is_some() {
        rows.push(["state".to_owned(), yanked(version)]);
    }
    rows
}

/// Creates a row of each text and number, of each item of a list one of its own.
fn flatten(place: &str, fields: &Map<String, Value>, rows: &mut Vec<[String; 2]>) {
    for (name, value) in fields {
        let name = format!("{place}{name}");
        match value {
            Value::Object(inner) => flatten(&format!("{name}."), inner, rows),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                rows.extend(items.iter().map(|item| [name.clone(), text(item)]));
            }
            other => rows.push([name, text(other)]),
        }
    }
}

fn show_graph(ui: &Ui, graph: &ContextGraphDocument) -> Result<Exit> {
    let lines = picture(graph);
    if ui.is_terminal() {
        crate::output::line("")?;
    }
    ui.rows(
        &lines,
        ["", ""],
        |line| [line.drawn.clone(), line.remark.clone()],
        |line| line.fields.clone(),
    )?;
    Ok(Exit::Ok)
}
