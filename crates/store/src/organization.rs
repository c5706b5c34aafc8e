//! Organizations, and the number that orders their changes.

use forge_domain::{OrganizationId, Timestamp};
use serde_json::Value;

use crate::row::{Row, args, to_json};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};
use crate::{Store, StoreError};

statements! {
    INSERT_ORGANIZATION = "INSERT INTO organization
            (id, name, is_operator, default_user_preferences, change_number, changed_at, created_at)
        VALUES ($1, $2, NOT EXISTS (SELECT 1 FROM organization), $3, 0, $4, $4)
        ON CONFLICT (id) DO NOTHING";
    FIND_ORGANIZATION = "SELECT id, name, is_operator, default_user_preferences, change_number
        FROM organization WHERE id = $1";
    LIST_ORGANIZATION_IDS = "SELECT id FROM organization ORDER BY id";
    // The row's lock is the mutex of the organization, on both engines. Times never go back.
    NEXT_CHANGE = "UPDATE organization
        SET change_number = change_number + 1,
            changed_at = CASE WHEN changed_at > $2 THEN changed_at ELSE $2 END
        WHERE id = $1
        RETURNING change_number, changed_at";
}

/// An organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, for people.
    pub name: String,
    /// Whether it is the one that runs the installation.
    pub is_operator: bool,
    /// The preferences that its new users start with.
    pub default_user_preferences: Value,
    /// The number of its latest change.
    pub change_number: i64,
}

/// The place of a write among an organization's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// 1, 2, 3 … without gaps.
    pub number: i64,
    /// When; never before the change before it.
    pub at: Timestamp,
}

fn organization(row: &Row<'_>) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: row.parse("id")?,
        name: row.text("name")?,
        is_operator: row.boolean("is_operator")?,
        default_user_preferences: row.json("default_user_preferences")?,
        change_number: row.integer("change_number")?,
    })
}

impl Tx {
    /// Returns an organization.
    pub async fn find_organization(
        &mut self,
        id: &OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        self.optional(&FIND_ORGANIZATION, args![id], organization).await
    }

    /// Returns the ids of all organizations; for operators only.
    pub async fn list_organization_ids(&mut self) -> Result<Vec<OrganizationId>, StoreError> {
        self.all(&LIST_ORGANIZATION_IDS, args![], |row| row.parse("id"))
            .await
    }

    pub(crate) async fn next_change(
        &mut self,
        id: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<Change>, StoreError> {
        let change = |row: &Row<'_>| {
            Ok(Change {
                number: row.integer("change_number")?,
                at: row.time("changed_at")?,
            })
        };
        self.optional(&NEXT_CHANGE, args![id, now], change).await
    }
}

impl Store {
    /// Begins a write that creates an organization, the operator's if it is the first; nothing if the id is taken.
    pub async fn create_organization(
        &self,
        id: &OrganizationId,
        name: &str,
        default_user_preferences: &Value,
        now: Timestamp,
    ) -> Result<Option<WriteTx>, StoreError> {
        let first = self
            .insert_organization(id, name, default_user_preferences, now)
            .await;
        let tx = match first {
            // Another organization became the operator's at the same moment: then this one is not the first.
            Err(StoreError::Duplicate(_)) => {
                self.insert_organization(id, name, default_user_preferences, now)
                    .await?
            }
            other => other?,
        };
        let Some(mut tx) = tx else { return Ok(None) };
        let change = tx.next_change(id, now).await?;
        Ok(change.map(|change| WriteTx {
            tx,
            organization: id.clone(),
            change,
        }))
    }

    async fn insert_organization(
        &self,
        id: &OrganizationId,
        name: &str,
        default_user_preferences: &Value,
        now: Timestamp,
    ) -> Result<Option<Tx>, StoreError> {
        let mut tx = self.begin_write().await?;
        let preferences = to_json(default_user_preferences);
        let inserted = tx
            .execute(&INSERT_ORGANIZATION, args![id, name, preferences, now])
            .await?;
        Ok((inserted > 0).then_some(tx))
    }
}
