//! Roles.

use forge_domain::access::{Attributes, DefaultRole, Grant, ModifyRole, Permission, Role, excesses};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::fault::{Fault, Faults, Step};
use forge_domain::name::{composed, spellings};
use forge_domain::{OrganizationId, RoleId, shortened};
use forge_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::access::privileges::{self, role_attributes};
use crate::access::resource::Resource;
use crate::names::new_name;
use crate::{AppError, Caller, Ctx, Written, commit};

/// How long a replaced role can still be read, in seconds: a day, as the contract says.
const REPLACED_SECONDS: i64 = 24 * 3600;

fn audit_document(role: &Role) -> Value {
    json!({
        "name": role.name,
        "description": role.description,
        "frontend_view": view_name(role.has_admin_view),
        "permission_grants": role.grants,
    })
}

/// Returns the wire's word for who sees which view.
pub fn view_name(has_admin_view: bool) -> &'static str {
    if has_admin_view { "admin" } else { "client" }
}

/// A role by its name, however that is spelled: exactly so if there is one, else as names are kept or were.
impl Resource for Role {
    type Key = str;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        name: &str,
    ) -> Result<Option<Self>, StoreError> {
        for spelling in [vec![name.to_owned()], spellings(name)].concat() {
            let found = tx.find_role(organization, &spelling).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn not_found(name: &str) -> AppError {
        AppError::NotFound(format!("there is no role `{}`", shortened(name)))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        role_attributes(self)
    }
}

/// Returns the role that a caller is about to give to somebody, for which theirs must be greater.
///
/// Where it is not, one that they may not see is answered like one that is not there; to whom no role is shown, both
/// are too great.
pub(crate) async fn find_to_give(tx: &mut Tx, caller: &Caller, name: &str) -> Result<Role, AppError> {
    let found = Role::by_key(tx, &caller.organization, name).await?;
    let may_see = |role: &Role| role.allows(caller, Permission::GetRole);
    match found {
        Some(role) if may_see(&role) => caller.require_greater(&role).map(|()| role),
        Some(role) if caller.require_greater(&role).is_ok() => Ok(role),
        _ if caller.may_some(Permission::GetRole) => Err(Role::not_found(name)),
        _ => Err(AppError::InsufficientRole(
            "your role is not greater than that role".to_owned(),
        )),
    }
}

/// Refuses grants that a caller wrote if there are faults in them.
///
/// A permission that no operation asks for yet is accepted, but one that has another form than a permission's is not,
/// nor a condition that could never hold.
pub(crate) fn check_grants(grants: &[Grant], place: &[&str]) -> Result<(), AppError> {
    let is_list = place.last() == Some(&"permission_grants");
    let placed = |fault: Fault| place.iter().rev().fold(fault, |fault, step| fault.inside(*step));
    let mut faults = Faults::default();
    for mut fault in excesses(grants).into_vec() {
        if !is_list && matches!(fault.loc.first(), Some(Step::Index(_))) {
            fault.loc.remove(0);
        }
        faults.push(placed(fault));
    }
    for (index, grant) in grants.iter().enumerate() {
        if faults.is_full() {
            break;
        }
        let fault = |rest: &[&str], kind, msg: String| {
            let fault = Fault::new(rest.iter().map(|step| (*step).into()).collect(), kind, msg);
            placed(if is_list { fault.inside(index) } else { fault })
        };
        let is_name = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let has_form = grant
            .permission_name
            .split_once(':')
            .is_some_and(|(r, a)| is_name(r) && is_name(a));
        if !has_form {
            let msg = "expected the form `Resource:Action`, such as `Service:UpdateVersionSet`".to_owned();
            faults.push(fault(&["permission_name"], "permission_name", msg));
        }
        let Some(permission) = Permission::by_name(&grant.permission_name) else {
            continue;
        };
        for name in grant
            .conditions
            .keys()
            .filter(|name| !permission.attributes().contains(&name.as_str()))
        {
            let known = permission.attributes().join(", ");
            let msg = format!("`{}` has no such attribute, only: {known}", permission.name());
            faults.push(fault(&["conditions", name], "unknown_attribute", msg));
        }
    }
    faults.unless_empty().map_err(AppError::Invalid)
}

/// Creates a role and returns its id.
///
/// Its maker must hold all that it grants.
pub async fn create(
    ctx: Ctx<'_>,
    name: String,
    description: String,
    grants: Vec<Grant>,
    has_admin_view: bool,
) -> Result<Written<RoleId>, AppError> {
    check_grants(&grants, &["permission_grants"])?;
    let name = new_name("role_name", &name)?;
    ctx.caller.authorize(
        Permission::CreateRole,
        &Attributes::default().with("role_name", name.as_str()),
    )?;
    ctx.caller.require_cover(&grants)?;
    let mut tx = ctx.app.write_access(ctx.caller).await?;
    if Role::by_key(&mut tx, &ctx.caller.organization, &name)
        .await?
        .is_some()
    {
        return Err(AppError::Conflict(format!(
            "a role named `{}` exists already",
            shortened(&name)
        )));
    }
    let role = Role {
        id: ctx.app.new_id()?,
        name,
        description,
        has_admin_view,
        grants,
    };
    tx.insert_role(&role).await?;
    let after = audit_document(&role);
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::new(ObjectKind::Role, role.id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, role.id).await
}

/// Returns the roles that the caller may see, of these ids and names if any are given.
pub async fn list(ctx: Ctx<'_>, ids: &[RoleId], names: &[String]) -> Result<Vec<Role>, AppError> {
    if !ctx.caller.may_some(Permission::GetRole) {
        return Ok(Vec::new());
    }
    let mut tx = ctx.app.store.read().await?;
    let mut roles = tx
        .list_roles(&ctx.caller.organization, ctx.app.clock.now())
        .await?;
    roles.retain(|role| {
        (ids.is_empty() || ids.contains(&role.id))
            && (names.is_empty() || names.iter().any(|name| composed(name) == composed(&role.name)))
            && role.allows(ctx.caller, Permission::GetRole)
    });
    Ok(roles)
}

/// Changes a role.
///
/// The description changes in place; other grants or another view make a new role of the same name, to which users and
/// keys move at once; if it does not hold all that the old one held, the temporary grants of these users end. Returns
/// the id of the role that has the name now.
pub async fn modify(ctx: Ctx<'_>, name: &str, change: ModifyRole) -> Result<Written<RoleId>, AppError> {
    const PERMISSION: Permission = Permission::ModifyRole;
    if let Some(grants) = &change.grants {
        check_grants(grants, &["permission_grants"])?;
    }
    let mut tx = ctx.write_access(PERMISSION).await?;
    let old: Role = ctx.caller.fetch(&mut tx, PERMISSION, name).await?;
    if DefaultRole::by_name(&old.name).is_some() {
        return Err(AppError::Refused(format!(
            "`{name}` is a default role and stays as it is; create another one"
        )));
    }
    ctx.caller.require_not_above(&old)?;
    let new = Role {
        id: old.id,
        name: old.name.clone(),
        description: change.description.unwrap_or_else(|| old.description.clone()),
        has_admin_view: change.has_admin_view.unwrap_or(old.has_admin_view),
        grants: change.grants.unwrap_or_else(|| old.grants.clone()),
    };
    let is_replaced = (&new.grants, new.has_admin_view) != (&old.grants, old.has_admin_view);
    let new = if is_replaced {
        Role {
            id: ctx.app.new_id()?,
            ..new
        }
    } else {
        new
    };
    if is_replaced {
        ctx.caller.require_greater(&new)?;
        ctx.caller
            .require_no_gain(&role_attributes(&old), &role_attributes(&new))?;
        let expires_at = ctx.app.clock.now().plus_seconds(REPLACED_SECONDS);
        tx.replace_role(old.id, &new, expires_at).await?;
    } else {
        tx.set_role_description(new.id, &new.description).await?;
    }
    let (before, mut after) = (audit_document(&old), audit_document(&new));
    if gives_less(&new, &old) {
        let count = tx
            .end_temporary_grants_of_role(new.id, ctx.app.clock.now())
            .await?;
        tell_ended(&mut after, count);
    }
    tx.append_audit_event(
        &ctx.caller.actor(),
        "modify",
        AuditObject::new(ObjectKind::Role, new.id),
        before,
        after,
    )
    .await?;
    commit(tx, new.id).await
}

/// Returns `true` if who had the one role and has the other now was given less.
///
/// What they hold beside a role ends then: whoever takes something away knows the roles, not what somebody gave them,
/// or they themselves, for a while.
pub(crate) fn gives_less(new: &Role, old: &Role) -> bool {
    !privileges::of(new).hold_all_of(&privileges::of(old))
}

/// Tells in the audit log how many temporary grants ended.
pub(crate) fn tell_ended(document: &mut Value, count: u64) {
    if count > 0 {
        document["ended_temporary_grants"] = json!(count);
    }
}

/// Returns `true` if a key of this role signs in users of that one.
pub(crate) fn may_sign_in(key: &Role, user: &Role) -> bool {
    privileges::of(key).exceed(&privileges::of(user))
}
