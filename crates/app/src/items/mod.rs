//! Dynamic behavior sets, metrics, personas and scenarios: what they have in common is here, what only one of them has
//! is in a file of its own beside this one.

pub mod behavior_sets;
pub mod evaluation;
mod list;
pub mod metrics;
pub mod personas;
pub mod scenarios;
mod versions;

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::AuditObject;
pub use forge_domain::item::{Item, ItemDetails, ItemDocument, ItemKind};
use forge_domain::name::spellings;
use forge_domain::service::Tags;
use forge_domain::{OrganizationId, ServiceId, VersionNumber};
pub use forge_store::ItemSort;
use forge_store::{NewItem, Tx, WriteTx};
use serde_json::{Value, json};

pub use list::{CreatorFilter, FilterValues, ItemPage, ListItems, SearchItems, list, search};
pub(crate) use versions::content;
pub use versions::{ListVersions, Version, find_latest, list_versions};

use crate::names::{changed_name, new_name, taken};
use crate::simulations::unit_tests;
use crate::{AppError, Caller, Ctx, Written, commit, services};

/// The permissions on one kind of item.
struct Permissions {
    create: &'static [Permission],
    get: Permission,
    modify: Permission,
    delete: Permission,
    id: &'static str,
    name: &'static str,
}

const fn permissions(kind: ItemKind) -> Permissions {
    match kind {
        ItemKind::BehaviorSet => Permissions {
            create: &[Permission::CreateBehaviorSet, Permission::UpdateBehaviorSet],
            get: Permission::GetBehaviorSet,
            modify: Permission::UpdateBehaviorSet,
            delete: Permission::DeleteBehaviorSet,
            id: "dynamic_behavior_set_id",
            name: "dynamic_behavior_set_name",
        },
        ItemKind::Metric => Permissions {
            create: &[Permission::CreateMetric],
            get: Permission::GetMetric,
            modify: Permission::ModifyMetric,
            delete: Permission::DeleteMetric,
            id: "metric_id",
            name: "metric_name",
        },
        ItemKind::Persona => Permissions {
            create: &[Permission::CreatePersona, Permission::ModifyPersona],
            get: Permission::GetPersona,
            modify: Permission::ModifyPersona,
            delete: Permission::DeletePersona,
            id: "simulation_persona_id",
            name: "simulation_persona_name",
        },
        ItemKind::Scenario => Permissions {
            create: &[Permission::CreateScenario, Permission::ModifyScenario],
            get: Permission::GetScenario,
            modify: Permission::ModifyScenario,
            delete: Permission::DeleteScenario,
            id: "simulation_scenario_id",
            name: "simulation_scenario_name",
        },
    }
}

/// Returns what conditions on permissions may be about.
pub(crate) fn attributes(item: &Item) -> Attributes {
    attributes_of(item.details.kind(), &item.id, &item.name)
}

fn attributes_of(kind: ItemKind, id: &str, name: &str) -> Attributes {
    let permissions = permissions(kind);
    Attributes::default()
        .with(permissions.id, id)
        .with(permissions.name, name)
}

/// Returns an item that a caller names in something else and that may be used anew.
///
/// One that the caller may not read is answered like one that is not there.
pub(crate) async fn find_named(
    tx: &mut Tx,
    caller: &Caller,
    kind: ItemKind,
    id: &str,
) -> Result<Item, AppError> {
    let item = find(tx, &caller.organization, kind, id).await?;
    if caller.may(permissions(kind).get, &attributes(&item)) {
        live(item)
    } else {
        Err(not_there(kind, id))
    }
}

/// Returns `true` if a caller may read an item of which only the id is known: a condition on its name is false then.
pub(crate) fn may_read_known(caller: &Caller, kind: ItemKind, id: &str) -> bool {
    let permissions = permissions(kind);
    caller.may(permissions.get, &Attributes::default().with(permissions.id, id))
}

/// What the audit log shows of an item: never its content, which may be about people.
fn audit_document(name: &str, is_active: bool, tags: &Tags, details: &ItemDetails) -> Value {
    let mut document = json!({"name": name, "tags": tags});
    match details {
        ItemDetails::BehaviorSet { applied_to_services } => {
            document["is_active"] = is_active.into();
            document["applied_to_services"] = json!(applied_to_services);
        }
        ItemDetails::Metric {
            applied_to_services,
            additional_notes,
            value_kind,
        } => {
            document["applied_to_services"] = json!(applied_to_services);
            document["additional_notes"] = json!(additional_notes);
            document["metric_value_type"] = json!(value_kind);
        }
        ItemDetails::Persona { role } => document["role"] = json!(role),
        ItemDetails::Scenario {} => {}
    }
    document
}

fn audit_document_of(item: &Item) -> Value {
    audit_document(&item.name, item.is_active, &item.tags, &item.details)
}

fn not_there(kind: ItemKind, id: &str) -> AppError {
    AppError::NotFound(format!("there is no {kind} {id}"))
}

/// Returns an item, also a deleted one: what it was used for goes on using it.
pub async fn find(
    tx: &mut Tx,
    organization: &OrganizationId,
    kind: ItemKind,
    id: &str,
) -> Result<Item, AppError> {
    let found = tx.find_item(organization, kind, id).await?;
    found.ok_or_else(|| not_there(kind, id))
}

/// Returns an item that may be used anew: one that is not deleted.
///
/// Whoever is about to refer to it calls this in the write transaction of the reference: then it cannot be deleted in
/// between.
pub async fn find_live(
    tx: &mut Tx,
    organization: &OrganizationId,
    kind: ItemKind,
    id: &str,
) -> Result<Item, AppError> {
    live(find(tx, organization, kind, id).await?)
}

fn live(item: Item) -> Result<Item, AppError> {
    if item.is_deleted {
        let kind = item.details.kind();
        return Err(AppError::NotFound(format!("the {kind} {} is deleted", item.id)));
    }
    Ok(item)
}

/// Returns an item that the caller may read, deleted or not; of behavior sets, a deleted one is not there.
pub(crate) async fn authorize_read(
    tx: &mut Tx,
    caller: &Caller,
    kind: ItemKind,
    id: &str,
) -> Result<Item, AppError> {
    let permission = permissions(kind).get;
    caller.require_any_grant(permission)?;
    let item = find(tx, &caller.organization, kind, id).await?;
    caller.authorize(permission, &attributes(&item))?;
    if kind == ItemKind::BehaviorSet {
        return live(item);
    }
    Ok(item)
}

/// An item to be created.
///
/// It cannot be printed: its content may have secrets.
#[derive(Clone)]
pub(crate) struct CreateItem {
    pub(crate) name: String,
    pub(crate) is_active: bool,
    pub(crate) tags: Tags,
    pub(crate) details: ItemDetails,
}

/// Refuses a caller who may not create an item of that name.
pub(crate) fn authorize_create(caller: &Caller, kind: ItemKind, name: &str) -> Result<(), AppError> {
    let permissions = permissions(kind);
    let attributes = Attributes::default().with(permissions.name, name);
    permissions
        .create
        .iter()
        .try_for_each(|permission| caller.authorize(*permission, &attributes))
}

/// Creates an item with its first version, and returns its id.
///
/// The caller was authorised.
pub(crate) async fn create(
    ctx: Ctx<'_>,
    mut tx: WriteTx,
    create: CreateItem,
    document: ItemDocument,
) -> Result<Written<String>, AppError> {
    let create = CreateItem {
        name: new_name("name", &create.name)?,
        ..create
    };
    let kind = create.details.kind();
    // The name as it is kept must not be out of the reach of a grant, either.
    authorize_create(ctx.caller, kind, &create.name)?;
    let applied = create.details.applied_to_services();
    authorize_services(ctx.caller, kind, applied)?;
    require_services(&mut tx, ctx.caller, kind, applied).await?;
    if create.is_active {
        refuse_taken_name(&mut tx, ctx.caller, kind, &create.name, None).await?;
    }
    let id = ctx
        .app
        .new_id::<forge_domain::id::kind::ItemVersion>()?
        .to_string();
    let first = versions::sealed(ctx, (&id, VersionNumber::FIRST), document)?;
    let new = NewItem {
        id: id.clone(),
        name: create.name,
        is_active: create.is_active,
        tags: create.tags,
        details: create.details,
    };
    tx.insert_item(&new, &first, &ctx.caller.user).await?;
    let after = audit_document(&new.name, new.is_active, &new.tags, &new.details);
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::new(kind, &id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, id).await
}

/// The permission that applying an item to a service takes on the service: a behavior set changes what its agent does.
const fn applying(kind: ItemKind) -> Permission {
    match kind {
        ItemKind::BehaviorSet => Permission::UpdateService,
        _ => Permission::GetService,
    }
}

/// Refuses a caller who may apply items of this kind nowhere at all, if any service is named.
fn authorize_services(caller: &Caller, kind: ItemKind, ids: &[ServiceId]) -> Result<(), AppError> {
    if ids.is_empty() {
        return Ok(());
    }
    caller.require_any_grant(applying(kind))
}

/// Checks whether the services are there that an item comes to be applied to, or ceases to be.
async fn require_services(
    tx: &mut Tx,
    caller: &Caller,
    kind: ItemKind,
    ids: &[ServiceId],
) -> Result<(), AppError> {
    for id in ids {
        services::lookup::find_named(tx, caller, applying(kind), *id).await?;
    }
    Ok(())
}

async fn refuse_taken_name(
    tx: &mut Tx,
    caller: &Caller,
    kind: ItemKind,
    name: &str,
    own: Option<&str>,
) -> Result<(), AppError> {
    for spelling in spellings(name) {
        let found = tx
            .find_item_by_name(&caller.organization, kind, &spelling)
            .await?;
        if let Some(id) = found.filter(|id| Some(id.as_str()) != own) {
            let may_see = caller.may(permissions(kind).get, &attributes_of(kind, &id, &spelling));
            let (active, advice) = if kind == ItemKind::BehaviorSet {
                ("active ", ", or deactivate that one first")
            } else {
                ("", "")
            };
            let taken = taken(&format!("{active}{kind}"), may_see.then_some(&id), name);
            return Err(AppError::Conflict(format!(
                "{taken}; choose another name{advice}"
            )));
        }
    }
    Ok(())
}

/// What changes about an item; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
pub struct UpdateItem {
    /// The name; only of behavior sets.
    pub name: Option<String>,
    /// Whether it is used; only of behavior sets.
    pub is_active: Option<bool>,
    /// The tags.
    pub tags: Option<Tags>,
    /// The services that it is applied to; of behavior sets and metrics.
    pub applied_to_services: Option<Vec<ServiceId>>,
    /// What people should know of it, `Some(None)` erases; of metrics.
    pub additional_notes: Option<Option<String>>,
}

impl UpdateItem {
    fn apply(self, item: &Item) -> Item {
        let mut changed = item.clone();
        if let Some(name) = self.name {
            changed.name = name;
        }
        if let Some(is_active) = self.is_active {
            changed.is_active = is_active;
        }
        if let Some(tags) = self.tags {
            changed.tags = tags;
        }
        match &mut changed.details {
            ItemDetails::BehaviorSet { applied_to_services } => {
                replace_services(applied_to_services, self.applied_to_services);
            }
            ItemDetails::Metric {
                applied_to_services,
                additional_notes,
                ..
            } => {
                replace_services(applied_to_services, self.applied_to_services);
                if let Some(notes) = self.additional_notes {
                    *additional_notes = notes;
                }
            }
            ItemDetails::Persona { .. } | ItemDetails::Scenario {} => {}
        }
        changed
    }
}

fn replace_services(services: &mut Vec<ServiceId>, others: Option<Vec<ServiceId>>) {
    if let Some(others) = others {
        *services = without_repetitions(others);
    }
}

/// Returns ids in their order, each once.
pub(crate) fn without_repetitions(ids: Vec<ServiceId>) -> Vec<ServiceId> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

/// Returns the services that are in one of the two lists only.
fn moved(before: &[ServiceId], after: &[ServiceId]) -> Vec<ServiceId> {
    let gone = before.iter().filter(|id| !after.contains(id));
    let new = after.iter().filter(|id| !before.contains(id));
    gone.chain(new).copied().collect()
}

/// Returns the services whose agent does something else while the item is there: those that a behavior set is applied
/// to as long as it is active.
fn changed_by(item: &Item) -> &[ServiceId] {
    match &item.details {
        ItemDetails::BehaviorSet { applied_to_services } if item.is_active => applied_to_services,
        _ => &[],
    }
}

/// Changes an item.
///
/// A change that changes nothing writes nothing.
pub async fn update(
    ctx: Ctx<'_>,
    kind: ItemKind,
    id: &str,
    update: UpdateItem,
) -> Result<Option<i64>, AppError> {
    let permission = permissions(kind).modify;
    ctx.caller.require_any_grant(permission)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let item = find(&mut tx, &ctx.caller.organization, kind, id).await?;
    ctx.caller.authorize(permission, &attributes(&item))?;
    let item = live(item)?;
    let update = UpdateItem {
        name: changed_name(&item.name, update.name)?,
        ..update
    };
    let changed = update.apply(&item);
    // A grant that holds for the old name only must not give the item a name out of its reach.
    ctx.caller.authorize(permission, &attributes(&changed))?;
    ctx.caller
        .require_no_gain(&attributes(&item), &attributes(&changed))?;
    let mut moved = moved(
        item.details.applied_to_services(),
        changed.details.applied_to_services(),
    );
    if item.is_active != changed.is_active {
        moved.extend(changed_by(&item).iter().chain(changed_by(&changed)));
    }
    let moved = without_repetitions(moved);
    authorize_services(ctx.caller, kind, &moved)?;
    require_services(&mut tx, ctx.caller, kind, &moved).await?;
    if changed == item {
        return Ok(None);
    }
    if changed.is_active {
        refuse_taken_name(&mut tx, ctx.caller, kind, &changed.name, Some(id)).await?;
    }
    tx.update_item(&changed, &ctx.caller.user).await?;
    let (before, after) = (audit_document_of(&item), audit_document_of(&changed));
    tx.append_audit_event(
        &ctx.caller.actor(),
        "update",
        AuditObject::new(kind, id),
        before,
        after,
    )
    .await?;
    Ok(Some(commit(tx, ()).await?.change_number))
}

/// Deletes an item: what refers to it goes on, but nothing new may use it.
pub async fn delete(ctx: Ctx<'_>, kind: ItemKind, id: &str) -> Result<Written<()>, AppError> {
    let permission = permissions(kind).delete;
    ctx.caller.require_any_grant(permission)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let item = find(&mut tx, &ctx.caller.organization, kind, id).await?;
    ctx.caller.authorize(permission, &attributes(&item))?;
    let item = live(item)?;
    authorize_services(ctx.caller, kind, changed_by(&item))?;
    require_services(&mut tx, ctx.caller, kind, changed_by(&item)).await?;
    unit_tests::refuse_used(&mut tx, ctx.caller, &item).await?;
    tx.delete_item(id, &ctx.caller.user).await?;
    let before = audit_document_of(&item);
    tx.append_audit_event(
        &ctx.caller.actor(),
        "delete",
        AuditObject::new(kind, id),
        before,
        Value::Null,
    )
    .await?;
    commit(tx, ()).await
}
