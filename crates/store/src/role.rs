//! Roles.

use forge_domain::access::{DefaultRole, Role};
use forge_domain::{OrganizationId, RoleId, Timestamp};

use crate::StoreError;
use crate::row::{Row, args, to_json};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_ROLE = "INSERT INTO role
            (organization_id, id, seq, name, description, frontend_view, grants, created_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM role WHERE organization_id = $1), $3, $4, $5, $6, $7)";
    FIND_ROLE_BY_NAME = "SELECT id AS role_id, name AS role_name, description, frontend_view, grants
        FROM role WHERE organization_id = $1 AND name = $2 AND expires_at IS NULL";
    LIST_ROLES = "SELECT id AS role_id, name AS role_name, description, frontend_view, grants
        FROM role WHERE organization_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY seq";
    SET_DESCRIPTION = "UPDATE role SET description = $3 WHERE organization_id = $1 AND id = $2";
    EXPIRE_ROLE = "UPDATE role SET expires_at = $3 WHERE organization_id = $1 AND id = $2";
    MOVE_USERS = "UPDATE app_user SET role_id = $3 WHERE organization_id = $1 AND role_id = $2";
    MOVE_KEYS = "UPDATE api_key SET role_id = $3 WHERE organization_id = $1 AND role_id = $2";
}

/// Decodes the role of a row that may hold more than a role.
pub(crate) fn role(row: &Row<'_>) -> Result<Role, StoreError> {
    let name = row.text("role_name")?;
    let grants = match (row.optional_text("grants")?, DefaultRole::by_name(&name)) {
        (None, Some(default)) => default.grants(),
        _ => row.json("grants")?,
    };
    Ok(Role {
        id: row.parse("role_id")?,
        description: row.text("description")?,
        has_admin_view: row.text("frontend_view")? == "admin",
        grants,
        name,
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

    /// Returns all roles in order of creation, without those that ended before `now`.
    pub async fn list_roles(
        &mut self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Vec<Role>, StoreError> {
        self.all(&LIST_ROLES, args![organization, now], role).await
    }
}

impl WriteTx {
    /// Adds a role.
    ///
    /// A default role is stored without its grants.
    pub async fn insert_role(&mut self, role: &Role) -> Result<(), StoreError> {
        let is_default = DefaultRole::by_name(&role.name).is_some();
        let grants = (!is_default).then(|| to_json(&role.grants));
        let args = args![
            &self.organization,
            role.id,
            &role.name,
            &role.description,
            if role.has_admin_view { "admin" } else { "client" },
            grants,
            self.changed_at(),
        ];
        self.execute(&INSERT_ROLE, args).await.map(drop)
    }

    /// Changes a role's description.
    pub async fn set_role_description(&mut self, id: RoleId, description: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, id, description];
        self.execute(&SET_DESCRIPTION, args).await.map(drop)
    }

    /// Puts a new role in the place of one of the same name, which ends at `expires_at`; users and keys follow.
    pub async fn replace_role(
        &mut self,
        old: RoleId,
        new: &Role,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let args = args![&self.organization, old, expires_at];
        self.execute(&EXPIRE_ROLE, args).await?;
        self.insert_role(new).await?;
        for statement in [&MOVE_USERS, &MOVE_KEYS] {
            let args = args![&self.organization, old, new.id];
            self.execute(statement, args).await?;
        }
        Ok(())
    }
}
