//! Signing in, and recognising who has.

use forge_domain::access::Privileges;
use forge_domain::{ActorKind, OrganizationId, Timestamp, UserRef, hex};
use forge_store::{ApiKey, Tx, User};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::tokens::{Claims, TOKEN_SECONDS};
use crate::{App, AppError, Caller, Credentials, organizations, privileges, roles};

/// A token, and when it ends.
#[derive(Clone)]
pub struct Session {
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// One text for a key that is unknown, wrong, expired or revoked and for a user that is unknown: an attacker learns
/// nothing from which it was.
const REFUSED: AppError = AppError::Unauthenticated(
    "the API key or the user is not valid: check the key's id, its secret and expiry, and that the user exists and \
     has a lower role than the key",
);

/// Signs a user in with an API key of the organization.
pub async fn with_api_key(
    app: &App,
    organization: &OrganizationId,
    key_id: &str,
    secret: &str,
    user_id: &str,
) -> Result<Session, AppError> {
    let now = app.clock.now();
    let mut tx = app.store.read().await?;
    let key = tx.find_api_key(organization, key_id).await?;
    // An unknown key costs what a known one does: the comparison takes place all the same.
    let expected = key
        .as_ref()
        .map_or_else(|| hash_secret(""), |key| key.secret_hash.clone());
    let is_secret_right = bool::from(hash_secret(secret).as_bytes().ct_eq(expected.as_bytes()));
    let user = tx.find_user(organization, user_id).await?;
    let (Some(key), Some(user), true) = (key, user, is_secret_right) else {
        return Err(REFUSED);
    };
    if !is_alive(&key, now) || user.is_deleted || !roles::may_sign_in(&key.role, &user.role) {
        return Err(REFUSED);
    }
    let claims = Claims {
        iss: organization.clone(),
        sub: user.id,
        key: key.id,
        iat: now.as_seconds(),
        exp: now.plus_seconds(TOKEN_SECONDS).min(key.expires_at).as_seconds(),
    };
    let token = app.sign(&mut tx, &claims).await?;
    Ok(Session {
        token,
        expires_at: claims.expires_at(),
    })
}

/// Returns the caller that the credentials prove, acting in the organization of the path.
pub async fn authenticate(
    app: &App,
    organization: &OrganizationId,
    credentials: &Credentials<'_>,
) -> Result<Caller, AppError> {
    let issuer = match credentials.issuer {
        Some(issuer) => issuer
            .parse()
            .map_err(|_| AppError::Unauthenticated("the header X-ORG-ID names no organization"))?,
        None => organization.clone(),
    };
    let mut tx = app.store.read().await?;
    let claims = app.verify(&mut tx, &issuer, credentials.token).await?;
    let (user, key) = session(app, &mut tx, &issuer, &claims).await?;
    // Only after the token is verified, and as a whole: both halves may contain the separator.
    if credentials
        .basic_user
        .is_some_and(|name| name != format!("{issuer}_{}", user.id))
    {
        return Err(AppError::Unauthenticated(
            "the user name is not that of the token's user",
        ));
    }
    let is_declared_agent = credentials.is_declared_agent;
    let kind = if key.is_agent || is_declared_agent {
        ActorKind::Agent
    } else {
        ActorKind::Key
    };
    let mut privileges = Privileges {
        role_name: String::new(),
        grants: Vec::new(),
    };
    let mut grants = Vec::new();
    // A token of another organization brings no rights along.
    if issuer == *organization {
        privileges = privileges::of(&user.role);
        grants.clone_from(&privileges.grants);
        let now = app.clock.now();
        grants.extend(tx.live_temporary_grants(organization, &user.id, now).await?);
    }
    let user = UserRef {
        org_id: issuer,
        user_id: user.id,
    };
    Ok(Caller {
        organization: organization.clone(),
        user,
        kind,
        grants,
        privileges,
    })
}

/// Returns the user and the key of a token, provided that both still count.
async fn session(
    app: &App,
    tx: &mut Tx,
    issuer: &OrganizationId,
    claims: &Claims,
) -> Result<(User, ApiKey), AppError> {
    let ended = AppError::Unauthenticated("the token's user or API key is gone; sign in again");
    let Some(user) = tx.find_user(issuer, &claims.sub).await? else {
        return Err(ended);
    };
    let Some(key) = tx.find_api_key(issuer, &claims.key).await? else {
        return Err(ended);
    };
    // A user who has risen above the key since does not act through it any more.
    let may_sign_in = roles::may_sign_in(&key.role, &user.role);
    if user.is_deleted || !is_alive(&key, app.clock.now()) || !may_sign_in {
        return Err(ended);
    }
    Ok((user, key))
}

fn is_alive(key: &ApiKey, now: Timestamp) -> bool {
    key.revoked_at.is_none() && now < key.expires_at
}

/// Returns what is stored of an API key's secret: its SHA-256, in hex. The secret is random, so that is enough.
pub(crate) fn hash_secret(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// The name of the setting that closes the whole server for maintenance, and its value when it does.
pub(crate) const MAINTENANCE: (&str, &str) = ("maintenance", "on");

/// Refuses an organization that does not exist or, unless `in_maintenance_too`, is closed for maintenance, before
/// anything else is looked at.
pub async fn require_organization(
    app: &App,
    id: &str,
    in_maintenance_too: bool,
) -> Result<OrganizationId, AppError> {
    let unknown = || organizations::unknown(id);
    let id: OrganizationId = id.parse().map_err(|_| unknown())?;
    let mut tx = app.store.read().await?;
    let organization = tx.find_organization(&id).await?.ok_or_else(unknown)?;
    if in_maintenance_too {
        return Ok(id);
    }
    let is_server_closed = tx.find_setting(MAINTENANCE.0).await?.as_deref() == Some(MAINTENANCE.1);
    if organization.is_in_maintenance || is_server_closed {
        return Err(AppError::Maintenance);
    }
    Ok(id)
}
