//! Grants that a user has for a while, beside those of the role.

use forge_domain::access::Grant;
use forge_domain::temporary_grant::TemporaryGrant;
use forge_domain::{OrganizationId, RoleId, Sort, Timestamp};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Place, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_GRANT = "INSERT INTO temporary_grant (organization_id, id, seq, user_id, permission_name, grant_document,
            tags, justification, creator_org_id, creator_user_id, created_at, expires_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM temporary_grant WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIVE_GRANTS = "SELECT grant_document FROM temporary_grant
        WHERE organization_id = $1 AND user_id = $2 AND expires_at > $3 AND ended_at IS NULL ORDER BY seq";
    HAS_ROW = "SELECT seq FROM temporary_grant WHERE organization_id = $1 AND seq = $2";
    // The time of a change can be ahead of the clock by which a grant ends; it never ends later than it would have.
    END_OF_USER = "UPDATE temporary_grant SET ended_at = CASE WHEN expires_at < $3 THEN expires_at ELSE $3 END
        WHERE organization_id = $1 AND user_id = $2 AND expires_at > $4 AND ended_at IS NULL";
    END_OF_ROLE = "UPDATE temporary_grant SET ended_at = CASE WHEN expires_at < $3 THEN expires_at ELSE $3 END
        WHERE organization_id = $1 AND expires_at > $4 AND ended_at IS NULL
            AND user_id IN (SELECT id FROM app_user WHERE organization_id = $1 AND role_id = $2)";
}

/// The list of all grants, ended ones included.
const LIST: SortedList = SortedList {
    name: "temporary_grant.list",
    select: "SELECT id, seq, user_id, grant_document, tags, justification, creator_org_id, creator_user_id,
            created_at, expires_at, ended_at
        FROM temporary_grant WHERE organization_id = $1",
    scope: 1,
    filters: &[],
    seq: "seq",
    columns: &[
        SortColumn::text("user_id"),
        SortColumn::integer("expires_at").of("COALESCE(ended_at, expires_at)"),
        SortColumn::text("permission_name"),
    ],
    places: Places::Moving(HAS_ROW),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What temporary grants are sorted by.
///
/// Grants equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporaryGrantSort {
    /// By the user's id.
    UserId,
    /// By their end.
    ExpiresAt,
    /// By the permission's name.
    PermissionName,
}

fn temporary_grant(row: &Row<'_>) -> Result<TemporaryGrant, StoreError> {
    Ok(TemporaryGrant {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        user_id: row.text("user_id")?,
        grant: row.json("grant_document")?,
        tags: row.json("tags")?,
        justification: row.text("justification")?,
        creator: row.user("creator")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        ended_at: row.optional_time("ended_at")?,
    })
}

impl Tx {
    /// Returns what a user may do for a while, as of `now`.
    pub async fn live_temporary_grants(
        &mut self,
        organization: &OrganizationId,
        user_id: &str,
        now: Timestamp,
    ) -> Result<Vec<Grant>, StoreError> {
        self.all(&LIVE_GRANTS, args![organization, user_id, now], |row| {
            row.json("grant_document")
        })
        .await
    }

    /// Returns a page of grants in the order asked for.
    ///
    /// Returns `None` if there is no such place.
    pub async fn list_temporary_grants(
        &mut self,
        organization: &OrganizationId,
        sort: &[Sort<TemporaryGrantSort>],
        page: PageRequest<Place>,
    ) -> Result<Option<Rows<TemporaryGrant>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization],
            filters: Vec::new(),
        };
        self.page(&LIST, args, &order, page, temporary_grant).await
    }
}

impl WriteTx {
    /// Adds a temporary grant.
    pub async fn insert_temporary_grant(&mut self, grant: &TemporaryGrant) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            grant.id,
            &grant.user_id,
            &grant.grant.permission_name,
            to_json(&grant.grant),
            to_json(&grant.tags),
            &grant.justification,
            &grant.creator.org_id,
            &grant.creator.user_id,
            self.changed_at(),
            grant.expires_at,
        ];
        self.execute(&INSERT_GRANT, args).await.map(drop)
    }

    /// Ends the temporary grants that a user still has at `now`, and returns how many there were.
    pub async fn end_temporary_grants(&mut self, user_id: &str, now: Timestamp) -> Result<u64, StoreError> {
        let args = args![&self.organization, user_id, self.changed_at(), now];
        self.execute(&END_OF_USER, args).await
    }

    /// The same of all users who have a role.
    pub async fn end_temporary_grants_of_role(
        &mut self,
        role_id: RoleId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let args = args![&self.organization, role_id, self.changed_at(), now];
        self.execute(&END_OF_ROLE, args).await
    }
}
