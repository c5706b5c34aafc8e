//! Organizations, and the number that orders their changes.

use forge_domain::audit::GENESIS_HASH;
use forge_domain::organization::Organization;
use forge_domain::user::Preferences;
use forge_domain::{OrganizationId, Timestamp};

use crate::error::StoreError;
use crate::row::{Row, args, to_json};
use crate::statement::statements;
use crate::tx::{Change, InstallationTx, RunTx, Tx, WriteTx};

statements! {
    INSERT_ORGANIZATION = "INSERT INTO organization
            (id, name, is_operator, is_deleted, is_in_maintenance, default_user_preferences, change_number, changed_at,
            created_at)
        VALUES ($1, $2, NOT EXISTS (SELECT 1 FROM organization), FALSE, FALSE, $3, 0, $4, $4)
        ON CONFLICT (id) DO NOTHING";
    FIND_CHANGED_AT = "SELECT changed_at FROM organization WHERE id = $1";
    FIND_ORGANIZATION = "SELECT id, name, is_operator, is_in_maintenance, default_user_preferences, change_number
        FROM organization WHERE id = $1 AND NOT is_deleted";
    LIST_ORGANIZATION_IDS = "SELECT id FROM organization WHERE NOT is_deleted ORDER BY id";
    SET_PREFERENCES = "UPDATE organization SET default_user_preferences = $2 WHERE id = $1";
    SET_MAINTENANCE = "UPDATE organization SET is_in_maintenance = $2 WHERE id = $1";
    DELETE_ORGANIZATION = "UPDATE organization SET is_deleted = TRUE WHERE id = $1";
    FIND_SETTING = "SELECT value FROM server_setting WHERE name = $1";
    PUT_SETTING = "INSERT INTO server_setting (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = $2";
    // The row's lock is the mutex of the organization, on both engines. Times never go back.
    NEXT_CHANGE = "UPDATE organization
        SET change_number = change_number + 1,
            changed_at = CASE WHEN changed_at > $2 THEN changed_at ELSE $2 END
        WHERE id = $1 AND NOT is_deleted
        RETURNING change_number, changed_at, access_change_number";
    ACCESS_CHANGE = "SELECT access_change_number FROM organization WHERE id = $1";
    // It changes nothing: it takes the row's lock, in words of both engines.
    KEEP_ACCESS = "UPDATE organization SET access_change_number = access_change_number WHERE id = $1
        RETURNING access_change_number";
    MARK_ACCESS_CHANGE = "UPDATE organization SET access_change_number = change_number WHERE id = $1";
    LIST_HEADS = "SELECT id, change_number,
            (SELECT hash FROM audit_event WHERE organization_id = organization.id ORDER BY sequence DESC LIMIT 1) AS hash
        FROM organization WHERE NOT is_deleted ORDER BY id";
}

/// How far an organization has come, and by which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationSummary {
    /// Its id.
    pub id: OrganizationId,
    /// The number of its latest change.
    pub change_number: i64,
    /// The hash of the last event of its log.
    pub hash: String,
}

fn organization(row: &Row<'_>) -> Result<Organization, StoreError> {
    Ok(Organization {
        id: row.parse("id")?,
        name: row.text("name")?,
        is_operator: row.boolean("is_operator")?,
        is_in_maintenance: row.boolean("is_in_maintenance")?,
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

    /// Returns the time of an organization's latest change.
    pub async fn find_changed_at(&mut self, id: &OrganizationId) -> Result<Option<Timestamp>, StoreError> {
        self.optional(&FIND_CHANGED_AT, args![id], |row| row.time("changed_at"))
            .await
    }

    /// Returns the ids of all organizations; for operators only.
    pub async fn list_organization_ids(&mut self) -> Result<Vec<OrganizationId>, StoreError> {
        self.all(&LIST_ORGANIZATION_IDS, args![], |row| row.parse("id"))
            .await
    }

    /// Returns how far every organization has come.
    pub async fn list_organization_summaries(&mut self) -> Result<Vec<OrganizationSummary>, StoreError> {
        self.all(&LIST_HEADS, args![], |row| {
            Ok(OrganizationSummary {
                id: row.parse("id")?,
                change_number: row.integer("change_number")?,
                hash: row
                    .optional_text("hash")?
                    .unwrap_or_else(|| GENESIS_HASH.to_owned()),
            })
        })
        .await
    }

    /// Returns a setting of the whole installation.
    pub async fn find_setting(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        self.optional(&FIND_SETTING, args![name], |row| row.text("value"))
            .await
    }

    /// Takes the next change number of an organization, and with it the lock of its row.
    pub(crate) async fn next_change(
        &mut self,
        id: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<Change>, StoreError> {
        let change = |row: &Row<'_>| {
            Ok(Change {
                number: row.integer("change_number")?,
                at: row.time("changed_at")?,
                access_changed: row.integer("access_change_number")?,
            })
        };
        self.optional(&NEXT_CHANGE, args![id, now], change).await
    }
}

impl InstallationTx {
    /// Adds an organization, the operator's if it is the first.
    ///
    /// Returns `false` if the id is taken.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if another one became the operator's at the same moment.
    pub async fn insert_organization(
        &mut self,
        id: &OrganizationId,
        name: &str,
        default_user_preferences: &Preferences,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = args![id, name, to_json(default_user_preferences), now];
        Ok(self.execute(&INSERT_ORGANIZATION, args).await? > 0)
    }

    /// Puts a setting of the whole installation.
    pub async fn put_setting(&mut self, name: &str, value: &str) -> Result<(), StoreError> {
        self.execute(&PUT_SETTING, args![name, value]).await.map(drop)
    }
}

impl RunTx {
    /// Returns the latest change that touched who may do what.
    pub async fn access_changed(&mut self) -> Result<i64, StoreError> {
        let args = args![&self.organization];
        let changed = self.optional(&ACCESS_CHANGE, args, |row| row.integer("access_change_number"));
        Ok(changed.await?.unwrap_or_default())
    }
}

impl WriteTx {
    /// Returns the latest change that touched who may do what in another organization, and lets nobody change it there
    /// until this write ends.
    ///
    /// Only a new organization may do so: nobody waits for it, so that no two wait for each other.
    pub async fn keep_access_of(&mut self, other: &OrganizationId) -> Result<i64, StoreError> {
        let changed = self.optional(&KEEP_ACCESS, args![other], |row| {
            row.integer("access_change_number")
        });
        Ok(changed.await?.unwrap_or_default())
    }

    /// Says that this change touches who may do what: what others know of rights is old from now on.
    pub async fn mark_access_change(&mut self) -> Result<(), StoreError> {
        let args = args![&self.organization];
        self.execute(&MARK_ACCESS_CHANGE, args).await.map(drop)
    }

    /// Replaces the preferences that new users start with.
    pub async fn set_default_preferences(&mut self, preferences: &Preferences) -> Result<(), StoreError> {
        let args = args![&self.organization, to_json(preferences)];
        self.execute(&SET_PREFERENCES, args).await.map(drop)
    }

    /// Closes the organization for maintenance, or opens it again.
    pub async fn set_maintenance(&mut self, is_on: bool) -> Result<(), StoreError> {
        let args = args![&self.organization, is_on];
        self.execute(&SET_MAINTENANCE, args).await.map(drop)
    }

    /// Deletes the organization: nothing of it is found any more, and its id is never given again.
    pub async fn delete_organization(&mut self) -> Result<(), StoreError> {
        let args = args![&self.organization];
        self.execute(&DELETE_ORGANIZATION, args).await.map(drop)
    }
}
