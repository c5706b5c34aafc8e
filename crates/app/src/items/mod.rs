//! Dynamic behavior sets, metrics, personas and scenarios: what they have in common is here, what only one of them has
//! is in a file of its own beside this one.

pub mod behavior_sets;
mod list;
pub mod metrics;
pub mod personas;
pub mod scenarios;
mod versions;

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::AuditObject;
use forge_domain::item::{CreateItem, Item, ItemDetails, ItemKind, ItemUpdate, without_repetitions};
use forge_domain::service::Service;
use forge_domain::tag::Tags;
use forge_domain::version::VersionRef;
use forge_domain::{Id, OrganizationId, ServiceId, VersionNumber};
pub use forge_store::ItemSort;
use forge_store::{StoreError, Tx, WriteTx};
use serde_json::{Value, json};

pub use list::{ItemPage, ListItems, list, search};
pub(crate) use versions::content;
pub use versions::{ListVersions, VersionPage, find_latest, list_versions};

use crate::access::resource::Resource;
use crate::names::{changed_name, new_name, taken};
use crate::simulations::unit_tests;
use crate::{AppError, Caller, Ctx, Written, commit};

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

fn attributes_of<D: ItemDetails>(id: Id<D::IdKind>, name: &str) -> Attributes {
    let permissions = permissions(D::KIND);
    Attributes::default()
        .with(permissions.id, id.to_string())
        .with(permissions.name, name)
}

/// An item, deleted or not: what it was used for goes on using it.
impl<D: ItemDetails> Resource for Item<D> {
    type Key = Id<D::IdKind>;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &Self::Key,
    ) -> Result<Option<Self>, StoreError> {
        tx.find_item(organization, *id).await
    }

    fn not_found(id: &Self::Key) -> AppError {
        AppError::NotFound(format!("there is no {} {id}", D::KIND))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of::<D>(self.id, &self.name)
    }
}

/// Returns an item that a caller names in something else and that may be used anew.
///
/// One that the caller may not read is answered like one that is not there.
pub(crate) async fn find_named<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    id: Id<D::IdKind>,
) -> Result<Item<D>, AppError> {
    live(caller.fetch_named(tx, permissions(D::KIND).get, &id).await?)
}

/// Returns `true` if a caller may read an item of which only the id is known: a condition on its name is false then.
pub(crate) fn may_read_known(caller: &Caller, kind: ItemKind, id: &str) -> bool {
    let permissions = permissions(kind);
    caller.may(permissions.get, &Attributes::default().with(permissions.id, id))
}

/// Returns what the audit log shows of an item: never its content, which may be about people.
fn audit_document<D: ItemDetails>(name: &str, is_active: bool, tags: &Tags, details: &D) -> Value {
    let mut document = json!({"name": name, "tags": tags});
    for (field, value) in details.audit_fields(is_active) {
        document[field] = value;
    }
    document
}

fn audit_document_of<D: ItemDetails>(item: &Item<D>) -> Value {
    audit_document(&item.name, item.is_active, &item.tags, &item.details)
}

/// Refuses an item that may not be used anew: one that is deleted.
///
/// Who is about to refer to an item reads it in the write transaction of the reference: then it cannot be deleted in
/// between.
pub(crate) fn live<D: ItemDetails>(item: Item<D>) -> Result<Item<D>, AppError> {
    if item.is_deleted {
        return Err(AppError::NotFound(format!(
            "the {} {} is deleted",
            D::KIND,
            item.id
        )));
    }
    Ok(item)
}

/// Returns an item that the caller may read, deleted or not; of behavior sets, a deleted one is not there.
pub(crate) async fn authorize_read<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    id: Id<D::IdKind>,
) -> Result<Item<D>, AppError> {
    let item = caller.fetch(tx, permissions(D::KIND).get, &id).await?;
    if D::KIND == ItemKind::BehaviorSet {
        return live(item);
    }
    Ok(item)
}

/// Refuses a caller who may not create an item of that name.
pub(crate) fn authorize_create<D: ItemDetails>(caller: &Caller, name: &str) -> Result<(), AppError> {
    let permissions = permissions(D::KIND);
    let attributes = Attributes::default().with(permissions.name, name);
    let mut needed = permissions.create.iter();
    needed.try_for_each(|permission| caller.authorize(*permission, &attributes))
}

/// Creates an item with its first version, and returns its id.
///
/// The caller was authorised.
pub(crate) async fn create<D: ItemDetails>(
    ctx: Ctx<'_>,
    mut tx: WriteTx,
    create: CreateItem<D>,
) -> Result<Written<Id<D::IdKind>>, AppError> {
    let CreateItem { mut fields, document } = create;
    fields.name = new_name("name", &fields.name)?;
    // The name as it is kept must not be out of the reach of a grant, either.
    authorize_create::<D>(ctx.caller, &fields.name)?;
    let applied = fields.details.applied_to_services();
    authorize_services::<D>(ctx.caller, applied)?;
    require_services::<D>(&mut tx, ctx.caller, applied).await?;
    if fields.is_active {
        refuse_taken_name::<D>(&mut tx, ctx.caller, &fields.name, None).await?;
    }
    let id: Id<D::IdKind> = ctx.app.new_id()?;
    let version = VersionNumber::FIRST;
    let first = VersionRef { id, version };
    let first = versions::sealed(ctx, first, document)?;
    tx.insert_item(id, &fields, &first, &ctx.caller.user).await?;
    let after = audit_document(&fields.name, fields.is_active, &fields.tags, &fields.details);
    let object = AuditObject::new(D::KIND, id);
    tx.append_audit_event(&ctx.caller.actor(), "create", object, Value::Null, after)
        .await?;
    commit(tx, id).await
}

/// The permission that applying an item to a service takes on the service: a behavior set changes what its agent does.
const fn applying<D: ItemDetails>() -> Permission {
    if D::CHANGES_SERVICES {
        Permission::UpdateService
    } else {
        Permission::GetService
    }
}

/// Refuses a caller who may apply items of this kind nowhere at all, if any service is named.
fn authorize_services<D: ItemDetails>(caller: &Caller, ids: &[ServiceId]) -> Result<(), AppError> {
    if ids.is_empty() {
        return Ok(());
    }
    caller.require_any_grant(applying::<D>())
}

/// Checks that the services are there that an item comes to be applied to, or ceases to be.
async fn require_services<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    ids: &[ServiceId],
) -> Result<(), AppError> {
    for id in ids {
        caller.fetch_named::<Service>(tx, applying::<D>(), id).await?;
    }
    Ok(())
}

async fn refuse_taken_name<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    name: &str,
    own: Option<Id<D::IdKind>>,
) -> Result<(), AppError> {
    let found = tx.find_item_namesake::<D>(&caller.organization, name, own);
    let Some(other) = found.await? else {
        return Ok(());
    };
    let may_see = caller.may(permissions(D::KIND).get, &attributes_of::<D>(other, name));
    let seen = may_see.then_some(&other);
    Err(AppError::Conflict(if D::KIND == ItemKind::BehaviorSet {
        let taken = taken(&format!("active {}", D::KIND), seen, name);
        format!("{taken}, or deactivate that one first")
    } else {
        taken(&D::KIND.to_string(), seen, name)
    }))
}

/// Returns the services that are in one of the two lists only.
fn moved(before: &[ServiceId], after: &[ServiceId]) -> Vec<ServiceId> {
    let gone = before.iter().filter(|id| !after.contains(id));
    let new = after.iter().filter(|id| !before.contains(id));
    gone.chain(new).copied().collect()
}

/// Changes an item.
///
/// A change that changes nothing writes nothing.
pub async fn update<D: ItemDetails>(
    ctx: Ctx<'_>,
    id: Id<D::IdKind>,
    update: D::Update,
) -> Result<Option<Written<()>>, AppError> {
    let permission = permissions(D::KIND).modify;
    let mut tx = ctx.write(permission).await?;
    let item: Item<D> = live(ctx.caller.fetch(&mut tx, permission, &id).await?)?;
    let mut changed = update.apply(&item);
    if let Some(name) = changed_name(&item.name, Some(changed.name.clone()))? {
        changed.name = name;
    }
    // A grant that holds for the old name only must not give the item a name out of its reach.
    let (before, after) = (
        item.attributes_for(ctx.caller),
        changed.attributes_for(ctx.caller),
    );
    ctx.caller.authorize(permission, &after)?;
    ctx.caller.require_no_gain(&before, &after)?;
    let mut moved = moved(
        item.details.applied_to_services(),
        changed.details.applied_to_services(),
    );
    if item.is_active != changed.is_active {
        moved.extend(item.changed_services().iter().chain(changed.changed_services()));
    }
    let moved = without_repetitions(moved);
    authorize_services::<D>(ctx.caller, &moved)?;
    require_services::<D>(&mut tx, ctx.caller, &moved).await?;
    if changed == item {
        return Ok(None);
    }
    if changed.is_active {
        refuse_taken_name::<D>(&mut tx, ctx.caller, &changed.name, Some(id)).await?;
    }
    tx.update_item(&changed, &ctx.caller.user).await?;
    let (before, after) = (audit_document_of(&item), audit_document_of(&changed));
    let object = AuditObject::new(D::KIND, id);
    tx.append_audit_event(&ctx.caller.actor(), "update", object, before, after)
        .await?;
    commit(tx, ()).await.map(Some)
}

/// Deletes an item: what refers to it goes on, but nothing new may use it.
pub async fn delete<D: ItemDetails>(ctx: Ctx<'_>, id: Id<D::IdKind>) -> Result<Written<()>, AppError> {
    let permission = permissions(D::KIND).delete;
    let mut tx = ctx.write(permission).await?;
    let item: Item<D> = live(ctx.caller.fetch(&mut tx, permission, &id).await?)?;
    let changed = item.changed_services();
    authorize_services::<D>(ctx.caller, changed)?;
    require_services::<D>(&mut tx, ctx.caller, changed).await?;
    unit_tests::refuse_used(&mut tx, ctx.caller, &item).await?;
    tx.delete_item(id, &ctx.caller.user).await?;
    let (before, object) = (audit_document_of(&item), AuditObject::new(D::KIND, id));
    tx.append_audit_event(&ctx.caller.actor(), "delete", object, before, Value::Null)
        .await?;
    commit(tx, ()).await
}
