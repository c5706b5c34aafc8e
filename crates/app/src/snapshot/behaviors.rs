//! The active dynamic behavior sets of an organization, as a server remembers them: every interaction asks for them.

use std::sync::Arc;

use forge_domain::{BehaviorSetId, OrganizationId, ServiceId};
use forge_runtime::Behavior;
use forge_store::{BehaviorSummary, StoreError, Tx};
use rpds::HashTrieMapSync;

/// The active sets, each with its latest version.
#[derive(Debug, Clone, Default)]
pub(super) struct Behaviors(HashTrieMapSync<BehaviorSetId, Arc<Active>>);

#[derive(Debug, Clone)]
struct Active {
    seq: i64,
    services: Vec<ServiceId>,
    behavior: Behavior,
}

impl From<BehaviorSummary> for Active {
    fn from(summary: BehaviorSummary) -> Self {
        Self {
            seq: summary.seq,
            services: summary.details.applied_to_services,
            behavior: Behavior {
                id: summary.id,
                version: summary.version,
                document: Arc::new(summary.document),
            },
        }
    }
}

impl Behaviors {
    /// Reads all of them.
    pub(super) async fn load(tx: &mut Tx, organization: &OrganizationId) -> Result<Self, StoreError> {
        let summaries = tx.behavior_summaries(organization, None).await?.into_iter();
        Ok(Self(
            summaries
                .map(|summary| (summary.id, Arc::new(summary.into())))
                .collect(),
        ))
    }

    /// Reads one of them again, or forgets it if it is no longer active.
    pub(super) async fn reload(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        id: BehaviorSetId,
    ) -> Result<(), StoreError> {
        let summary = tx.behavior_summaries(organization, Some(id)).await?.pop();
        if let Some(summary) = summary {
            self.0.insert_mut(summary.id, Arc::new(summary.into()));
        } else {
            self.0.remove_mut(&id);
        }
        Ok(())
    }

    /// Returns those that are applied to a service, in order of creation.
    pub(super) fn for_service(&self, service: ServiceId) -> Vec<Behavior> {
        let applied = self.0.values().filter(|set| set.services.contains(&service));
        let mut applied: Vec<&Arc<Active>> = applied.collect();
        applied.sort_unstable_by_key(|set| set.seq);
        applied.into_iter().map(|set| set.behavior.clone()).collect()
    }
}
