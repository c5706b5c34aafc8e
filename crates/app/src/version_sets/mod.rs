//! Version sets.

mod append;
pub mod at_once;
pub mod diff;
pub mod health;
pub mod history;
mod pinned;
pub mod promotion;
pub mod resolve;

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::conversation::RunningConversations;
use forge_domain::service::Service;
use forge_domain::version_set::{Binding, ResolvedPins, VersionSet};
use forge_domain::{Pins, ServiceId, SetName, UnitTestId, VersionNumber};
use forge_store::{Rows, Tx};
use serde_json::{Value, json};

pub(crate) use append::{NewRevision, append_revision};

use crate::access::resource::Resource as _;
use crate::services::lookup::{attributes_of, find_binding};
use crate::simulations::unit_tests::VisibleUnitTests;
use crate::{AppError, Caller, Ctx};

pub(crate) fn set_attributes(service: &Service, set: &SetName) -> Attributes {
    attributes_of_set(service.id, &service.name, set)
}

/// Returns the same attributes where the service is known by its id and name only.
pub(crate) fn attributes_of_set(id: ServiceId, name: &str, set: &SetName) -> Attributes {
    attributes_of(id, name).with("version_set_name", set.as_str())
}

/// Returns the name of a set in the audit log.
pub(crate) fn audited_set(service: ServiceId, set: &SetName) -> AuditObject {
    AuditObject::new(ObjectKind::VersionSet, format!("{service}/{set}"))
}

/// Returns what the audit log keeps of a set.
pub(crate) fn audit_document(revision: i64, pins: Option<&Pins>, is_held: bool) -> Value {
    json!({"revision": revision, "pins": pins, "is_held": is_held})
}

pub(crate) fn unknown(set: &str) -> AppError {
    AppError::NotFound(format!("the service has no version set `{set}`"))
}

/// A set, and what it means now.
#[derive(Debug, Clone, PartialEq)]
pub struct SetView {
    /// The set.
    pub set: VersionSet,
    /// The versions that it means now.
    pub resolved: ResolvedPins,
    /// How many versions of the agent are newer.
    pub agent_behind: i64,
    /// How many versions of the context graph are newer.
    pub context_graph_behind: i64,
    /// The unit tests that name the set, as far as the caller may see them.
    pub unit_tests: Vec<UnitTestId>,
    /// How many unfinished conversations each of its revisions started: the revision, and how many.
    pub running: Vec<(i64, i64)>,
}

/// What uses the sets of a service.
pub(crate) struct Uses {
    running: Vec<RunningConversations>,
    tests: VisibleUnitTests,
}

impl Uses {
    /// Looks for it, as far as the caller may see it.
    pub(crate) async fn of_service(
        tx: &mut Tx,
        caller: &Caller,
        service: ServiceId,
    ) -> Result<Self, AppError> {
        Ok(Self {
            running: tx.running_conversations(&caller.organization, service).await?,
            tests: VisibleUnitTests::of_service(tx, caller, service).await?,
        })
    }
}

pub(crate) fn view(set: VersionSet, binding: &Binding, uses: &Uses) -> SetView {
    let resolved = set.pins.resolve(binding);
    let behind = |latest: Option<VersionNumber>, resolved: Option<VersionNumber>| {
        latest.map_or(0, VersionNumber::get) - resolved.map_or(0, VersionNumber::get)
    };
    SetView {
        running: uses
            .running
            .iter()
            .filter(|running| running.set == set.name)
            .map(|running| (running.revision, running.conversations))
            .collect(),
        resolved,
        agent_behind: behind(binding.agent.latest, resolved.agent_version),
        context_graph_behind: behind(binding.context_graph.latest, resolved.context_graph_version),
        unit_tests: uses.tests.of_set(&set.name),
        set,
    }
}

/// Returns the sets of a service that the caller may see, by name: all of them, or as many as there is room for.
///
/// What is in the others is not read: names and rights decide, and a set is as large as what somebody wrote.
pub(crate) async fn read_seen(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    room: usize,
) -> Result<Rows<VersionSet>, AppError> {
    const PERMISSION: Permission = Permission::GetVersionSet;
    let organization = &caller.organization;
    if !caller.may_some(PERMISSION) {
        return Ok(Rows::from_iter([]));
    }
    // A condition is false where there is no attribute, so whoever may without the name of a set may with every name.
    if service.allows(caller, PERMISSION) {
        return Ok(tx.list_sets(organization, service.id, room).await?);
    }
    let mut names = tx.list_set_names(organization, service.id).await?;
    names.retain(|name| caller.may(PERMISSION, &set_attributes(service, name)));
    Ok(tx.list_named_sets(organization, service.id, &names, room).await?)
}

/// Returns the sets of a service that the caller may see, by name.
pub async fn list(ctx: Ctx<'_>, service_id: ServiceId) -> Result<Vec<SetView>, AppError> {
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    let service: Service = ctx.caller.find_unchecked(&mut tx, &service_id).await?;
    let binding = find_binding(&mut tx, ctx.caller, &service).await?;
    let sets = read_seen(&mut tx, ctx.caller, &service, usize::MAX)
        .await?
        .into_rows();
    let uses = Uses::of_service(&mut tx, ctx.caller, service_id).await?;
    Ok(sets.into_iter().map(|set| view(set, &binding, &uses)).collect())
}

/// Says that a set was deleted.
pub(crate) fn gone(name: &SetName, revision: i64) -> AppError {
    let message = format!("version set `{name}` was deleted; its last revision is {revision}");
    AppError::Gone { message, revision }
}

/// Returns the service of a set, provided that the caller has a permission on the set, whether that is there or not.
pub(crate) async fn service_of_set(
    tx: &mut Tx,
    caller: &Caller,
    permission: Permission,
    service_id: ServiceId,
    name: &SetName,
) -> Result<Service, AppError> {
    let service: Service = caller.find_unchecked(tx, &service_id).await?;
    caller.authorize(permission, &set_attributes(&service, name))?;
    Ok(service)
}

/// Returns a service, its agent and graph, and one of its sets, provided that the caller may see the set.
pub(crate) async fn read(
    tx: &mut Tx,
    caller: &Caller,
    service_id: ServiceId,
    name: &SetName,
) -> Result<(Service, Binding, VersionSet), AppError> {
    let service = service_of_set(tx, caller, Permission::GetVersionSet, service_id, name).await?;
    let binding = find_binding(tx, caller, &service).await?;
    let set = tx
        .find_set(&caller.organization, service_id, name)
        .await?
        .ok_or_else(|| unknown(name.as_str()))?;
    if set.is_deleted {
        return Err(gone(name, set.revision));
    }
    Ok((service, binding, set))
}

/// Returns one set of a service.
pub async fn get(ctx: Ctx<'_>, service_id: ServiceId, name: &SetName) -> Result<SetView, AppError> {
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    match read(&mut tx, ctx.caller, service_id, name).await {
        Ok((_, binding, set)) => {
            let uses = Uses::of_service(&mut tx, ctx.caller, service_id).await?;
            Ok(view(set, &binding, &uses))
        }
        // Only resolving tells a deleted set from one that never was.
        Err(AppError::Gone { .. }) => Err(unknown(name.as_str())),
        Err(error) => Err(error),
    }
}
