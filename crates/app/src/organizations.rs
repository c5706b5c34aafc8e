//! Organizations.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use forge_domain::access::{Attributes, DefaultRole, Permission};
use forge_domain::audit::AuditObject;
use forge_domain::{Actor, ActorKind, OrganizationId, Timestamp, UserRef};
use forge_store::{NewApiKey, NewUser, Organization};
use serde_json::{Value, json};

use crate::sign_in::hash_secret;
use crate::{App, AppError, Caller};

/// How long the first API key of an organization lives: the longest that the contract allows.
const FIRST_KEY_SECONDS: i64 = 90 * 24 * 3600;

pub(crate) fn unknown(id: &str) -> AppError {
    AppError::NotFound(format!("there is no organization `{id}`"))
}

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
        .ok_or_else(|| unknown(id.as_str()))?;
    let may = |caller: &Caller| caller.may(Permission::GetOrganizationDetails, &Attributes::default());
    Ok((organization, caller.is_some_and(may)))
}

/// What a new organization starts with. The secret is shown once and kept nowhere.
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

/// The preferences that new users start with, as the contract's defaults have them.
fn default_preferences() -> Value {
    json!({
        "enable_response_recommendation": false,
        "preferred_language": null,
        "conversations_visible_to_admins": true,
        "user_model_visible_to_admins": true,
        "timezone": null,
        "audio_keyterms": [],
    })
}

/// Creates an organization with the default roles, a super administrator, an API key and a signing key.
///
/// For operators only: whoever calls it has access to the store. The first organization is the operator's own.
pub async fn create(app: &App, id: &OrganizationId) -> Result<NewOrganization, AppError> {
    let now = app.clock.now();
    let created = app
        .store
        .create_organization(id, id.as_str(), &default_preferences(), now)
        .await?;
    let mut tx = created.ok_or_else(|| AppError::Conflict(format!("organization `{id}` exists already")))?;
    let mut super_role = None;
    for role in DefaultRole::ALL {
        let role_id = app.new_id()?;
        tx.insert_role(role_id, role.name()).await?;
        if role == DefaultRole::SuperAdministrator {
            super_role = Some(role_id);
        }
    }
    let role_id = super_role.ok_or_else(|| AppError::internal("there is no super administrator's role"))?;
    let user_id = app.new_id::<forge_domain::id::kind::User>()?.to_string();
    let user = UserRef {
        org_id: id.clone(),
        user_id: user_id.clone(),
    };
    tx.insert_user(NewUser {
        id: user_id.clone(),
        role_id,
        first_name: "Super".to_owned(),
        last_name: "Administrator".to_owned(),
        email: format!("super-administrator@{id}.invalid"),
    })
    .await?;
    let api_key_id = uuid_v4(app.random_bytes()?);
    let api_key = format!("forge_{}", URL_SAFE_NO_PAD.encode(app.random_bytes::<32>()?));
    let api_key_expires_at = now.plus_seconds(FIRST_KEY_SECONDS);
    tx.insert_api_key(NewApiKey {
        id: api_key_id.clone(),
        secret_hash: hash_secret(&api_key),
        role_id,
        name: Some("first key".to_owned()),
        is_agent: false,
        creator: user.clone(),
        expires_at: api_key_expires_at,
    })
    .await?;
    tx.insert_signing_key(&app.new_signing_key(id)?).await?;
    let actor = Actor {
        user,
        kind: ActorKind::Person,
    };
    let object = AuditObject {
        kind: "organization".to_owned(),
        id: id.to_string(),
    };
    let after = json!({"org_id": id, "org_name": id, "api_key_id": api_key_id});
    tx.append_audit_event(&actor, "create", object, Value::Null, after)
        .await?;
    tx.commit().await?;
    Ok(NewOrganization {
        organization_id: id.clone(),
        user_id,
        api_key_id,
        api_key,
        api_key_expires_at,
    })
}

/// Formats random bytes as a UUID of version 4, the form that API key ids have.
fn uuid_v4(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = forge_domain::hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
