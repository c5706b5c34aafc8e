//! Tokens: EdDSA-signed JWTs under a key of the organization.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_domain::{OrganizationId, SigningKeyId};
use forge_store::{SigningKey, Store, Tx};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

use crate::access::claims::Claims;
use crate::snapshot::Access;
use crate::{App, AppError};

/// How long a token lives: clients refresh when under five minutes are left.
pub(crate) const TOKEN_SECONDS: i64 = 3600;

/// How far the clocks of two nodes may differ.
const CLOCK_SKEW_SECONDS: i64 = 30;

/// The token is none, or nobody here signed it.
pub(crate) const INVALID_TOKEN: AppError =
    AppError::Unauthenticated("the token is not valid here; sign in again");

fn seal_context(organization: &OrganizationId, key_id: SigningKeyId) -> String {
    format!("signing-key/{organization}/{key_id}")
}

/// Returns the key that an organization signs with.
pub(crate) async fn require_signing_key(
    tx: &mut Tx,
    organization: &OrganizationId,
) -> Result<SigningKey, AppError> {
    let key = tx.newest_signing_key(organization).await?;
    key.ok_or_else(|| AppError::internal(format!("{organization} has no signing key")))
}

impl App {
    /// Creates a signing key for an organization.
    pub(crate) fn new_signing_key(&self, organization: &OrganizationId) -> Result<SigningKey, AppError> {
        let id = self.new_id()?;
        let no_key = |_| AppError::internal("cannot make a signing key");
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(no_key)?;
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref())
            .map_err(|_| AppError::internal("cannot read a new signing key"))?;
        let sealed = self.keyring.seal(&seal_context(organization, id), pkcs8.as_ref());
        Ok(SigningKey {
            public_key: STANDARD.encode(pair.public_key()),
            sealed_private_key: sealed.map_err(|error| AppError::Internal(Box::new(error)))?,
            id,
        })
    }

    pub(crate) fn open_signing_key(
        &self,
        organization: &OrganizationId,
        key: &SigningKey,
    ) -> Result<Vec<u8>, AppError> {
        self.keyring
            .open(&seal_context(organization, key.id), &key.sealed_private_key)
            .ok_or_else(|| {
                AppError::internal(format!(
                    "the master key does not open signing key {} of {organization}",
                    key.id
                ))
            })
    }

    /// Returns `true` if the store holds any organization yet.
    pub async fn has_organizations(store: &Store) -> Result<bool, AppError> {
        Ok(!store.read().await?.list_organization_ids().await?.is_empty())
    }

    /// Returns `true` if the master key is the one that the store's secrets are sealed under.
    pub async fn check_master_key(&self) -> Result<bool, AppError> {
        let mut tx = self.store.read().await?;
        for organization in tx.list_organization_ids().await? {
            if let Some(key) = tx.newest_signing_key(&organization).await? {
                return Ok(self.open_signing_key(&organization, &key).is_ok());
            }
        }
        Ok(true)
    }

    /// Signs a token.
    pub(crate) fn sign(&self, access: &Access, claims: &Claims) -> Result<String, AppError> {
        let organization = &claims.iss;
        let key = access.newest_signing_key();
        let key = key.ok_or_else(|| AppError::internal(format!("{organization} has no signing key")))?;
        let private_key = EncodingKey::from_ed_der(&self.open_signing_key(organization, key)?);
        let header = Header {
            kid: Some(key.id.to_string()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &private_key)
            .map_err(|error| AppError::Internal(Box::new(error)))
    }

    /// Returns what a token says, provided that the organization signed it and that it has not ended.
    pub(crate) fn verify(
        &self,
        access: &Access,
        issuer: &OrganizationId,
        token: &str,
    ) -> Result<Arc<Claims>, AppError> {
        let now = self.clock.now();
        let tokens = &self.snapshots.tokens;
        let claims = if let Some(claims) = tokens.find(issuer, token) {
            claims
        } else {
            let claims = Arc::new(check_signature(access, issuer, token)?);
            tokens.remember(issuer, token, Arc::clone(&claims));
            claims
        };
        if claims.iat > now.as_seconds() + CLOCK_SKEW_SECONDS {
            return Err(INVALID_TOKEN);
        }
        if claims.exp <= now.as_seconds() {
            return Err(AppError::Unauthenticated("the token has expired; sign in again"));
        }
        Ok(claims)
    }
}

/// Returns what a token says, provided that the organization signed it, whenever that was.
fn check_signature(access: &Access, issuer: &OrganizationId, token: &str) -> Result<Claims, AppError> {
    let Ok(header) = jsonwebtoken::decode_header(token) else {
        return Err(INVALID_TOKEN);
    };
    let (Algorithm::EdDSA, Some(kid)) = (header.alg, header.kid) else {
        return Err(INVALID_TOKEN);
    };
    // Keys are looked up in the issuing organization only: another one's key proves nothing here.
    let Some(key) = kid.parse().ok().and_then(|id| access.signing_key(id)) else {
        return Err(INVALID_TOKEN);
    };
    let Ok(public_key) = STANDARD.decode(&key.public_key) else {
        return Err(AppError::internal(format!(
            "the public key {kid} of {issuer} is no base64"
        )));
    };
    let mut validation = Validation::new(Algorithm::EdDSA);
    // Times are checked against our own clock, and every time.
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_ed_der(&public_key), &validation);
    match decoded {
        Ok(data) if data.claims.iss == *issuer => Ok(data.claims),
        _ => Err(INVALID_TOKEN),
    }
}
