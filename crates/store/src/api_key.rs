//! API keys.

use forge_domain::api_key::{ApiKey, ApiKeyId, NewApiKey};
use forge_domain::{OrganizationId, Timestamp};

use crate::StoreError;
use crate::role::role;
use crate::row::{Row, args, to_json};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

/// API keys and their roles.
macro_rules! select_api_keys {
    ($rest:literal) => {
        concat!(
            "SELECT api_key.id, object_id, secret_hash, api_key.name, is_agent, creator_org_id,
                creator_user_id, behind, api_key.created_at, updated_at, api_key.expires_at, revoked_at, role_id,
                role.name AS role_name, description, frontend_view, grants
            FROM api_key
            JOIN role ON role.organization_id = api_key.organization_id AND role.id = api_key.role_id
            WHERE api_key.organization_id = $1 ",
            $rest
        )
    };
}

statements! {
    INSERT_API_KEY = "INSERT INTO api_key (organization_id, id, seq, object_id, secret_hash, role_id, name, is_agent,
            creator_org_id, creator_user_id, behind, created_at, updated_at, expires_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM api_key WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)";
    FIND_API_KEY = select_api_keys!("AND api_key.id = $2");
    LIST_API_KEYS = select_api_keys!("AND revoked_at IS NULL AND api_key.expires_at > $2
        ORDER BY api_key.seq");
    REVOKE_API_KEY = "UPDATE api_key SET revoked_at = $3, updated_at = $3 WHERE organization_id = $1 AND id = $2";
}

fn api_key(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.parse("id")?,
        object_id: row.parse("object_id")?,
        secret_hash: row.text("secret_hash")?,
        name: row.optional_text("name")?,
        role: role(row)?,
        is_agent: row.boolean("is_agent")?,
        creator: row.user("creator")?,
        behind: row.json("behind")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        expires_at: row.time("expires_at")?,
        revoked_at: row.optional_integer("revoked_at")?.map(Timestamp::from_millis),
    })
}

impl Tx {
    /// Returns an API key, expired and revoked ones included.
    pub async fn find_api_key(
        &mut self,
        organization: &OrganizationId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKey>, StoreError> {
        self.optional(&FIND_API_KEY, args![organization, id], api_key)
            .await
    }

    /// Returns the API keys that can be used at `now`, in order of creation.
    pub async fn list_api_keys(
        &mut self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Vec<ApiKey>, StoreError> {
        self.all(&LIST_API_KEYS, args![organization, now], api_key).await
    }
}

impl WriteTx {
    /// Adds an API key.
    pub async fn insert_api_key(&mut self, key: NewApiKey) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            key.id,
            key.object_id,
            key.secret_hash,
            key.role_id,
            key.name,
            key.is_agent,
            &key.creator.org_id,
            key.creator.user_id,
            to_json(&key.behind),
            self.changed_at(),
            key.expires_at,
        ];
        self.execute(&INSERT_API_KEY, args).await.map(drop)
    }

    /// Ends an API key, and with it every token got with it.
    pub async fn revoke_api_key(&mut self, id: ApiKeyId) -> Result<(), StoreError> {
        let args = args![&self.organization, id, self.changed_at()];
        self.execute(&REVOKE_API_KEY, args).await.map(drop)
    }
}
