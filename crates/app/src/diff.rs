//! In what two sets of a service, or two revisions, differ.

use forge_domain::access::Permission;
use forge_domain::agent::AgentDocument;
use forge_domain::asset::AssetKind;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::diff::{SetDiff, SetOrRevision, Side, compare_sets};
use forge_domain::plan::Content;
use forge_domain::service::Service;
use forge_domain::version_set::Binding;
use forge_domain::{ServiceId, SetName, VersionNumber};
use forge_store::Tx;
use serde::de::DeserializeOwned;

use crate::promotion::content;
use crate::services::lookup::{find, find_binding};
use crate::version_sets::{set_attributes, unknown};
use crate::{App, AppError, Caller, assets};

/// One of the two things compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The set.
    pub name: SetName,
    /// What its revision pins, and what that means: now if it is the set's latest, else when it was replaced.
    pub content: Content,
}

impl Compared {
    fn side(&self) -> Side<'_> {
        Side {
            agent_id: self.content.agent_id,
            context_graph_id: self.content.context_graph_id,
            resolved: self.content.resolved,
            model_preferences: &self.content.pins.model_preferences,
        }
    }

    fn agent(&self) -> (String, Option<VersionNumber>) {
        (
            self.content.agent_id.to_string(),
            self.content.resolved.agent_version,
        )
    }

    fn context_graph(&self) -> (String, Option<VersionNumber>) {
        (
            self.content.context_graph_id.to_string(),
            self.content.resolved.context_graph_version,
        )
    }
}

/// Two sets or revisions, and in what they differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub base: Compared,
    /// What it is compared with.
    pub head: Compared,
    /// In what the head differs from the base.
    pub diff: SetDiff,
}

/// Compares two sets of a service, or two revisions, also of a set that was deleted.
///
/// The caller must be allowed to read both sets, and the agents and context graphs of both, whether their contents differ
/// or not: what is answered must not depend on what is in there.
pub async fn compare(
    app: &App,
    caller: &Caller,
    service_id: ServiceId,
    base: &SetOrRevision,
    head: &SetOrRevision,
) -> Result<Comparison, AppError> {
    caller.authorize_some(Permission::GetVersionSet)?;
    let mut tx = app.store.read().await?;
    let service = find(&mut tx, caller, service_id).await?;
    for name in [&base.name, &head.name] {
        caller.authorize(Permission::GetVersionSet, &set_attributes(&service, name))?;
    }
    let binding = find_binding(&mut tx, caller, &service).await?;
    let base = look_up(&mut tx, caller, &service, base, &binding).await?;
    let head = look_up(&mut tx, caller, &service, head, &binding).await?;
    let agents = [base.agent(), head.agent()];
    let context_graphs = [base.context_graph(), head.context_graph()];
    for (kind, pair) in [
        (AssetKind::Agent, &agents),
        (AssetKind::ContextGraph, &context_graphs),
    ] {
        for (id, _) in pair {
            assets::authorize_read(&mut tx, caller, kind, id).await?;
        }
    }
    let agents = documents::<AgentDocument>(&mut tx, caller, AssetKind::Agent, agents).await?;
    let context_graphs =
        documents::<ContextGraphDocument>(&mut tx, caller, AssetKind::ContextGraph, context_graphs).await?;
    drop(tx);
    let diff = compare_sets(
        &base.side(),
        &head.side(),
        agents.as_ref().map(|(from, to)| (from, to)),
        context_graphs.as_ref().map(|(from, to)| (from, to)),
    );
    Ok(Comparison { base, head, diff })
}

async fn look_up(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    wanted: &SetOrRevision,
    binding: &Binding,
) -> Result<Compared, AppError> {
    let (organization, name) = (&caller.organization, &wanted.name);
    let set = tx.find_set(organization, service.id, name).await?;
    let set = set.ok_or_else(|| unknown(name.as_str()))?;
    if set.is_deleted && wanted.revision.is_none() {
        let last = set.revision - 1;
        let text = format!("version set `{name}` was deleted; what it pinned last is `{name}@{last}`");
        return Err(AppError::NotFound(text));
    }
    let found = content(tx, organization, service.id, &set, wanted.revision, binding).await?;
    let content = found.ok_or_else(|| {
        let latest = set.revision;
        AppError::NotFound(format!(
            "`{wanted}` pins nothing: there is no such revision, or it is a deletion; the latest is {latest}"
        ))
    })?;
    Ok(Compared {
        name: name.clone(),
        content,
    })
}

/// Returns the contents of two versions; nothing if they are the same version.
async fn documents<T: DeserializeOwned>(
    tx: &mut Tx,
    caller: &Caller,
    kind: AssetKind,
    [base, head]: [(String, Option<VersionNumber>); 2],
) -> Result<Option<(T, T)>, AppError> {
    if base == head {
        return Ok(None);
    }
    Ok(Some((
        document(tx, caller, kind, &base).await?,
        document(tx, caller, kind, &head).await?,
    )))
}

async fn document<T: DeserializeOwned>(
    tx: &mut Tx,
    caller: &Caller,
    kind: AssetKind,
    (id, version): &(String, Option<VersionNumber>),
) -> Result<T, AppError> {
    let version = version.ok_or_else(|| AppError::internal(format!("{kind} {id} has no versions")))?;
    let found = tx
        .find_version(&caller.organization, kind, id, version)
        .await?
        .ok_or_else(|| AppError::internal(format!("version {version} of {kind} {id} is missing")))?;
    serde_json::from_str(found.document.get()).map_err(|error| AppError::Internal(Box::new(error)))
}
