//! What a revision of a set pinned, and what that came to mean.

use forge_domain::plan::PinnedRevision;
use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::version_set::{Binding, ResolvedPins, VersionSet};
use forge_domain::{OrganizationId, ServiceId};
use forge_store::Tx;

use crate::AppError;

/// Where revisions of sets are looked up.
#[derive(Clone, Copy)]
pub(crate) struct Revisions<'a> {
    pub(crate) organization: &'a OrganizationId,
    /// The service of the sets.
    pub(crate) service: ServiceId,
    /// The service's agent and context graph as they are now.
    pub(crate) binding: &'a Binding,
}

impl Revisions<'_> {
    /// Returns what a revision of a set pinned: the set's latest if none is named.
    ///
    /// Returns `None` if there is no such revision, or if it pins nothing because it is a deletion.
    pub(crate) async fn load(
        self,
        tx: &mut Tx,
        set: &VersionSet,
        number: Option<i64>,
    ) -> Result<Option<PinnedRevision>, AppError> {
        let number = number.unwrap_or(set.revision);
        if number == set.revision {
            // The set says itself what its latest revision does.
            return Ok((!set.is_deleted).then(|| PinnedRevision {
                revision: number,
                agent_id: set.agent_id,
                context_graph_id: set.context_graph_id,
                resolved: set.pins.resolve(self.binding),
                pins: set.pins.clone(),
            }));
        }
        let (organization, service) = (self.organization, self.service);
        let found = tx.find_revision(organization, service, &set.name, number).await?;
        let Some(found) = found.filter(|found| found.action != RevisionAction::Delete) else {
            return Ok(None);
        };
        let resolved = self.last_meaning(tx, &found).await?;
        Ok(Some(pinned(found, resolved)))
    }

    /// Returns the versions that a revision meant when the next one replaced it.
    async fn last_meaning(self, tx: &mut Tx, revision: &Revision) -> Result<ResolvedPins, AppError> {
        let (name, next) = (&revision.name, revision.revision + 1);
        if !revision.pins.is_floating() {
            return resolve_as_of(tx, self.organization, revision, revision.change_number).await;
        }
        let next = tx
            .find_revision(self.organization, self.service, name, next)
            .await?;
        let next = next.ok_or_else(|| AppError::internal("the history of a set has a gap"))?;
        resolve_as_of(tx, self.organization, revision, next.change_number - 1).await
    }
}

/// Returns what a revision pinned, once it is known what that meant.
pub(crate) fn pinned(revision: Revision, resolved: ResolvedPins) -> PinnedRevision {
    PinnedRevision {
        revision: revision.revision,
        agent_id: revision.agent_id,
        context_graph_id: revision.context_graph_id,
        pins: revision.pins,
        resolved,
    }
}

/// Returns the versions that the pins of a revision meant after a change of the organization: what floats meant the
/// versions that were the latest then.
pub(crate) async fn resolve_as_of(
    tx: &mut Tx,
    organization: &OrganizationId,
    revision: &Revision,
    change_number: i64,
) -> Result<ResolvedPins, AppError> {
    let mut resolved = ResolvedPins {
        agent_version: revision.pins.agent_version,
        context_graph_version: revision.pins.context_graph_version,
    };
    if resolved.agent_version.is_none() {
        let latest = tx.latest_version_at(organization, revision.agent_id.into(), change_number);
        resolved.agent_version = latest.await?;
    }
    if resolved.context_graph_version.is_none() {
        let latest = tx.latest_version_at(organization, revision.context_graph_id.into(), change_number);
        resolved.context_graph_version = latest.await?;
    }
    Ok(resolved)
}
