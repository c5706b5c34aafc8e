//! Organizations.

use forge_domain::access::{Attributes, DefaultRole, Permission, Role};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::fault::Fault;
use forge_domain::organization::{InvalidOrganizationId, Organization};
use forge_domain::user::{NewUser, Preferences, Variables};
use forge_domain::{Actor, ActorKind, OrganizationId, Timestamp, UserRef};
use forge_store::{StoreError, WriteTx};
use serde_json::{Value, json};

use crate::identity::api_keys::{self, Maker};
use crate::{App, AppError, Caller, Ctx, Written, commit};

/// Returns an organization, and its details where the caller may see them.
///
/// Whoever asks is told the name: it is what a sign-in page shows.
pub async fn get(
    app: &App,
    id: &OrganizationId,
    caller: Option<&Caller>,
) -> Result<(Organization, bool), AppError> {
    let mut tx = app.store.read().await?;
    let organization = tx
        .find_organization(id)
        .await?
        .ok_or_else(|| AppError::no_organization(id.as_str()))?;
    let may = |caller: &Caller| caller.may(Permission::GetOrganizationDetails, &Attributes::default());
    Ok((organization, caller.is_some_and(may)))
}

/// What a new organization starts with.
///
/// The secret is shown once and kept nowhere.
pub struct NewOrganization {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its super administrator.
    pub user_id: String,
    /// The id of its first API key.
    pub api_key_id: String,
    /// The secret of that key.
    pub api_key: String,
    /// When the key ends.
    pub api_key_expires_at: Timestamp,
}

/// Ids that no organization gets: they mean something else in addresses, or would be mistaken for it.
const RESERVED: &[&str] = &[
    "admin", "api", "docs", "forge", "healthz", "internal", "openapi", "readyz", "v1", "www",
];

/// Creates an organization with the default roles, a super administrator, an API key and a signing key.
///
/// For operators only: whoever calls it has access to the store. The first organization is the operator's own.
pub async fn create(app: &App, id: &OrganizationId) -> Result<NewOrganization, AppError> {
    let (mut tx, user, role) = begin(app, id, id.as_str(), &Preferences::default()).await?;
    let key = api_keys::insert(
        app,
        &mut tx,
        Maker::alone(user.clone()),
        &role,
        Some("first key".to_owned()),
        api_keys::LONGEST,
        false,
    )
    .await?;
    // The operator's command line acts; the first user stands for it.
    let actor = Actor {
        user: user.clone(),
        kind: ActorKind::Person,
        key: None,
    };
    record(
        &mut tx,
        &actor,
        id,
        &json!({"org_name": id, "api_key_id": key.id}),
    )
    .await?;
    tx.commit().await?;
    Ok(NewOrganization {
        organization_id: id.clone(),
        user_id: user.user_id,
        api_key_id: key.id.to_string(),
        api_key: key.secret,
        api_key_expires_at: key.expires_at,
    })
}

/// Creates an organization as one of the operator's users.
///
/// Nobody can sign in to it until an operator makes a key.
pub async fn create_for(
    ctx: Ctx<'_>,
    id: &str,
    name: &str,
    preferences: &Preferences,
) -> Result<OrganizationId, AppError> {
    ctx.caller.authorize(
        Permission::CreateOrganization,
        &Attributes::default().with("organization_id", id),
    )?;
    let mut tx = ctx.app.store.read().await?;
    let own = tx
        .find_organization(&ctx.caller.organization)
        .await?
        .ok_or_else(|| AppError::no_organization(id))?;
    drop(tx);
    if !own.is_operator {
        let text = "only users of the organization that runs this installation create organizations";
        return Err(AppError::InsufficientRole(text.to_owned()));
    }
    let id: OrganizationId = id.parse().map_err(|error: InvalidOrganizationId| {
        let loc = vec!["organization".into()];
        AppError::Invalid(vec![Fault::new(loc, "organization_id", error.to_string())])
    })?;
    if RESERVED.contains(&id.as_str()) {
        return Err(AppError::Refused(format!(
            "`{id}` is reserved; choose another id"
        )));
    }
    let (mut tx, _, _) = begin(ctx.app, &id, name, preferences).await?;
    ctx.app.require_unchanged(&mut tx, ctx.caller).await?;
    record(&mut tx, &ctx.caller.actor(), &id, &json!({"org_name": name})).await?;
    tx.commit().await?;
    Ok(id)
}

/// Begins the creation of an organization: everything but a key to it.
async fn begin(
    app: &App,
    id: &OrganizationId,
    name: &str,
    preferences: &Preferences,
) -> Result<(WriteTx, UserRef, Role), AppError> {
    let mut tx = insert(app, id, name, preferences).await?;
    let mut super_role = None;
    for default in DefaultRole::ALL {
        let role = Role {
            id: app.new_id()?,
            name: default.name().to_owned(),
            description: default.description().to_owned(),
            has_admin_view: default.has_admin_view(),
            grants: default.grants(),
        };
        tx.insert_role(&role).await?;
        super_role = Some(role);
    }
    // The last default role is the greatest.
    let role = super_role.ok_or_else(|| AppError::internal("there are no default roles"))?;
    let user_id = app.new_id::<forge_domain::id::kind::User>()?.to_string();
    tx.insert_user(NewUser {
        id: user_id.clone(),
        role_id: role.id,
        first_name: "Super".to_owned(),
        last_name: "Administrator".to_owned(),
        email: format!("super-administrator@{id}.invalid"),
        preferences: preferences.clone(),
        nonsensitive_variables: Variables::new(),
        sensitive_variable_names: Vec::new(),
        sealed_sensitive_variables: None,
    })
    .await?;
    tx.insert_signing_key(&app.new_signing_key(id)?).await?;
    Ok((
        tx,
        UserRef {
            org_id: id.clone(),
            user_id,
        },
        role,
    ))
}

/// Begins a write to a new organization, the operator's if it is the first.
async fn insert(
    app: &App,
    id: &OrganizationId,
    name: &str,
    preferences: &Preferences,
) -> Result<WriteTx, AppError> {
    let (store, now) = (&app.store, app.clock.now());
    let mut tx = store.write_installation().await?;
    let inserted = tx.insert_organization(id, name, preferences, now).await;
    let is_new = match inserted {
        // Another organization became the operator's at the same moment: then this one is not the first.
        Err(StoreError::Duplicate(_)) => {
            drop(tx);
            tx = store.write_installation().await?;
            tx.insert_organization(id, name, preferences, now).await?
        }
        other => other?,
    };
    if !is_new {
        return Err(AppError::Conflict(format!("organization `{id}` exists already")));
    }
    let write = store.write_created(tx, id, now).await?;
    write.ok_or_else(|| AppError::no_organization(id.as_str()))
}

async fn record(tx: &mut WriteTx, actor: &Actor, id: &OrganizationId, after: &Value) -> Result<(), AppError> {
    let object = AuditObject::new(ObjectKind::Organization, id);
    tx.append_audit_event(actor, "create", object, Value::Null, after.clone())
        .await?;
    Ok(())
}

/// Changes what new users of an organization start with.
pub async fn modify(ctx: Ctx<'_>, preferences: Option<Preferences>) -> Result<Option<Written<()>>, AppError> {
    ctx.caller
        .authorize(Permission::ModifyOrganization, &Attributes::default())?;
    let Some(preferences) = preferences else {
        return Ok(None);
    };
    let mut tx = ctx.app.write(ctx.caller).await?;
    let id = &ctx.caller.organization;
    let old = tx
        .find_organization(id)
        .await?
        .ok_or_else(|| AppError::no_organization(id.as_str()))?;
    if old.default_user_preferences == preferences {
        return Ok(None);
    }
    tx.set_default_preferences(&preferences).await?;
    let object = AuditObject::new(ObjectKind::Organization, id);
    let document = |preferences: &Preferences| json!({"default_user_preferences": preferences});
    let (before, after) = (document(&old.default_user_preferences), document(&preferences));
    tx.append_audit_event(&ctx.caller.actor(), "modify", object, before, after)
        .await?;
    commit(tx, ()).await.map(Some)
}
