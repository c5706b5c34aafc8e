//! What a conversation runs on: the contents of the versions that it started with.

use std::collections::HashMap;
use std::sync::Arc;

use forge_domain::agent::AgentDocument;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::context_graph::rules::{MAX_REACHED, MAX_REACHED_BYTES};
use forge_domain::conversation::GraphVersion;
use forge_domain::model::ModelPreferences;
use forge_domain::{AgentId, OrganizationId, VersionNumber};
use forge_runtime::{AgentVersion, Setup};
use serde::de::DeserializeOwned;

use crate::snapshot::{Documents, Size, VersionKey};
use crate::{App, AppError, assets, reading};

/// Reads what a conversation runs on.
///
/// Versions never change, so that most of it is in memory.
pub(super) async fn load(
    app: &App,
    organization: &OrganizationId,
    agent: (AgentId, VersionNumber),
    graph: GraphVersion,
    models: ModelPreferences,
) -> Result<Setup, AppError> {
    let (id, version) = agent;
    let key = (organization.clone(), id.into(), version);
    let (document, _) = content::<AgentDocument>(app, &app.snapshots.agents, key).await?;
    Ok(Setup {
        agent: AgentVersion {
            id,
            version,
            document,
        },
        graph,
        graphs: graphs(app, organization, graph).await?,
        models,
    })
}

/// Returns a graph and all that it refers to, directly or not.
///
/// Versions from before there was a bound for that may come to more than conversations can run on.
async fn graphs(
    app: &App,
    organization: &OrganizationId,
    outermost: GraphVersion,
) -> Result<HashMap<GraphVersion, Arc<ContextGraphDocument>>, AppError> {
    let mut found = HashMap::new();
    let mut open = vec![outermost];
    let mut bytes = 0;
    while let Some(graph) = open.pop() {
        if found.contains_key(&graph) {
            continue;
        }
        let (id, version) = graph;
        let key = (organization.clone(), id.into(), version);
        let known = &app.snapshots.context_graphs;
        let (document, size) = content::<ContextGraphDocument>(app, known, key).await?;
        bytes += size.text;
        if found.len() > MAX_REACHED || bytes > MAX_REACHED_BYTES {
            return Err(AppError::Refused(format!(
                "version {} of context graph {} comes, with all that it refers to, to more than {MAX_REACHED} other graphs \
                 or {MAX_REACHED_BYTES} bytes; make a version that refers to less",
                outermost.1, outermost.0
            )));
        }
        for (id, version) in document.references.values() {
            let version = VersionNumber::try_from(*version);
            open.push((*id, version.map_err(|error| AppError::Internal(Box::new(error)))?));
        }
        found.insert(graph, document);
    }
    Ok(found)
}

/// Returns the content of a version, and how large it is.
async fn content<T: DeserializeOwned + Send + Sync + 'static>(
    app: &App,
    known: &Documents<T>,
    key: VersionKey,
) -> Result<(Arc<T>, Size), AppError> {
    if let Some(found) = known.find_with_size(&key) {
        return Ok(found);
    }
    let text = assets::version_content(app, key.clone()).await?;
    reading::read(known, key, text).await
}
