//! Grants that a user has for a while, beside those of the role.

use forge_domain::access::Grant;
use forge_domain::service::Tags;
use forge_domain::{OrganizationId, Timestamp, UserRef};

use crate::StoreError;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_GRANT = "INSERT INTO temporary_grant (organization_id, id, seq, user_id, permission_name, grant_document,
            tags, justification, creator_org_id, creator_user_id, created_at, expires_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM temporary_grant WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    LIVE_GRANTS = "SELECT grant_document FROM temporary_grant
        WHERE organization_id = $1 AND user_id = $2 AND expires_at > $3 ORDER BY seq";
    FIND_SORT_VALUES = "SELECT user_id, expires_at, permission_name FROM temporary_grant
        WHERE organization_id = $1 AND seq = $2";
}

/// The list of all grants, ended ones included.
const LIST: SortedList = SortedList {
    name: "temporary_grant.list",
    select: "SELECT id, seq, user_id, grant_document, tags, justification, creator_org_id, creator_user_id,
            created_at, expires_at
        FROM temporary_grant WHERE organization_id = $1",
    parameters: 4,
    seq: "seq",
    columns: &[
        SortColumn::text("user_id"),
        SortColumn::integer("expires_at"),
        SortColumn::text("permission_name"),
    ],
    places: Places::Fixed(FIND_SORT_VALUES),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What temporary grants are sorted by. Grants equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporaryGrantSort {
    /// By the user's id.
    UserId,
    /// By their end.
    ExpiresAt,
    /// By the permission's name.
    PermissionName,
}

/// A grant that a user has until it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct TemporaryGrant {
    /// Its id; 24 hex digits.
    pub id: String,
    /// Its place in the organization's list; of one not yet stored, 0.
    pub seq: i64,
    /// Who has it.
    pub user_id: String,
    /// What it grants.
    pub grant: Grant,
    /// Its tags.
    pub tags: Tags,
    /// Why it was given.
    pub justification: String,
    /// Who gave it.
    pub creator: UserRef,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

fn temporary_grant(row: &Row<'_>) -> Result<TemporaryGrant, StoreError> {
    Ok(TemporaryGrant {
        id: row.text("id")?,
        seq: row.integer("seq")?,
        user_id: row.text("user_id")?,
        grant: row.json("grant_document")?,
        tags: row.json("tags")?,
        justification: row.text("justification")?,
        creator: row.user("creator")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
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

    /// Returns up to `limit` grants that come after the one at the place `after` in the order asked for; 0 is the
    /// start. Returns nothing if there is no grant at that place.
    pub async fn list_temporary_grants(
        &mut self,
        organization: &OrganizationId,
        sort: &[(TemporaryGrantSort, bool)],
        after: i64,
        limit: i64,
    ) -> Result<Option<Rows<TemporaryGrant>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = (args![organization], Vec::new());
        self.page(&LIST, args, &order, (after, limit), temporary_grant)
            .await
    }
}

impl WriteTx {
    /// Adds a temporary grant.
    pub async fn insert_temporary_grant(&mut self, grant: &TemporaryGrant) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            &grant.id,
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
}
