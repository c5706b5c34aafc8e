//! An organization as a server remembers it, and how it is brought up to date.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use forge_domain::api_key::ApiKeyId;
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::audit::ObjectKind;
use forge_domain::organization::Organization;
use forge_domain::{
    AgentId, BehaviorSetId, ContextGraphId, OrganizationId, ServiceId, Timestamp, VersionNumber,
};
use forge_store::{
    AssetSummary, AuditedChange, ChainHead, OrganizationSummary, ServiceSummary, SetSummary, StoreError, Tx,
};
use rpds::HashTrieMapSync;

use super::access::Access;
use super::behaviors::Behaviors;
use super::service::{LatestVersions, ServiceState};

/// After so many events it is cheaper to read everything anew.
const MAX_EVENTS: usize = 5_000;

/// An organization after one of its changes.
///
/// Never changed: the next change makes another one, which shares with this one what stayed the same.
#[derive(Debug, Clone)]
pub(crate) struct OrganizationState {
    pub(crate) organization: Organization,
    /// The same one for as long as nothing changes in it.
    pub(crate) access: Arc<Access>,
    assets: HashTrieMapSync<AssetId, Arc<AssetSummary>>,
    services: HashTrieMapSync<ServiceId, Arc<ServiceState>>,
    behaviors: Behaviors,
    /// The number and the hash of the last event of its log: what comes after this state has it in its history.
    last_event: ChainHead,
}

/// What became of an organization since a state of it.
pub(crate) enum Advance {
    Advanced(Box<Advanced>),
    /// The database tells of another history: it was replaced, or has gone back and on from there.
    Diverged,
    /// It was deleted.
    Gone,
}

/// A state, and what has changed since the one before it.
pub(crate) struct Advanced {
    pub(crate) state: OrganizationState,
    /// Every event since, oldest first, or `None` if that is not known.
    pub(crate) events: Option<Vec<AuditedChange>>,
}

impl OrganizationState {
    /// Reads everything, or `None` if there is no such organization.
    pub(crate) async fn load(
        tx: &mut Tx,
        id: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let Some(organization) = tx.find_organization(id).await? else {
            return Ok(None);
        };
        let mut state = Self {
            access: Arc::new(Access::load(tx, id, now).await?),
            assets: HashTrieMapSync::default(),
            services: HashTrieMapSync::default(),
            behaviors: Behaviors::load(tx, id).await?,
            last_event: tx.audit_head(id).await?,
            organization,
        };
        for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
            for asset in tx.asset_summaries(id, kind).await? {
                state.assets.insert_mut(asset.id, Arc::new(asset));
            }
        }
        let mut sets: HashMap<ServiceId, Vec<SetSummary>> = HashMap::new();
        for set in tx.set_summaries(id, None).await? {
            sets.entry(set.service_id).or_default().push(set);
        }
        for service in tx.service_summaries(id, None).await? {
            let sets = sets.remove(&service.id).unwrap_or_default();
            state.put_service(service, sets);
        }
        Ok(Some(state))
    }

    /// Returns the organization's state after everything that has changed since.
    pub(crate) async fn advance(&self, tx: &mut Tx, now: Timestamp) -> Result<Advance, StoreError> {
        let id = &self.organization.id;
        let Some(organization) = tx.find_organization(id).await? else {
            return Ok(Advance::Gone);
        };
        let Some(last_event) = tx.audit_head_after(id, &self.last_event).await? else {
            return Ok(Advance::Diverged);
        };
        let limit = i64::try_from(MAX_EVENTS).unwrap_or(i64::MAX);
        let events = tx.list_changes(id, self.change_number(), limit).await?;
        let from = self.change_number();
        if !tells_every_change(&events, from, organization.change_number) {
            let state = Self::load(tx, id, now).await?;
            return Ok(state.map_or(Advance::Gone, |state| {
                Advance::Advanced(Box::new(Advanced { state, events: None }))
            }));
        }
        let mut state = self.clone();
        state.organization = organization;
        state.last_event = last_event;
        let invalidation: BTreeSet<Invalidation> = events.iter().filter_map(Invalidation::by).collect();
        for invalidation in invalidation {
            state.reload(tx, invalidation, now).await?;
        }
        Ok(Advance::Advanced(Box::new(Advanced {
            state,
            events: Some(events),
        })))
    }

    /// Returns `true` if the database, as it was found to be, has this state in its history, as far as that can be told
    /// without reading the history.
    pub(crate) fn may_lead_to(&self, summary: &OrganizationSummary) -> bool {
        match summary.change_number.cmp(&self.change_number()) {
            Ordering::Less => false,
            Ordering::Equal => summary.hash == self.last_event.hash,
            Ordering::Greater => true,
        }
    }

    /// Returns the number of the change after which the organization is like this.
    pub(crate) fn change_number(&self) -> i64 {
        self.organization.change_number
    }

    /// Returns a service.
    pub(crate) fn service(&self, id: ServiceId) -> Option<&Arc<ServiceState>> {
        self.services.get(&id)
    }

    /// Returns the behavior sets that may apply in conversations of a service, in order of creation.
    pub(crate) fn behaviors_for(&self, service: ServiceId) -> Vec<forge_runtime::Behavior> {
        self.behaviors.for_service(service)
    }

    /// Returns an agent or a context graph.
    pub(crate) fn asset(&self, id: AssetId) -> Option<&AssetSummary> {
        self.assets.get(&id).map(Arc::as_ref)
    }

    fn latest(&self, id: AssetId) -> Option<VersionNumber> {
        self.asset(id).and_then(|asset| asset.latest)
    }

    fn latest_versions(&self, agent_id: AgentId, context_graph_id: ContextGraphId) -> LatestVersions {
        LatestVersions {
            agent: self.latest(agent_id.into()),
            context_graph: self.latest(context_graph_id.into()),
        }
    }

    fn put_service(&mut self, service: ServiceSummary, sets: Vec<SetSummary>) {
        let latest = self.latest_versions(service.agent_id, service.context_graph_id);
        let id = service.id;
        self.services
            .insert_mut(id, Arc::new(ServiceState::new(service, sets, latest)));
    }

    fn access_mut(&mut self) -> &mut Access {
        Arc::make_mut(&mut self.access)
    }

    /// Reads again what an event was about.
    async fn reload(
        &mut self,
        tx: &mut Tx,
        invalidation: Invalidation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let organization = self.organization.id.clone();
        match invalidation {
            Invalidation::Access => self.access = Arc::new(Access::load(tx, &organization, now).await?),
            Invalidation::User(id) => self.access_mut().reload_user(tx, &organization, &id, now).await?,
            Invalidation::Key(id) => self.access_mut().reload_key(tx, &organization, id).await?,
            Invalidation::Grants => self.access_mut().reload_grants(tx, &organization, now).await?,
            Invalidation::Asset(id) => self.reload_asset(tx, id).await?,
            Invalidation::BehaviorSet(id) => self.behaviors.reload(tx, &organization, id).await?,
            Invalidation::Service(id) => {
                for service in tx.service_summaries(&organization, Some(id)).await? {
                    let sets = tx.set_summaries(&organization, Some(id)).await?;
                    self.put_service(service, sets);
                }
            }
        }
        Ok(())
    }

    async fn reload_asset(&mut self, tx: &mut Tx, id: AssetId) -> Result<(), StoreError> {
        let before = self.latest(id);
        if let Some(asset) = tx.asset_summary(&self.organization.id, id).await? {
            self.assets.insert_mut(id, Arc::new(asset));
        }
        if before == self.latest(id) {
            return Ok(());
        }
        // What floats means another version now.
        let using = self.services.values().filter(|service| match id {
            AssetId::Agent(id) => service.agent.0 == id,
            AssetId::ContextGraph(id) => service.context_graph.0 == id,
        });
        for service in using.cloned().collect::<Vec<_>>() {
            let latest = self.latest_versions(service.agent.0, service.context_graph.0);
            let service = Arc::new(service.with_latest(latest));
            self.services.insert_mut(service.id, service);
        }
        Ok(())
    }
}

/// Something that an event was about.
///
/// Assets come before services, whose sets mean versions of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Invalidation {
    Access,
    User(String),
    Key(ApiKeyId),
    Grants,
    Asset(AssetId),
    BehaviorSet(BehaviorSetId),
    Service(ServiceId),
}

impl Invalidation {
    /// Returns what has to be read again; nothing for things that are not kept in memory.
    fn by(event: &AuditedChange) -> Option<Self> {
        let id = event.object.id.as_str();
        let service = |id: &str| id.parse().ok().map(Self::Service);
        let asset = |kind| AssetId::parse(kind, id).ok().map(Self::Asset);
        let known = match event.object.known_kind() {
            // What is in memory does not depend on tests, nor on what was said.
            Some(
                ObjectKind::Metric
                | ObjectKind::Persona
                | ObjectKind::Scenario
                | ObjectKind::UnitTest
                | ObjectKind::UnitTestSet
                | ObjectKind::Conversation,
            ) => return None,
            Some(ObjectKind::BehaviorSet) => id.parse().ok().map(Self::BehaviorSet),
            Some(ObjectKind::User) => Some(Self::User(id.to_owned())),
            Some(ObjectKind::ApiKey) => id.parse().ok().map(Self::Key),
            Some(ObjectKind::TemporaryGrant) => Some(Self::Grants),
            Some(ObjectKind::Agent) => asset(AssetKind::Agent),
            Some(ObjectKind::ContextGraph) => asset(AssetKind::ContextGraph),
            Some(ObjectKind::Service) => service(id),
            Some(ObjectKind::VersionSet) => id.split_once('/').and_then(|(id, _)| service(id)),
            Some(ObjectKind::Role | ObjectKind::SigningKey | ObjectKind::Organization) | None => None,
        };
        // Roles, signing keys, the organization itself: rare enough to read all of it.
        Some(known.unwrap_or(Self::Access))
    }
}

/// Returns `true` if the events name every change after `from` up to `to`: only then they say what has to be read
/// again.
fn tells_every_change(events: &[AuditedChange], from: i64, to: i64) -> bool {
    let mut next = from;
    for event in events {
        if event.change_number > next + 1 {
            return false;
        }
        next = event.change_number;
    }
    next == to && events.len() < MAX_EVENTS
}
