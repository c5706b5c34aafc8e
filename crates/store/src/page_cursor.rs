//! Where pages of lists ended whose rows can move: the sort values of then, under the number that the caller was given.

use forge_domain::{OrganizationId, Timestamp, UserRef};

use crate::StoreError;
use crate::row::{Row, args, to_json};
use crate::sort::Position;
use crate::statement::statements;
use crate::tx::{RunTx, Tx, WriteTx};

statements! {
    FIND_CURSOR = "SELECT user_org_id, user_id AS user_user_id, list, sort, sort_values, seq, created_at FROM page_cursor
        WHERE organization_id = $1 AND token = $2";
    // Of the same place, only the age changes. Another place keeps its number.
    KEEP_CURSOR = "INSERT INTO page_cursor
            (organization_id, token, user_org_id, user_id, list, sort, sort_values, seq, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (organization_id, token) DO UPDATE SET created_at = excluded.created_at
        WHERE page_cursor.user_org_id = excluded.user_org_id AND page_cursor.user_id = excluded.user_id
            AND page_cursor.list = excluded.list AND page_cursor.sort = excluded.sort
            AND page_cursor.sort_values = excluded.sort_values AND page_cursor.seq = excluded.seq";
    DELETE_OLD_CURSORS = "DELETE FROM page_cursor WHERE organization_id = $1 AND created_at <= $2";
    DELETE_SURPLUS_CURSORS = "DELETE FROM page_cursor
        WHERE organization_id = $1 AND user_org_id = $2 AND user_id = $3 AND token <> $4 AND token IN
            (SELECT token FROM
                (SELECT token, ROW_NUMBER() OVER newest AS place, SUM(LENGTH(sort_values)) OVER newest AS size
                FROM page_cursor WHERE organization_id = $1 AND user_org_id = $2 AND user_id = $3
                WINDOW newest AS (ORDER BY created_at DESC, token)) AS kept
            WHERE place > $5 OR size > $6)";
    // Only texts have quotes; numbers tell of nobody.
    DELETE_CURSORS_AT_USER = "DELETE FROM page_cursor
        WHERE organization_id = $1 AND list = 'user' AND sort_values LIKE '%\"%' AND seq = (SELECT seq FROM app_user WHERE organization_id = $1 AND id = $2)";
}

/// How many places the store keeps of a caller, and how many characters of sort values; beyond that, the oldest ones
/// are forgotten.
///
/// It is looked at once in a while: names have no limit everywhere.
const MOST_OF_A_CALLER: i64 = 1000;
const MOST_CHARACTERS_OF_A_CALLER: i64 = 1 << 20;

/// One in so many numbers, which are spread evenly, makes the store look.
const LOOKED_AT: i64 = 16;

/// A place where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor {
    /// Who was given the page.
    pub user: UserRef,
    /// Which list it is of; of users, `user`.
    pub list: String,
    /// The order of the list.
    pub sort: String,
    /// Where it ended.
    pub position: Position,
}

impl Tx {
    /// Returns the place that a number stands for, and when it was kept last.
    pub async fn find_page_cursor(
        &mut self,
        organization: &OrganizationId,
        token: i64,
    ) -> Result<Option<(PageCursor, Timestamp)>, StoreError> {
        let cursor = |row: &Row<'_>| {
            let cursor = PageCursor {
                user: row.user("user")?,
                list: row.text("list")?,
                sort: row.text("sort")?,
                position: Position {
                    values: row.json("sort_values")?,
                    seq: row.integer("seq")?,
                },
            };
            Ok((cursor, row.time("created_at")?))
        };
        self.optional(&FIND_CURSOR, args![organization, token], cursor)
            .await
    }
}

impl RunTx {
    /// Keeps a place under a number, and forgets those up to the moment `forget`.
    ///
    /// Returns false if the number stands for another place.
    pub async fn keep_page_cursor(
        &mut self,
        token: i64,
        cursor: &PageCursor,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        let (organization, user) = (self.organization.clone(), &cursor.user);
        self.execute(&DELETE_OLD_CURSORS, args![&organization, forget])
            .await?;
        let args = args![
            &organization,
            token,
            &user.org_id,
            &user.user_id,
            &cursor.list,
            &cursor.sort,
            to_json(&cursor.position.values),
            cursor.position.seq,
            now,
        ];
        let is_kept = self.execute(&KEEP_CURSOR, args).await? > 0;
        if token % LOOKED_AT == 0 {
            let limits = [MOST_OF_A_CALLER, MOST_CHARACTERS_OF_A_CALLER];
            let mut args = args![&organization, &user.org_id, &user.user_id, token];
            args.extend(limits.map(crate::row::Value::from));
            self.execute(&DELETE_SURPLUS_CURSORS, args).await?;
        }
        Ok(is_kept)
    }
}

impl WriteTx {
    /// Forgets the places where pages of users ended with a user and that hold the name or the email address.
    pub(crate) async fn forget_page_cursors_at_user(&mut self, id: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, id];
        self.execute(&DELETE_CURSORS_AT_USER, args).await.map(drop)
    }
}
