//! The keys that sign tokens.

use forge_domain::{OrganizationId, SigningKeyId};

use crate::StoreError;
use crate::row::{Row, args};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_SIGNING_KEY = "INSERT INTO signing_key (organization_id, id, public_key, sealed_private_key, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    FIND_SIGNING_KEY = "SELECT id, public_key, sealed_private_key FROM signing_key
        WHERE organization_id = $1 AND id = $2";
    NEWEST_SIGNING_KEY = "SELECT id, public_key, sealed_private_key FROM signing_key
        WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
}

/// A key that signs an organization's tokens; the private half is sealed under the master key.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// The `kid` of the tokens it signs.
    pub id: SigningKeyId,
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

pub(crate) fn signing_key(row: &Row<'_>) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        id: row.parse("id")?,
        public_key: row.text("public_key")?,
        sealed_private_key: row.text("sealed_private_key")?,
    })
}

impl Tx {
    /// Returns the signing key of that id.
    pub async fn find_signing_key(
        &mut self,
        organization: &OrganizationId,
        id: SigningKeyId,
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
    /// Adds a signing key; it signs the tokens from now on, and the older ones go on being recognised.
    pub async fn insert_signing_key(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            key.id,
            &key.public_key,
            &key.sealed_private_key,
            self.changed_at()
        ];
        self.execute(&INSERT_SIGNING_KEY, args).await.map(drop)
    }
}
