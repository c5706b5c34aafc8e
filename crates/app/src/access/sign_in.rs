//! Signing in, and recognising who has.

use std::sync::Arc;

use forge_domain::{ActorKey, ActorKind, OrganizationId, Timestamp, UserRef};
use forge_store::{KeySummary, Tx};
use subtle::ConstantTimeEq as _;

use crate::access::claims::Claims;
use crate::access::privileges;
use crate::access::secrets::hash_secret;
use crate::access::tokens::{INVALID_TOKEN, TOKEN_SECONDS};
use crate::identity::roles;
use crate::snapshot::{Access, KnownUser};
use crate::{App, AppError, Caller, Credentials, Ctx};

/// A token, and when it ends.
#[derive(Clone)]
pub struct IssuedToken {
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
) -> Result<IssuedToken, AppError> {
    let known = app.snapshots.organization(app, organization).await?;
    let sign_in = |access: &Access| sign_in(app, access, organization, key_id, secret, user_id);
    match sign_in(&known.state.access) {
        // Another server may have made the key or the user a moment ago.
        Err(AppError::Unauthenticated(_)) if app.snapshots.refresh(app, &known).await => {
            let known = app.snapshots.organization(app, organization).await?;
            known.found(sign_in(&known.state.access))
        }
        done => known.found(done),
    }
}

fn sign_in(
    app: &App,
    access: &Access,
    organization: &OrganizationId,
    key_id: &str,
    secret: &str,
    user_id: &str,
) -> Result<IssuedToken, AppError> {
    let now = app.clock.now();
    let key = access.key(key_id, now);
    // An unknown key costs what a known one does: the comparison takes place all the same.
    let expected = key
        .as_ref()
        .map_or_else(|| hash_secret(""), |key| key.secret_hash.clone());
    let is_secret_right = bool::from(hash_secret(secret).as_bytes().ct_eq(expected.as_bytes()));
    let (Some(key), Some(user), true) = (key, access.user(user_id), is_secret_right) else {
        return Err(REFUSED);
    };
    if !access.signs_in(&key, &user) {
        return Err(REFUSED);
    }
    let claims = Claims {
        iss: organization.clone(),
        sub: user_id.to_owned(),
        iat: now.as_seconds(),
        exp: now.plus_seconds(TOKEN_SECONDS).min(key.expires_at).as_seconds(),
        key: key.id.to_string(),
    };
    let token = app.sign(access, &claims)?;
    Ok(IssuedToken {
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
    let invalid = |error| match error {
        // Credentials of an organization that is not there prove nothing.
        AppError::NotFound(_) => INVALID_TOKEN,
        error => error,
    };
    let mut known = app.snapshots.organization(app, &issuer).await.map_err(invalid)?;
    let recognised = recognise(app, &known.state.access, &issuer, credentials.token);
    let (claims, user, key) = match recognised {
        // Another server may have made the key or the user a moment ago.
        Err(AppError::Unauthenticated(_)) if app.snapshots.refresh(app, &known).await => {
            known = app.snapshots.organization(app, &issuer).await.map_err(invalid)?;
            known.found(recognise(app, &known.state.access, &issuer, credentials.token))?
        }
        done => known.found(done)?,
    };
    let access = &known.state.access;
    // Only after the token is verified, and as a whole: both halves may contain the separator.
    if credentials
        .basic_user
        .is_some_and(|name| name != format!("{issuer}_{}", claims.sub))
    {
        return Err(AppError::Unauthenticated(
            "the user name is not that of the token's user",
        ));
    }
    let kind = if key.is_agent || credentials.is_declared_agent {
        ActorKind::Agent
    } else {
        ActorKind::Key
    };
    // A token of another organization brings no rights along.
    let is_own = issuer == *organization;
    let (privileges, temporary_grants) = if is_own {
        let grants = access.temporary_grants(&claims.sub, &key, app.clock.now());
        (user.privileges, grants)
    } else {
        (Arc::default(), Vec::new())
    };
    Ok(Caller {
        organization: organization.clone(),
        kind,
        key: ActorKey {
            id: key.id.to_string(),
            created_by: key.creator.clone(),
            behind: key.behind.clone(),
        },
        privileges,
        temporary_grants,
        ends_at: claims.expires_at(),
        // What changes elsewhere gives or takes nothing here.
        known_at: if is_own {
            known.state.change_number()
        } else {
            i64::MAX
        },
        user: UserRef {
            org_id: issuer,
            user_id: claims.sub.clone(),
        },
    })
}

/// Returns what a token says, its user and its key, provided that all three count.
pub(crate) fn recognise(
    app: &App,
    access: &Access,
    issuer: &OrganizationId,
    token: &str,
) -> Result<(Arc<Claims>, KnownUser, Arc<KeySummary>), AppError> {
    let claims = app.verify(access, issuer, token)?;
    let user = access.user(&claims.sub);
    let key = access.key(&claims.key, app.clock.now());
    match (user, key) {
        // A user who has risen above the key since does not act through it any more.
        (Some(user), Some(key)) if access.signs_in(&key, &user) => Ok((claims, user, key)),
        _ => Err(AppError::Unauthenticated(
            "the token's user or API key is gone; sign in again",
        )),
    }
}

/// Returns `true` if this server sees a change of the organization, without a look at the database.
pub async fn sees(app: &App, organization: &OrganizationId, change_number: i64) -> Result<bool, AppError> {
    let known = app.snapshots.organization(app, organization).await?;
    Ok(known.state.change_number() >= change_number)
}

/// Waits until this server sees a change of the organization, whichever server made it.
pub async fn wait_for(app: &App, organization: &OrganizationId, change_number: i64) -> Result<(), AppError> {
    app.snapshots.wait_for(app, organization, change_number).await
}

const ENDED: AppError = AppError::Unauthenticated("the token has ended; sign in again");

/// Returns a caller who was recognised a while ago as they are now.
///
/// # Errors
/// Refuses one whose token has ended, or whose user or key is gone.
pub(crate) async fn recognise_again(ctx: Ctx<'_>) -> Result<Caller, AppError> {
    if ctx.app.clock.now() < ctx.caller.ends_at {
        recognise_still(ctx).await
    } else {
        Err(ENDED)
    }
}

/// The same for a caller who goes on with what they began before their token ended.
pub(crate) async fn recognise_still(ctx: Ctx<'_>) -> Result<Caller, AppError> {
    let Ctx { app, caller } = ctx;
    let known = app.snapshots.organization(app, &caller.user.org_id).await?;
    let (access, now) = (&known.state.access, app.clock.now());
    let (user, key) = (access.user(&caller.user.user_id), access.key(&caller.key.id, now));
    let (Some(user), Some(key)) = (user, key) else {
        return Err(ENDED);
    };
    if !access.signs_in(&key, &user) {
        return Err(ENDED);
    }
    let mut caller = caller.clone();
    if caller.user.org_id == caller.organization {
        caller.privileges = user.privileges;
        caller.temporary_grants = access.temporary_grants(&caller.user.user_id, &key, now);
        caller.known_at = known.state.change_number();
    }
    Ok(caller)
}

/// Returns `true` if a caller may still do what they could when they were recognised, by the state of the transaction.
pub(crate) async fn is_unchanged(ctx: Ctx<'_>, tx: &mut Tx) -> Result<bool, AppError> {
    let (organization, now) = (&ctx.caller.organization, ctx.app.clock.now());
    let user = tx.find_user(organization, &ctx.caller.user.user_id).await?;
    let Ok(key_id) = ctx.caller.key.id.parse() else {
        return Ok(false);
    };
    let key = tx.find_api_key(organization, key_id).await?;
    let (Some(user), Some(key)) = (user, key) else {
        return Ok(false);
    };
    let grants = tx.live_temporary_grants(organization, &user.id, now).await?;
    let grants = privileges::lent(&privileges::of(&key.role), grants);
    Ok(!user.is_deleted
        && key.revoked_at.is_none()
        && now < key.expires_at
        && roles::may_sign_in(&key.role, &user.role)
        && privileges::of(&user.role) == *ctx.caller.privileges
        && grants == ctx.caller.temporary_grants)
}

/// Refuses an organization that does not exist or, unless `in_maintenance_too`, is closed for maintenance, before
/// anything else is looked at.
pub async fn require_organization(
    app: &App,
    id: &str,
    in_maintenance_too: bool,
) -> Result<OrganizationId, AppError> {
    let id: OrganizationId = id.parse().map_err(|_| AppError::no_organization(id))?;
    let known = app.snapshots.organization(app, &id).await?;
    if in_maintenance_too {
        return Ok(id);
    }
    if known.state.organization.is_in_maintenance || app.snapshots.is_server_closed(app).await? {
        return Err(AppError::Maintenance);
    }
    Ok(id)
}
