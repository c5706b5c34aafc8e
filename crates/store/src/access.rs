//! Roles, users, API keys and signing keys.

use forge_domain::{OrganizationId, RoleId, Timestamp, UserRef};

use crate::StoreError;
use crate::row::{Row, args};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_ROLE = "INSERT INTO role (organization_id, id, seq, name, created_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM role WHERE organization_id = $1), $3, $4)";
    FIND_ROLE_BY_NAME = "SELECT id AS role_id, name AS role_name FROM role WHERE organization_id = $1 AND name = $2";
    INSERT_USER = "INSERT INTO app_user
            (organization_id, id, seq, role_id, first_name, last_name, email, is_deleted, created_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM app_user WHERE organization_id = $1),
            $3, $4, $5, $6, FALSE, $7)";
    FIND_USER = "SELECT app_user.id, role_id, role.name AS role_name, is_deleted
        FROM app_user
        JOIN role ON role.organization_id = app_user.organization_id AND role.id = app_user.role_id
        WHERE app_user.organization_id = $1 AND app_user.id = $2";
    INSERT_API_KEY = "INSERT INTO api_key (organization_id, id, seq, secret_hash, role_id, name, is_agent,
            creator_org_id, creator_user_id, created_at, expires_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM api_key WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND_API_KEY = "SELECT api_key.id, secret_hash, role_id, role.name AS role_name, is_agent, expires_at, revoked_at
        FROM api_key
        JOIN role ON role.organization_id = api_key.organization_id AND role.id = api_key.role_id
        WHERE api_key.organization_id = $1 AND api_key.id = $2";
    INSERT_SIGNING_KEY = "INSERT INTO signing_key (organization_id, id, public_key, sealed_private_key, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    FIND_SIGNING_KEY = "SELECT id, public_key, sealed_private_key FROM signing_key
        WHERE organization_id = $1 AND id = $2";
    NEWEST_SIGNING_KEY = "SELECT id, public_key, sealed_private_key FROM signing_key
        WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// A role, without what it grants: default roles are code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
}

/// A user, as far as access needs to know one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id, a free string.
    pub id: String,
    /// The user's role.
    pub role: Role,
    /// Whether the user was deleted.
    pub is_deleted: bool,
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user's id, a free string.
    pub id: String,
    /// The user's role.
    pub role_id: RoleId,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Email address.
    pub email: String,
}

/// An API key; the secret itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: String,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// The role it is bound to.
    pub role: Role,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// An API key to be created.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its id.
    pub id: String,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// The role it is bound to.
    pub role_id: RoleId,
    /// Its name, for people.
    pub name: Option<String>,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who creates it.
    pub creator: UserRef,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A key that signs an organization's tokens; the private half is sealed under the master key.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of the tokens it signs.
    pub id: String,
    /// The public half, in base64.
    pub public_key: String,
    /// The private half, sealed, in base64.
    pub sealed_private_key: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

fn role(row: &Row<'_>) -> Result<Role, StoreError> {
    Ok(Role {
        id: row.parse("role_id")?,
        name: row.text("role_name")?,
    })
}

fn user(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.text("id")?,
        role: role(row)?,
        is_deleted: row.boolean("is_deleted")?,
    })
}

fn api_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.text("id")?,
        secret_hash: row.text("secret_hash")?,
        role: role(row)?,
        is_agent: row.boolean("is_agent")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_integer("revoked_at")?.map(Timestamp::from_millis),
    })
}

fn signing_key(row: &Row<'_>) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        id: row.text("id")?,
        public_key: row.text("public_key")?,
        sealed_private_key: row.text("sealed_private_key")?,
    })
}

impl Tx {
    /// Returns the role of that name.
    pub async fn find_role(
        &mut self,
        organization: &OrganizationId,
        name: &str,
    ) -> Result<Option<Role>, StoreError> {
        self.optional(&FIND_ROLE_BY_NAME, args![organization, name], role)
            .await
    }

    /// Returns a user, deleted ones included.
    pub async fn find_user(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Option<User>, StoreError> {
        self.optional(&FIND_USER, args![organization, id], user).await
    }

    /// Returns an API key, expired and revoked ones included.
    pub async fn find_api_key(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.optional(&FIND_API_KEY, args![organization, id], api_key)
            .await
    }

    /// Returns the signing key of that id.
    pub async fn find_signing_key(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Option<SigningKey>, StoreError> {
        self.optional(&FIND_SIGNING_KEY, args![organization, id], signing_key)
            .await
    }

    /// Returns the key that signs new tokens.
    pub async fn newest_signing_key(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Option<SigningKey>, StoreError> {
        self.optional(&NEWEST_SIGNING_KEY, args![organization], signing_key)
            .await
    }
}

impl WriteTx {
    /// Adds a role.
    pub async fn insert_role(&mut self, id: RoleId, name: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, id, name, self.now()];
        self.execute(&INSERT_ROLE, args).await.map(drop)
    }

    /// Adds a user.
    pub async fn insert_user(&mut self, user: NewUser) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            user.id,
            user.role_id,
            user.first_name,
            user.last_name,
            user.email,
            self.now(),
        ];
        self.execute(&INSERT_USER, args).await.map(drop)
    }

    /// Adds an API key.
    pub async fn insert_api_key(&mut self, key: NewApiKey) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            key.id,
            key.secret_hash,
            key.role_id,
            key.name,
            key.is_agent,
            &key.creator.org_id,
            key.creator.user_id,
            self.now(),
            key.expires_at,
        ];
        self.execute(&INSERT_API_KEY, args).await.map(drop)
    }

    /// Adds a signing key; it signs the tokens from now on.
    pub async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            &key.id,
            &key.public_key,
            &key.sealed_private_key,
            self.now()
        ];
        self.execute(&INSERT_SIGNING_KEY, args).await.map(drop)
    }
}
