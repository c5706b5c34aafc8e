//! API keys.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use forge_domain::access::{Attributes, Permission, Role};
use forge_domain::api_key::{ApiKey, ApiKeyId, NewApiKey};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::fault::Fault;
use forge_domain::{ActorKind, OrganizationId, Timestamp, UserRef};
use forge_store::{StoreError, Tx, WriteTx};
use serde_json::{Value, json};

use crate::access::resource::Resource;
use crate::access::secrets::hash_secret;
use crate::identity::roles;
use crate::names::new_name;
use crate::{App, AppError, Caller, Ctx, Written, commit};

/// How many keys an organization may have.
pub const MAX_KEYS: usize = 20;

/// How long a key may live.
pub const LONGEST: Duration = Duration::from_hours(90 * 24);
const SHORTEST: Duration = Duration::from_hours(24);

/// A key that was not revoked.
impl Resource for ApiKey {
    type Key = ApiKeyId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &ApiKeyId,
    ) -> Result<Option<Self>, StoreError> {
        let found = tx.find_api_key(organization, *id).await?;
        Ok(found.filter(|key| key.revoked_at.is_none()))
    }

    fn not_found(_: &ApiKeyId) -> AppError {
        no_such_key()
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        Attributes::default()
            .with("api_key_id", self.id.to_string())
            .with("role_name", self.role.name.as_str())
    }
}

fn no_such_key() -> AppError {
    AppError::NotFound("there is no such API key".to_owned())
}

fn audit_document(name: Option<&str>, role_name: &str, expires_at: Timestamp, is_agent: bool) -> Value {
    json!({"name": name, "role_name": role_name, "expires_at": expires_at, "is_agent": is_agent})
}

/// A new key.
///
/// The secret is shown this once and kept nowhere.
pub struct CreatedKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its secret.
    pub secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// How many could be behind a key beside its maker, at most: each is told with everything that is done with it.
pub const MAX_BEHIND: usize = 8;

/// Who makes a key: a user, and whoever else could be doing that in their name.
pub(crate) struct Maker {
    pub(crate) user: UserRef,
    pub(crate) behind: Vec<UserRef>,
}

impl Maker {
    /// Returns a maker behind whom nobody else is.
    pub(crate) fn alone(user: UserRef) -> Self {
        Self {
            user,
            behind: Vec::new(),
        }
    }

    /// Returns the caller, with all who could be behind them: a further key hides nobody.
    fn calling(caller: &Caller) -> Result<Self, AppError> {
        let behind = caller.others_behind();
        if behind.len() > MAX_BEHIND {
            return Err(AppError::Refused(format!(
                "more than {MAX_BEHIND} users could be behind this key, as keys were made with keys that others made; sign in \
                 with one that you, an operator or a super administrator made"
            )));
        }
        Ok(Self {
            user: caller.user.clone(),
            behind,
        })
    }
}

/// Adds a key in a write that is under way.
pub(crate) async fn insert(
    app: &App,
    tx: &mut WriteTx,
    maker: Maker,
    role: &Role,
    name: Option<String>,
    duration: Duration,
    is_agent: bool,
) -> Result<CreatedKey, AppError> {
    let id = ApiKeyId::new(app.random_bytes()?);
    let secret = format!("forge_{}", URL_SAFE_NO_PAD.encode(app.random_bytes::<32>()?));
    let expires_at = app.clock.now() + duration;
    tx.insert_api_key(NewApiKey {
        id,
        object_id: app.new_id()?,
        secret_hash: hash_secret(&secret),
        role_id: role.id,
        name,
        is_agent,
        creator: maker.user,
        behind: maker.behind,
        expires_at,
    })
    .await?;
    Ok(CreatedKey {
        id,
        secret,
        expires_at,
    })
}

/// Returns whether a further key is an AI agent's.
///
/// What an agent makes is an agent's: else it would act as a program tomorrow.
fn is_of_agent(caller: &Caller, wanted: Option<bool>) -> Result<bool, AppError> {
    match (caller.kind, wanted) {
        (ActorKind::Agent, Some(false)) => Err(AppError::InsufficientRole(
            "an AI agent makes keys for AI agents only: leave out `actor_kind`, or say `agent`".to_owned(),
        )),
        (ActorKind::Agent, _) => Ok(true),
        (_, wanted) => Ok(wanted.unwrap_or(false)),
    }
}

/// Creates a key that signs in users of roles less than its own.
///
/// Unless it is said whether it is an AI agent's, it is what the caller is.
pub async fn create(
    ctx: Ctx<'_>,
    name: Option<String>,
    role_name: &str,
    duration: Duration,
    is_agent: Option<bool>,
) -> Result<Written<CreatedKey>, AppError> {
    if !(SHORTEST..=LONGEST).contains(&duration) {
        let loc = vec!["duration".into()];
        let fault = Fault::new(loc, "duration", "a key lives 1 to 90 days: P1D to P90D");
        return Err(AppError::Invalid(vec![fault]));
    }
    let name = name.map(|name| new_name("name", &name)).transpose()?;
    let named = |name: &str| Attributes::default().with("role_name", name);
    ctx.caller
        .authorize(Permission::CreateApiKey, &named(role_name))?;
    let maker = Maker::calling(ctx.caller)?;
    let is_agent = is_of_agent(ctx.caller, is_agent)?;
    let mut tx = ctx.app.write_access(ctx.caller).await?;
    let role = roles::find_to_give(&mut tx, ctx.caller, role_name).await?;
    // The name may have been spelled in another way.
    ctx.caller
        .authorize(Permission::CreateApiKey, &named(&role.name))?;
    let now = ctx.app.clock.now();
    if tx.list_api_keys(&ctx.caller.organization, now).await?.len() >= MAX_KEYS {
        let text = format!("the organization has {MAX_KEYS} API keys already; delete one first");
        return Err(AppError::Refused(text));
    }
    let key = insert(ctx.app, &mut tx, maker, &role, name.clone(), duration, is_agent).await?;
    let after = audit_document(name.as_deref(), &role.name, key.expires_at, is_agent);
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::new(ObjectKind::ApiKey, key.id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, key).await
}

/// Returns the keys that the caller may see and that can still be used.
pub async fn list(ctx: Ctx<'_>) -> Result<Vec<ApiKey>, AppError> {
    if !ctx.caller.may_some(Permission::GetApiKey) {
        return Ok(Vec::new());
    }
    let mut tx = ctx.app.store.read().await?;
    let mut keys = tx
        .list_api_keys(&ctx.caller.organization, ctx.app.clock.now())
        .await?;
    keys.retain(|key| key.allows(ctx.caller, Permission::GetApiKey));
    Ok(keys)
}

/// Returns the ids of the keys that can still be used and that a user made, or could have made.
///
/// They go on when the user is given less or deleted, for others sign in with them, too; but the user may know the
/// secrets.
pub(crate) async fn known_to(app: &App, tx: &mut Tx, user: &UserRef) -> Result<Vec<ApiKeyId>, AppError> {
    let keys = tx.list_api_keys(&user.org_id, app.clock.now()).await?;
    let may_know = |key: &ApiKey| key.creator == *user || key.behind.contains(user);
    Ok(keys.into_iter().filter(may_know).map(|key| key.id).collect())
}

/// Ends a key, and with it every token got with it.
pub async fn delete(ctx: Ctx<'_>, id: &str) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::DeleteApiKey;
    let mut tx = ctx.write_access(PERMISSION).await?;
    let id: ApiKeyId = id.parse().map_err(|_| no_such_key())?;
    let key: ApiKey = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    ctx.caller.require_not_above(&key.role)?;
    tx.revoke_api_key(id).await?;
    let before = audit_document(key.name.as_deref(), &key.role.name, key.expires_at, key.is_agent);
    tx.append_audit_event(
        &ctx.caller.actor(),
        "delete",
        AuditObject::new(ObjectKind::ApiKey, id),
        before,
        Value::Null,
    )
    .await?;
    commit(tx, ()).await
}
