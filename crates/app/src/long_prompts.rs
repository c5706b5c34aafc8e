//! Whether what an agent's models are told fits into prompts at all.

use std::sync::Arc;

use forge_domain::agent::AgentDocument;
use forge_domain::asset::AssetKind;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::prompt::LongPrompt;
use forge_domain::service::Service;
use forge_domain::version_set::Resolved;
use forge_domain::{OrganizationId, VersionNumber};
use forge_store::Tx;
use serde::de::DeserializeOwned;

use crate::memory::Documents;
use crate::{App, AppError, aside};

/// Returns the prompt that does not fit, if versions of a service's agent and context graph have one. Contents are read only
/// if they are long enough for that: at most two, none of which is longer than a request may be.
pub(crate) async fn find(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    service: &Service,
    resolved: Resolved,
) -> Result<Option<LongPrompt>, AppError> {
    let (Some(agent), Some(graph)) = (resolved.agent_version, resolved.context_graph_version) else {
        return Ok(None);
    };
    let agent = (AssetKind::Agent, service.agent_id.to_string(), agent);
    let graph = (
        AssetKind::ContextGraph,
        service.context_graph_id.to_string(),
        graph,
    );
    let mut bytes = 0;
    for (kind, id, version) in [&agent, &graph] {
        let found = tx.version_bytes(organization, *kind, id, *version).await?;
        bytes += usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX / 2);
    }
    if !app.runtime.may_have_long_prompt(bytes) {
        return Ok(None);
    }
    let agent = content::<AgentDocument>(tx, organization, &app.memory.agents, agent).await?;
    let graph = content::<ContextGraphDocument>(tx, organization, &app.memory.context_graphs, graph).await?;
    Ok(match (agent, graph) {
        (Some(agent), Some(graph)) => {
            let runtime = Arc::clone(&app.runtime);
            aside::run_first(bytes, move || runtime.long_prompt(&agent, &graph)).await
        }
        _ => None,
    })
}

/// Returns the content of a version, which may be in memory; nothing if there is no such version.
async fn content<T: DeserializeOwned + Send + Sync + 'static>(
    tx: &mut Tx,
    organization: &OrganizationId,
    known: &Documents<Arc<T>>,
    (kind, id, version): (AssetKind, String, VersionNumber),
) -> Result<Option<Arc<T>>, AppError> {
    let key = (organization.clone(), kind, id, version);
    if let Some(found) = known.find(&key) {
        return Ok(Some(found));
    }
    let Some(found) = tx.find_version(organization, kind, &key.2, version).await? else {
        return Ok(None);
    };
    let bytes = found.document.get().len();
    // Whoever plans a change keeps others from writing meanwhile.
    let document = aside::run_first(bytes, move || serde_json::from_str(found.document.get())).await;
    let document = Arc::new(document.map_err(|error| AppError::Internal(Box::new(error)))?);
    known.keep(key, &document, bytes);
    Ok(Some(document))
}
