//! What operators do from the command line. Whoever calls these has access to the store, so nobody is authorised.

use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::{Actor, ActorKind, OrganizationId, SigningKeyId, UserRef};
use forge_store::WriteTx;
use serde_json::{Value, json};

use crate::access::caller::OPERATOR;
use crate::identity::api_keys::{self, CreatedKey, Maker};
use crate::maintenance::MAINTENANCE;
use crate::{App, AppError};

async fn begin(app: &App, organization: &OrganizationId) -> Result<(WriteTx, Actor), AppError> {
    let write = app.store.write(organization, app.clock.now()).await?;
    let mut tx = write.ok_or_else(|| AppError::no_organization(organization.as_str()))?;
    tx.mark_access_change().await?;
    let user = UserRef {
        org_id: organization.clone(),
        user_id: OPERATOR.to_owned(),
    };
    Ok((
        tx,
        Actor {
            user,
            kind: ActorKind::Person,
            key: None,
        },
    ))
}

/// Creates a key for a user of an organization, bound to the super administrator's role: the way back in when every
/// key has ended.
pub async fn create_key(
    app: &App,
    organization: &OrganizationId,
    user_id: &str,
) -> Result<CreatedKey, AppError> {
    let (mut tx, actor) = begin(app, organization).await?;
    let user = tx
        .find_user(organization, user_id)
        .await?
        .filter(|user| !user.is_deleted);
    let user = user.ok_or_else(|| {
        AppError::NotFound(format!(
            "there is no user {user_id} in {organization}; `forge admin user list --organization {organization}` lists them"
        ))
    })?;
    let role = forge_domain::access::DefaultRole::SuperAdministrator.name();
    let role = tx.find_role(organization, role).await?;
    let role =
        role.ok_or_else(|| AppError::internal(format!("{organization} has no super administrator's role")))?;
    let name = Some(format!("made by an operator for {user_id}"));
    let maker = Maker::alone(actor.user.clone());
    let key = api_keys::insert(app, &mut tx, maker, &role, name, api_keys::LONGEST, false).await?;
    let after = json!({"role_name": role.name, "expires_at": key.expires_at, "for_user": user.id});
    tx.append_audit_event(
        &actor,
        "create",
        AuditObject::new(ObjectKind::ApiKey, key.id),
        Value::Null,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(key)
}

/// A user as operators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUser {
    /// Their id.
    pub id: String,
    /// The name of their role.
    pub role_name: String,
}

/// Returns the users of an organization, super administrators first, each group by id.
pub async fn users(app: &App, organization: &OrganizationId) -> Result<Vec<KnownUser>, AppError> {
    let mut tx = app.store.read().await?;
    let found = tx.find_organization(organization).await?;
    found.ok_or_else(|| AppError::no_organization(organization.as_str()))?;
    let roles = tx.all_roles(organization).await?;
    let mut users: Vec<KnownUser> = Vec::new();
    for user in tx.user_summaries(organization, None).await? {
        let role = roles.iter().find(|role| role.id == user.role_id);
        users.push(KnownUser {
            id: user.id,
            role_name: role.map(|role| role.name.clone()).unwrap_or_default(),
        });
    }
    let first = forge_domain::access::DefaultRole::SuperAdministrator.name();
    users.sort_by_key(|user| (user.role_name != first, user.id.clone()));
    Ok(users)
}

/// Creates a new signing key for an organization.
///
/// Tokens signed by older ones stay valid until they end.
pub async fn rotate_keys(app: &App, organization: &OrganizationId) -> Result<SigningKeyId, AppError> {
    let (mut tx, actor) = begin(app, organization).await?;
    let key = app.new_signing_key(organization)?;
    tx.insert_signing_key(&key).await?;
    let event = AuditObject::new(ObjectKind::SigningKey, key.id);
    tx.append_audit_event(&actor, "create", event, Value::Null, json!({}))
        .await?;
    tx.commit().await?;
    Ok(key.id)
}

/// Closes an organization for maintenance, or opens it again.
pub async fn set_organization_maintenance(
    app: &App,
    organization: &OrganizationId,
    is_on: bool,
) -> Result<(), AppError> {
    let (mut tx, actor) = begin(app, organization).await?;
    tx.set_maintenance(is_on).await?;
    let (before, after) = (json!({"maintenance": !is_on}), json!({"maintenance": is_on}));
    tx.append_audit_event(
        &actor,
        "maintenance",
        AuditObject::new(ObjectKind::Organization, organization),
        before,
        after,
    )
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Closes the whole server for maintenance, or opens it again.
pub async fn set_server_maintenance(app: &App, is_on: bool) -> Result<(), AppError> {
    let (name, on) = MAINTENANCE;
    let mut tx = app.store.write_installation().await?;
    tx.put_setting(name, if is_on { on } else { "off" }).await?;
    tx.commit().await?;
    app.snapshots
        .learn_server_closed(app.store.watermarks().settings(), is_on);
    Ok(())
}

/// Deletes an organization: nothing of it is found any more, and its id is never given again.
///
/// What it wrote stays in the store. The operator's own organization cannot be deleted.
pub async fn delete_organization(app: &App, organization: &OrganizationId) -> Result<(), AppError> {
    let (mut tx, actor) = begin(app, organization).await?;
    let found = tx.find_organization(organization).await?;
    if found.is_some_and(|organization| organization.is_operator) {
        let text = format!("`{organization}` runs this installation and cannot be deleted");
        return Err(AppError::Refused(text));
    }
    tx.append_audit_event(
        &actor,
        "delete",
        AuditObject::new(ObjectKind::Organization, organization),
        json!({}),
        Value::Null,
    )
    .await?;
    tx.delete_organization().await?;
    tx.commit().await?;
    Ok(())
}
