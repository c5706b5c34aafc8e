//! Following the changes of an organization as they happen.

use std::collections::BTreeSet;
use std::time::Duration;

use forge_domain::access::{Attributes, Permission};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::fault::Fault;
use forge_domain::item::ItemKind;
use forge_domain::{Actor, ServiceId, SetName, Timestamp};
use forge_store::{AuditedChange, GONE};
use tokio::sync::watch;

use crate::access::sign_in;
use crate::services::lookup::attributes_of;
use crate::snapshot::{Events, OrganizationState, SnapshotRead};
use crate::version_sets::attributes_of_set;
use crate::{App, AppError, Caller, Ctx, assets, items};

/// How long to wait before looking again for a change that could not be read.
const AGAIN: Duration = Duration::from_secs(1);

/// Somebody who follows the changes of an organization.
pub struct Watcher {
    app: App,
    caller: Caller,
    /// Only what concerns these services; everything if there are none.
    services: BTreeSet<ServiceId>,
    head: watch::Receiver<i64>,
    seen: i64,
}

/// A change, as far as the watcher may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedChange {
    /// The organization's change number.
    pub change_number: i64,
    /// When.
    pub created_at: Timestamp,
    /// What happened; at least one thing.
    pub events: Vec<WatchedEvent>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedEvent {
    /// What was done.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// By whom.
    pub actor: Actor,
    /// The set, where the event is about one, and its latest revision afterwards.
    pub set: Option<(ServiceId, SetName, Option<i64>)>,
}

/// What happened since the watcher was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The changes with something that the watcher may see, oldest first.
    pub changes: Vec<WatchedChange>,
    /// The change up to which everything has been told.
    pub up_to: i64,
}

impl Watcher {
    /// Begins to follow, after a change that was told before or from now on.
    pub async fn start(
        ctx: Ctx<'_>,
        services: BTreeSet<ServiceId>,
        after: Option<i64>,
    ) -> Result<Self, AppError> {
        ctx.caller.require_any_grant(Permission::GetVersionSet)?;
        let organization = &ctx.caller.organization;
        // Before looking: what comes between would be missed.
        let head = ctx.app.store.watermarks().of(organization).subscribe();
        let latest = ctx
            .app
            .snapshots
            .organization(ctx.app, organization)
            .await?
            .state
            .change_number();
        let seen = match after {
            None => latest,
            Some(after)
                if after <= latest || ctx.app.snapshots.has_seen(ctx.app, organization, after).await? =>
            {
                after
            }
            Some(_) => {
                let loc = vec!["last_event_id".into()];
                let msg = "the organization has made no such change; begin anew, without this header";
                return Err(AppError::Invalid(vec![Fault::new(loc, "in_the_future", msg)]));
            }
        };
        Ok(Self {
            app: ctx.app.clone(),
            caller: ctx.caller.clone(),
            services,
            head,
            seen,
        })
    }

    /// Returns the change up to which everything has been told.
    pub fn up_to(&self) -> i64 {
        self.seen
    }

    /// Returns what happened since, as soon as something did; after `patience` that nothing did.
    ///
    /// Nothing at all if that is not in memory any more: it is for [`Self::read`] to tell.
    ///
    /// # Errors
    /// Ends with the watcher's token.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<News>, AppError> {
        let seen = self.seen;
        let is_news = |head: &i64| *head > seen;
        // Nobody closes a head; and whether there is news is looked at below.
        let _ = tokio::time::timeout(patience, self.head.wait_for(is_news)).await;
        let known = self.look().await?;
        if known.state.change_number() <= self.seen {
            if *self.head.borrow() > self.seen {
                // There is a change, but the database is away and nobody here can tell what it was.
                tokio::time::sleep(AGAIN).await;
            }
            let nothing = Events {
                events: Vec::new(),
                up_to: self.seen,
            };
            return Ok(Some(self.news(&known, nothing)));
        }
        let recent = self.app.snapshots.recent_events(&known, self.seen);
        Ok(recent.map(|recent| self.news(&known, recent)))
    }

    /// Reads what happened since from the database: of many changes the first ones.
    ///
    /// # Errors
    /// Ends with the watcher's token. Reports a database that is away.
    pub async fn read(&mut self) -> Result<News, AppError> {
        let known = self.look().await?;
        let read = self.app.snapshots.read_events(&self.app, &known, self.seen).await;
        Ok(self.news(&known, read?))
    }

    /// Returns what is known of the organization.
    ///
    /// What the watcher may see can have changed since the last time, and is looked at for every change.
    async fn look(&mut self) -> Result<SnapshotRead, AppError> {
        if *self.head.borrow() == GONE {
            let text = "the database has gone back to an earlier state; begin anew";
            return Err(AppError::Conflict(text.to_owned()));
        }
        self.caller = sign_in::recognise_again(Ctx::new(&self.app, &self.caller)).await?;
        self.caller.require_any_grant(Permission::GetVersionSet)?;
        let memory = &self.app.snapshots;
        memory.organization(&self.app, &self.caller.organization).await
    }

    /// Returns what the watcher may see of events, which are all up to a change.
    fn news(&mut self, known: &SnapshotRead, Events { events, up_to }: Events) -> News {
        self.seen = up_to;
        let mut changes: Vec<WatchedChange> = Vec::new();
        for event in events {
            if !self.concerns(&known.state, &event) || !may_see(&self.caller, &known.state, &event) {
                continue;
            }
            match changes.last_mut() {
                Some(last) if last.change_number == event.change_number => last.events.push(watched(event)),
                _ => changes.push(WatchedChange {
                    change_number: event.change_number,
                    created_at: event.created_at,
                    events: vec![watched(event)],
                }),
            }
        }
        News { changes, up_to }
    }

    /// Returns `true` if an event is about one of the watcher's services: the service itself, its sets, or its agent
    /// and context graph, whose new versions change what floats.
    fn concerns(&self, state: &OrganizationState, event: &AuditedChange) -> bool {
        if self.services.is_empty() {
            return true;
        }
        let id = event.object.id.as_str();
        let uses = |service: &ServiceId| {
            state
                .service(*service)
                .is_some_and(|service| match event.object.known_kind() {
                    Some(ObjectKind::Agent) => service.agent.0.to_string() == id,
                    Some(ObjectKind::ContextGraph) => service.context_graph.0.to_string() == id,
                    _ => false,
                })
        };
        match service_of(event) {
            Some(service) => self.services.contains(&service),
            None => self.services.iter().any(uses),
        }
    }
}

/// Returns the service that an event is about, itself or one of its sets.
fn service_of(event: &AuditedChange) -> Option<ServiceId> {
    match event.object.known_kind() {
        Some(ObjectKind::Service) => event.object.id.parse().ok(),
        Some(ObjectKind::VersionSet) => set_of(event).map(|(service, _)| service),
        _ => None,
    }
}

fn set_of(event: &AuditedChange) -> Option<(ServiceId, SetName)> {
    if event.object.known_kind() != Some(ObjectKind::VersionSet) {
        return None;
    }
    let (service, name) = event.object.id.split_once('/')?;
    Some((service.parse().ok()?, name.parse().ok()?))
}

fn watched(event: AuditedChange) -> WatchedEvent {
    WatchedEvent {
        set: set_of(&event).map(|(service, name)| (service, name, event.revision)),
        action: event.action,
        object: event.object,
        actor: event.actor,
    }
}

/// Returns `true` if a caller may see an event: whoever may read the thing may know that it changed.
///
/// Of what is not in memory only the id is known, so a condition on anything else keeps the event back.
fn may_see(caller: &Caller, state: &OrganizationState, event: &AuditedChange) -> bool {
    let id = event.object.id.as_str();
    let may_read = |kind| {
        let asset = AssetId::parse(kind, id).ok().and_then(|id| state.asset(id));
        asset.is_some_and(|asset| assets::may_read_known(caller, asset))
    };
    let may_read_item = |kind| items::may_read_known(caller, kind, id);
    let may = |permission, attribute| caller.may(permission, &Attributes::default().with(attribute, id));
    let Some(kind) = event.object.known_kind() else {
        return caller.may(Permission::GetOrganizationDetails, &Attributes::default());
    };
    match kind {
        ObjectKind::VersionSet => {
            let Some((service, name)) = set_of(event) else {
                return false;
            };
            let Some(service) = state.service(service) else {
                return false;
            };
            let attributes = attributes_of_set(service.id, &service.name, &name);
            caller.may(Permission::GetVersionSet, &attributes)
        }
        ObjectKind::Service => {
            let service = service_of(event).and_then(|id| state.service(id));
            service.is_some_and(|service| {
                let attributes = attributes_of(service.id, &service.name);
                caller.may(Permission::GetService, &attributes)
            })
        }
        ObjectKind::Agent => may_read(AssetKind::Agent),
        ObjectKind::ContextGraph => may_read(AssetKind::ContextGraph),
        ObjectKind::BehaviorSet => may_read_item(ItemKind::BehaviorSet),
        ObjectKind::Metric => may_read_item(ItemKind::Metric),
        ObjectKind::Persona => may_read_item(ItemKind::Persona),
        ObjectKind::Scenario => may_read_item(ItemKind::Scenario),
        ObjectKind::User => may(Permission::GetUserInfo, "user_id"),
        ObjectKind::Role => may(Permission::GetRole, "role_id"),
        ObjectKind::ApiKey => may(Permission::GetApiKey, "api_key_id"),
        ObjectKind::UnitTest => may(Permission::GetUnitTest, "simulation_unit_test_id"),
        ObjectKind::UnitTestSet => may(Permission::GetUnitTestSet, "simulation_unit_test_set_id"),
        ObjectKind::Conversation => may(Permission::GetConversation, "conversation_id"),
        ObjectKind::TemporaryGrant => caller.may(Permission::GetTemporaryGrant, &Attributes::default()),
        ObjectKind::Organization | ObjectKind::SigningKey => {
            caller.may(Permission::GetOrganizationDetails, &Attributes::default())
        }
    }
}
