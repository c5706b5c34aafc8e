//! `forge asset diff`

use forge_client::diff::{ContextGraphDiff, DocumentDiff};
use forge_domain::agent::AgentDocument;
use forge_domain::asset::AssetKind;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::diff::{compare_agents, compare_context_graphs};
use serde::de::DeserializeOwned;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use crate::assets::{self, KindArg, VersionRef};
use crate::error::{Exit, Failure, Result};
use crate::session::Session;
use crate::ui::diff::{Row, agent_rows, graph_rows, show};

/// Show what differs between two versions of an agent or a context graph.
///
/// Tells the lines of texts that differ, and of a graph the states, transitions and tools.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge asset diff agent Mira @1 @2\n  forge asset diff context-graph Appointments @2 @latest --json\n\n\
    In a pipe, each line has: part, what happened (`changed`, `added`, `removed`, `unreachable`, or `same` for lines around \
    others), name, and what was before and what is after."
)]
pub(crate) struct Args {
    /// `agent` or `context-graph`.
    #[arg(value_enum)]
    kind: KindArg,
    /// Name or id.
    name: String,
    /// The version to compare to.
    #[arg(value_name = "@N")]
    base: VersionRef,
    /// The other version.
    #[arg(value_name = "@M")]
    head: VersionRef,
    /// Exit with 1 if anything differs, as in git.
    #[arg(long)]
    exit_code: bool,
}

/// In what two documents differ.
pub(super) struct Differences {
    /// As the API tells it for sets.
    pub(super) json: Value,
    pub(super) rows: Vec<Row>,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (ui, client, kind) = (&session.ui, &session.client, args.kind.kind());
    let asset = assets::find(client, kind, &args.name).await?;
    let base = assets::find_content(client, &asset, args.base.0).await?;
    let head = assets::find_content(client, &asset, args.head.0).await?;
    let found = compare(kind, base.document, head.document)?;
    if ui.json {
        let json = to_raw_value(&found.json)?;
        ui.document(&json)?;
    } else {
        show(ui, &found.rows)?;
    }
    if found.rows.is_empty() {
        ui.note(&format!(
            "versions {} and {} of {kind} `{}` have the same content",
            base.version.version, head.version.version, asset.name
        ));
        return Ok(Exit::Ok);
    }
    Ok(if args.exit_code { Exit::Failed } else { Exit::Ok })
}

/// Compares two documents of a kind.
pub(super) fn compare(
    kind: AssetKind,
    from: Map<String, Value>,
    to: Map<String, Value>,
) -> Result<Differences> {
    let json = match kind {
        AssetKind::Agent => json!(compare_agents(
            &read::<AgentDocument>(from)?,
            &read::<AgentDocument>(to)?
        )),
        AssetKind::ContextGraph => json!(compare_context_graphs(
            &read::<ContextGraphDocument>(from)?,
            &read::<ContextGraphDocument>(to)?
        )),
    };
    let rows = match kind {
        AssetKind::Agent => agent_rows(&serde_json::from_value::<DocumentDiff>(json.clone())?),
        AssetKind::ContextGraph => graph_rows(&serde_json::from_value::<ContextGraphDiff>(json.clone())?),
    };
    Ok(Differences { json, rows })
}

fn read<T: DeserializeOwned>(document: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(document))
        .map_err(|error| Failure::failed(format!("a version of it cannot be read: {error}")))
}
