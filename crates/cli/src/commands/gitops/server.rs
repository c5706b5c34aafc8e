//! What is on the server, in the words of the files.

use std::collections::BTreeMap;
use std::time::Duration;

use forge_client::answers::{Pins, Tag};
use forge_client::{Client, ClientError};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::name::is_same;
use forge_domain::{AgentId, ContextGraphId, ServiceId, SetName};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tree::{Asset, Document, Service, ServiceFields, Tree};
use crate::assets::without_list_fields;
use crate::error::{Failure, Result};
use crate::ui::Ui;

/// What is on the server.
#[derive(Debug, Default)]
pub(super) struct ServerState {
    pub(super) agents: BTreeMap<String, ServerAsset>,
    pub(super) context_graphs: BTreeMap<String, ServerAsset>,
    pub(super) services: Vec<ServerService>,
}

/// An agent or a context graph on the server.
#[derive(Debug, Clone)]
pub(super) struct ServerAsset {
    pub(super) id: AssetId,
    pub(super) latest: i64,
    pub(super) is_deprecated: bool,
    /// The contents of its versions, of those that were asked for.
    pub(super) versions: BTreeMap<i64, Document>,
}

/// A service on the server.
#[derive(Debug, Clone)]
pub(super) struct ServerService {
    pub(super) id: ServiceId,
    pub(super) service: Service,
}

impl ServerState {
    pub(super) fn assets(&self, kind: AssetKind) -> &BTreeMap<String, ServerAsset> {
        match kind {
            AssetKind::Agent => &self.agents,
            AssetKind::ContextGraph => &self.context_graphs,
        }
    }

    /// Returns the services that a name can mean: the active one, or all of those that are not.
    pub(super) fn named(&self, name: &str) -> Vec<&ServerService> {
        let named = || {
            self.services
                .iter()
                .filter(|known| known.service.fields.name == name)
        };
        let active = named().find(|known| known.service.fields.is_active);
        active.map_or_else(|| named().collect(), |active| vec![active])
    }

    /// Brings the names of files into the spelling of the server: those that look the same are one name, but an editor
    /// or a file system may have decomposed them.
    pub(super) fn spell(&self, tree: &mut Tree) {
        fn spell<'k>(name: &mut String, mut known: impl Iterator<Item = &'k String>) {
            if let Some(known) = known.find(|known| is_same(known, name)) {
                known.clone_into(name);
            }
        }
        for asset in &mut tree.agents {
            spell(&mut asset.name, self.agents.keys());
        }
        for asset in &mut tree.context_graphs {
            spell(&mut asset.name, self.context_graphs.keys());
        }
        for service in &mut tree.services {
            let fields = &mut service.fields;
            let names = self.services.iter().map(|known| &known.service.fields.name);
            spell(&mut fields.name, names);
            spell(&mut fields.agent, self.agents.keys());
            spell(&mut fields.context_graph, self.context_graphs.keys());
        }
    }

    /// Returns everything as files hold it, with what they cannot hold.
    pub(super) fn into_tree(self) -> (Tree, Vec<String>) {
        let assets = |known: BTreeMap<String, ServerAsset>| {
            let asset = |(name, known): (String, ServerAsset)| Asset {
                name,
                place: String::new(),
                versions: known.versions,
            };
            known.into_iter().map(asset).collect()
        };
        let (mut services, mut left_out) = (Vec::new(), Vec::new());
        for known in &self.services {
            let name = &known.service.fields.name;
            let meant = self.named(name);
            if let [one] = meant.as_slice()
                && one.id == known.id
            {
                services.push(known.service.clone());
            } else {
                left_out.push(format!(
                    "the inactive service {} is called `{name}` like another one",
                    known.id
                ));
            }
        }
        services.sort_by(|a, b| a.fields.name.cmp(&b.fields.name));
        let tree = Tree {
            agents: assets(self.agents),
            context_graphs: assets(self.context_graphs),
            services,
        };
        (tree, left_out)
    }
}

/// How often everything is read until nothing changes meanwhile.
const ATTEMPTS: usize = 5;

/// How long the server may take to say which its latest change is.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for everything as it is at one moment; for the contents of versions only where `wants` says so.
///
/// Lists come in pages, each as it is when it is asked for. A promotion in many services would be seen in half of them.
pub(super) async fn ask(
    ui: &Ui,
    client: &Client,
    wants: impl Fn(AssetKind, &str) -> bool,
) -> Result<ServerState> {
    let mut versions = Versions::default();
    let mut before = latest_change(ui, client).await?;
    let mut attempt = 1;
    loop {
        let known = read(ui, client, &wants, &mut versions).await?;
        if before.is_none() {
            return Ok(known);
        }
        let after = latest_change(ui, client).await?;
        if before == after || after.is_none() {
            return Ok(known);
        }
        if attempt == ATTEMPTS {
            ui.warning(&format!(
                "the organization changed each of {ATTEMPTS} times while it was read, so that what was read may never have been so \
                 all at once; try again when less is changed"
            ));
            return Ok(known);
        }
        before = after;
        attempt += 1;
    }
}

/// Returns the number of the latest change.
///
/// Who may not watch sees no version sets, either. It is told by a stream, which proxies may hold back, and of which a
/// user has so many: without it, everything is read all the same.
async fn latest_change(ui: &Ui, client: &Client) -> Result<Option<i64>> {
    match tokio::time::timeout(PATIENCE, client.latest_change()).await {
        Ok(Err(ClientError::Forbidden(_))) => Ok(None),
        Ok(Err(error)) if !error.can_pass() => Err(error.into()),
        Ok(Ok(Some(number))) => Ok(Some(number)),
        Ok(Err(_) | Ok(None)) | Err(_) => {
            ui.warning(
                "the server does not tell whether something changes while everything is read, so that what was read may never \
                 have been so all at once",
            );
            Ok(None)
        }
    }
}

/// The contents of versions that were read already, by what identifies the agent or the graph.
///
/// They never change.
type Versions = BTreeMap<AssetId, BTreeMap<i64, Document>>;

async fn read(
    ui: &Ui,
    client: &Client,
    wants: impl Fn(AssetKind, &str) -> bool,
    versions: &mut Versions,
) -> Result<ServerState> {
    let mut known = ServerState::default();
    let mut graphs = names(client, AssetKind::ContextGraph).await?;
    let mut agents = names(client, AssetKind::Agent).await?;
    let graph_names = names_of(&graphs)
        .into_iter()
        .map(|(id, name)| (id.to_string(), name))
        .collect();
    for (kind, assets) in [
        (AssetKind::Agent, &mut agents),
        (AssetKind::ContextGraph, &mut graphs),
    ] {
        for (name, asset) in assets.iter_mut().filter(|(name, _)| wants(kind, name)) {
            let read = versions.entry(asset.id).or_default();
            let newest = |read: &BTreeMap<i64, Document>| read.keys().next_back().copied().unwrap_or(0);
            if newest(read) < asset.latest {
                ui.progress(&format!("reading the versions of `{name}`"));
                let page = client.asset_versions(asset.id).all().await?;
                for row in &page.rows {
                    let (version, document) = document(row.get(), &graph_names)?;
                    read.insert(version, document);
                }
            }
            asset.versions = read.clone();
            // A version may have come since the list was made.
            asset.latest = asset.latest.max(newest(read));
        }
    }
    known.agents = agents;
    known.context_graphs = graphs;
    known.services = services(client, &known).await?;
    Ok(known)
}

/// Reads the services, in which agents and context graphs are called as they are known.
pub(super) async fn services(client: &Client, known: &ServerState) -> Result<Vec<ServerService>> {
    let (agents, graphs) = (names_of(&known.agents), names_of(&known.context_graphs));
    let rows = client.services(&[], None).all().await?.rows;
    let services = rows.iter().map(|row| service(row.get(), &agents, &graphs));
    services.collect()
}

/// Returns the names of agents or of context graphs, by id.
fn names_of(assets: &BTreeMap<String, ServerAsset>) -> BTreeMap<AssetId, String> {
    let named = assets.iter().map(|(name, asset)| (asset.id, name.clone()));
    named.collect()
}

async fn names(client: &Client, kind: AssetKind) -> Result<BTreeMap<String, ServerAsset>> {
    let assets = client.assets(kind, &[]).all().await?.value;
    let known = assets.into_iter().map(|asset| {
        let known = ServerAsset {
            id: asset.id,
            latest: asset.latest_version.unwrap_or(0),
            is_deprecated: asset.deprecated,
            versions: BTreeMap::new(),
        };
        (asset.name, known)
    });
    Ok(known.collect())
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!(
        "the server's answer is not what the API documents: {error}"
    ))
}

/// Reads a version: its number and its content, with the names of the graphs that it refers to.
fn document(row: &str, graphs: &BTreeMap<String, String>) -> Result<(i64, Document)> {
    let mut document: Document = serde_json::from_str(row).map_err(unreadable)?;
    let version = document.get("version").and_then(Value::as_i64);
    let version = version.ok_or_else(|| unreadable("a version has no number"))?;
    without_list_fields(&mut document);
    rename_references(&mut document, graphs);
    Ok((version, document))
}

/// Replaces what identifies the graphs that a document refers to, where it is known.
pub(super) fn rename_references(document: &mut Document, names: &BTreeMap<String, String>) {
    let references = document.get_mut("references").and_then(Value::as_object_mut);
    for (_, reference) in references.into_iter().flatten() {
        let name = reference
            .get(0)
            .and_then(Value::as_str)
            .and_then(|id| names.get(id));
        if let Some(name) = name {
            reference[0] = json!(name);
        }
    }
}

#[derive(Deserialize)]
struct Row {
    id: ServiceId,
    name: String,
    #[serde(default)]
    description: String,
    is_active: bool,
    agent_id: AgentId,
    #[serde(rename = "service_hierarchical_state_machine_id")]
    context_graph_id: ContextGraphId,
    #[serde(default)]
    keyterms: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    version_sets: IndexMap<SetName, Pins>,
}

fn service(
    row: &str,
    agents: &BTreeMap<AssetId, String>,
    graphs: &BTreeMap<AssetId, String>,
) -> Result<ServerService> {
    let row: Row = serde_json::from_str(row).map_err(unreadable)?;
    // Who may not list an agent sees its id instead of its name.
    let name = |names: &BTreeMap<AssetId, String>, id: AssetId| {
        names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    };
    let mut version_sets: BTreeMap<SetName, Pins> = row.version_sets.into_iter().collect();
    version_sets.remove(&SetName::edge());
    let service = Service {
        place: String::new(),
        fields: ServiceFields {
            agent: name(agents, row.agent_id.into()),
            context_graph: name(graphs, row.context_graph_id.into()),
            name: row.name,
            description: row.description,
            is_active: row.is_active,
            keyterms: row.keyterms,
            tags: row.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        },
        version_sets,
    };
    Ok(ServerService { id: row.id, service })
}
