//! The active dynamic behavior sets of an organization, as a server remembers them: every interaction asks for them.

use std::sync::Arc;

use forge_domain::{BehaviorSetId, OrganizationId, ServiceId};
use forge_runtime::Behavior;
use forge_store::{BehaviorHead, StoreError, Tx};
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

impl From<BehaviorHead> for Active {
    fn from(head: BehaviorHead) -> Self {
        Self {
            seq: head.seq,
            services: head.details.applied_to_services().to_vec(),
            behavior: Behavior {
                id: head.id,
                version: head.version,
                document: Arc::new(head.document),
            },
        }
    }
}

impl Behaviors {
    /// Reads all of them.
    pub(super) async fn load(tx: &mut Tx, organization: &OrganizationId) -> Result<Self, StoreError> {
        let heads = tx.behavior_heads(organization, None).await?.into_iter();
        Ok(Self(heads.map(|head| (head.id, Arc::new(head.into()))).collect()))
    }

    /// Reads one of them again, or forgets it if it is no longer active.
    pub(super) async fn reload(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<(), StoreError> {
        let head = tx.behavior_heads(organization, Some(id)).await?.pop();
        if let Some(head) = head {
            self.0.insert_mut(head.id, Arc::new(head.into()));
        } else if let Ok(id) = id.parse() {
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
