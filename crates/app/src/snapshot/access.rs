//! Who may do what, as a server remembers it: enough to sign users in and to recognise them without the database.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use forge_domain::access::{Grant, Privileges};
use forge_domain::api_key::ApiKeyId;
use forge_domain::{OrganizationId, RoleId, SigningKeyId, Timestamp};
use forge_store::{KeySummary, SigningKey, StoreError, TimedGrant, Tx, UserSummary};
use rpds::HashTrieMapSync;

use crate::access::privileges;

/// The users, keys, roles and grants of an organization at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    roles: Arc<Roles>,
    users: HashTrieMapSync<String, RoleId>,
    keys: HashTrieMapSync<ApiKeyId, Arc<KeySummary>>,
    grants: Grants,
    signing_keys: Arc<[SigningKey]>,
}

/// The temporary grants of each user, in order of creation.
type Grants = HashTrieMapSync<String, Arc<[TimedGrant]>>;

#[derive(Debug, Default)]
struct Roles {
    privileges: HashMap<RoleId, Arc<Privileges>>,
    /// Whether a key of the one role signs in users of the other, as far as somebody asked: comparing roles is the
    /// dearest part of recognising a token.
    signs_in: RwLock<HashMap<(RoleId, RoleId), bool>>,
}

/// A user who is there.
#[derive(Debug, Clone)]
pub(crate) struct KnownUser {
    pub(crate) role_id: RoleId,
    pub(crate) privileges: Arc<Privileges>,
}

impl Access {
    /// Reads all of it.
    pub(crate) async fn load(
        tx: &mut Tx,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let roles = tx.all_roles(organization).await?;
        let privileges = roles
            .iter()
            .map(|role| (role.id, Arc::new(privileges::of(role))))
            .collect();
        let users = tx.user_summaries(organization, None).await?;
        let keys = tx.key_summaries(organization, None).await?;
        Ok(Self {
            roles: Arc::new(Roles {
                privileges,
                ..Roles::default()
            }),
            users: users.into_iter().map(|user| (user.id, user.role_id)).collect(),
            keys: keys.into_iter().map(|key| (key.id, Arc::new(key))).collect(),
            grants: load_grants(tx, organization, now).await?,
            signing_keys: tx.all_signing_keys(organization).await?.into(),
        })
    }

    /// Reads a user again, with the temporary grants, which end where a user is given less.
    pub(crate) async fn reload_user(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let grants = tx.timed_grants(organization, now, Some(id)).await?;
        self.grants.insert_mut(id.to_owned(), grants.into());
        self.users.remove_mut(id);
        for UserSummary { id, role_id } in tx.user_summaries(organization, Some(id)).await? {
            self.users.insert_mut(id, role_id);
        }
        Ok(())
    }

    /// Reads an API key again.
    pub(crate) async fn reload_key(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        id: ApiKeyId,
    ) -> Result<(), StoreError> {
        self.keys.remove_mut(&id);
        for key in tx.key_summaries(organization, Some(id)).await? {
            self.keys.insert_mut(key.id, Arc::new(key));
        }
        Ok(())
    }

    /// Reads the temporary grants again.
    pub(crate) async fn reload_grants(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.grants = load_grants(tx, organization, now).await?;
        Ok(())
    }

    /// Returns a user who is there.
    pub(crate) fn user(&self, id: &str) -> Option<KnownUser> {
        let role_id = *self.users.get(id)?;
        let privileges = Arc::clone(self.roles.privileges.get(&role_id)?);
        Some(KnownUser { role_id, privileges })
    }

    /// Returns an API key that can be used at `now`.
    pub(crate) fn key(&self, id: &str, now: Timestamp) -> Option<Arc<KeySummary>> {
        let key = self.keys.get(&id.parse().ok()?);
        key.filter(|key| now < key.expires_at).cloned()
    }

    /// Returns `true` if a key signs in a user: the user's role must be the lesser one.
    pub(crate) fn signs_in(&self, key: &KeySummary, user: &KnownUser) -> bool {
        let pair = (key.role_id, user.role_id);
        let known = self.roles.signs_in.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = known.get(&pair) {
            return *answer;
        }
        drop(known);
        let key_role = self.roles.privileges.get(&key.role_id);
        let answer = key_role.is_some_and(|role| role.exceed(&user.privileges));
        let mut known = self
            .roles
            .signs_in
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(pair, answer);
        answer
    }

    /// Returns what a user who is signed in with this key may do at `now` by temporary grants.
    pub(crate) fn temporary_grants(&self, user: &str, key: &KeySummary, now: Timestamp) -> Vec<Grant> {
        let grants = self.grants.get(user).map(Arc::as_ref).unwrap_or_default();
        let live = grants.iter().filter(|grant| now < grant.expires_at);
        let live: Vec<Grant> = live.map(|grant| grant.grant.clone()).collect();
        match self.roles.privileges.get(&key.role_id) {
            Some(role) if !live.is_empty() => privileges::lent(role, live),
            _ => Vec::new(),
        }
    }

    /// Returns the signing key of that id.
    pub(crate) fn signing_key(&self, id: SigningKeyId) -> Option<&SigningKey> {
        self.signing_keys.iter().find(|key| key.id == id)
    }

    /// Returns the key that signs new tokens.
    pub(crate) fn newest_signing_key(&self) -> Option<&SigningKey> {
        self.signing_keys.last()
    }
}

async fn load_grants(
    tx: &mut Tx,
    organization: &OrganizationId,
    now: Timestamp,
) -> Result<Grants, StoreError> {
    let mut by_user: HashMap<String, Vec<TimedGrant>> = HashMap::new();
    for grant in tx.timed_grants(organization, now, None).await? {
        by_user.entry(grant.user_id.clone()).or_default().push(grant);
    }
    Ok(by_user
        .into_iter()
        .map(|(user, grants)| (user, grants.into()))
        .collect())
}
