//! What a revision of a set pinned, and what that came to mean.

use forge_domain::asset::AssetKind;
use forge_domain::plan::Content;
use forge_domain::revision::RevisionAction;
use forge_domain::version_set::{Binding, ResolvedPins};
use forge_domain::{OrganizationId, ServiceId, SetName};
use forge_store::{Revision, Tx, VersionSet};

use crate::AppError;

/// Returns what a revision of a set pinned: the set's latest if none is named.
///
/// Nothing if there is no such revision, or if it pins nothing because it is a deletion.
pub(crate) async fn content(
    tx: &mut Tx,
    organization: &OrganizationId,
    service_id: ServiceId,
    set: &VersionSet,
    revision: Option<i64>,
    binding: &Binding,
) -> Result<Option<Content>, AppError> {
    let number = revision.unwrap_or(set.revision);
    if number == set.revision {
        // The set says itself what its latest revision does.
        return Ok((!set.is_deleted).then(|| Content {
            revision: number,
            agent_id: set.agent_id,
            context_graph_id: set.context_graph_id,
            resolved: set.pins.resolve(binding),
            pins: set.pins.clone(),
        }));
    }
    let found = tx
        .find_revision(organization, service_id, &set.name, number)
        .await?;
    let Some(found) = found.filter(|found| found.action != RevisionAction::Delete) else {
        return Ok(None);
    };
    let resolved = last_meaning(tx, organization, service_id, &set.name, &found).await?;
    Ok(Some(Content {
        revision: number,
        agent_id: found.agent_id,
        context_graph_id: found.context_graph_id,
        pins: found.pins,
        resolved,
    }))
}

/// Returns the versions that a revision meant when the next one replaced it.
async fn last_meaning(
    tx: &mut Tx,
    organization: &OrganizationId,
    service_id: ServiceId,
    name: &SetName,
    revision: &Revision,
) -> Result<ResolvedPins, AppError> {
    let mut resolved = ResolvedPins {
        agent_version: revision.pins.agent_version,
        context_graph_version: revision.pins.context_graph_version,
    };
    if !revision.pins.is_floating() {
        return Ok(resolved);
    }
    let next = tx
        .find_revision(organization, service_id, name, revision.revision + 1)
        .await?;
    let next = next.ok_or_else(|| AppError::internal("the history of a set has a gap"))?;
    let until = next.change_number - 1;
    if resolved.agent_version.is_none() {
        let id = revision.agent_id.to_string();
        let latest = tx.latest_version_at(organization, AssetKind::Agent, &id, until);
        resolved.agent_version = latest.await?;
    }
    if resolved.context_graph_version.is_none() {
        let id = revision.context_graph_id.to_string();
        let latest = tx.latest_version_at(organization, AssetKind::ContextGraph, &id, until);
        resolved.context_graph_version = latest.await?;
    }
    Ok(resolved)
}
