//! Users.

use forge_domain::user::{ListedUser, NewUser, User, UserStats};
use forge_domain::{OrganizationId, RoleId, Sort};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::role::role;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Place, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx, WriteTx};

/// What a user has done in conversations, as a query of one row: theirs, but not those of users whom they simulated.
macro_rules! of_conversations {
    ($value:literal) => {
        concat!(
            "(SELECT ",
            $value,
            " FROM conversation
            WHERE conversation.organization_id = app_user.organization_id AND conversation.user_id = app_user.id
                AND simulation_run_id IS NULL AND deleted_at IS NULL)"
        )
    };
}

/// What a user has done, as columns.
macro_rules! stats {
    () => {
        concat!(
            of_conversations!("COUNT(*)"),
            " AS num_conversations, ",
            of_conversations!("CAST(COALESCE(SUM(message_count), 0) AS BIGINT)"),
            " AS num_messages, ",
            of_conversations!("COALESCE(MAX(last_message_at), 0)"),
            " AS last_message_time"
        )
    };
}

const NUM_CONVERSATIONS: &str = of_conversations!("COUNT(*)");
const NUM_MESSAGES: &str = of_conversations!("CAST(COALESCE(SUM(message_count), 0) AS BIGINT)");
const LAST_MESSAGE_TIME: &str = of_conversations!("COALESCE(MAX(last_message_at), 0)");

/// Users and their roles.
macro_rules! select_users {
    ($rest:literal) => {
        concat!(
            "SELECT app_user.id, app_user.seq, first_name, last_name, email, preferences, nonsensitive_variables,
                sensitive_variable_names, is_deleted, role_id, role.name AS role_name, description, frontend_view, grants
            FROM app_user
            JOIN role ON role.organization_id = app_user.organization_id AND role.id = app_user.role_id
            WHERE app_user.organization_id = $1 ",
            $rest
        )
    };
}

statements! {
    INSERT_USER = "INSERT INTO app_user (organization_id, id, seq, role_id, first_name, last_name, email, preferences,
            nonsensitive_variables, sensitive_variable_names, sealed_sensitive_variables, additional_context,
            is_deleted, created_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM app_user WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, '[]', FALSE, $11)";
    FIND_USER = select_users!("AND app_user.id = $2");
    FIND_USER_BY_EMAIL = select_users!("AND lower(email) = lower($2) AND NOT is_deleted");
    FIND_CONTEXT = "SELECT additional_context FROM app_user WHERE organization_id = $1 AND id = $2";
    HAS_ROW = "SELECT seq FROM app_user WHERE organization_id = $1 AND seq = $2";
    FIND_STATS = concat!("SELECT ", stats!(), " FROM app_user WHERE organization_id = $1 AND id = $2");
    COUNT_USERS_OF_ROLE = "SELECT COUNT(*) AS users FROM app_user
        WHERE organization_id = $1 AND role_id = $2 AND NOT is_deleted";
    SET_ROLE = "UPDATE app_user SET role_id = $3 WHERE organization_id = $1 AND id = $2";
    SET_INFO = "UPDATE app_user SET first_name = $3, last_name = $4, preferences = $5
        WHERE organization_id = $1 AND id = $2";
    SET_CONTEXT = "UPDATE app_user SET additional_context = $3 WHERE organization_id = $1 AND id = $2";
    // Changes nothing but that whoever deletes the user has to wait.
    KEEP_USER = "UPDATE app_user SET is_deleted = FALSE WHERE organization_id = $1 AND id = $2 AND NOT is_deleted";
    // What is personal goes at once; the row stays, so that history can name who did what.
    DELETE_USER = "UPDATE app_user SET is_deleted = TRUE, first_name = '', last_name = '', email = '',
            preferences = '{}', nonsensitive_variables = '{}', sensitive_variable_names = '[]',
            sealed_sensitive_variables = NULL, additional_context = '[]'
        WHERE organization_id = $1 AND id = $2";
}

/// The list of users that are there.
const LIST: SortedList = SortedList {
    name: "user.list",
    select: concat!(
        "SELECT app_user.id, app_user.seq, first_name, last_name, email, preferences, nonsensitive_variables,
            sensitive_variable_names, is_deleted, role_id, role.name AS role_name, description, frontend_view, grants, ",
        stats!(),
        " FROM app_user
        JOIN role ON role.organization_id = app_user.organization_id AND role.id = app_user.role_id
        WHERE app_user.organization_id = $1 AND NOT is_deleted"
    ),
    scope: 1,
    filters: &[],
    seq: "app_user.seq",
    columns: &[
        SortColumn::long_text("first_name"),
        SortColumn::long_text("last_name"),
        SortColumn::long_text("email"),
        SortColumn::integer("num_conversations").of(NUM_CONVERSATIONS),
        SortColumn::integer("num_messages").of(NUM_MESSAGES),
        SortColumn::integer("last_message_time").of(LAST_MESSAGE_TIME),
    ],
    places: Places::Moving(HAS_ROW),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What users are sorted by.
///
/// Users equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// By first name, in the order of code points.
    FirstName,
    /// By last name, in the order of code points.
    LastName,
    /// By email address, in the order of code points.
    Email,
    /// By how many conversations they have had.
    NumConversations,
    /// By how many messages those have.
    NumMessages,
    /// By when the last of them was; users without one come before all others.
    LastMessageTime,
}

fn stats(row: &Row<'_>) -> Result<UserStats, StoreError> {
    let last = row.time("last_message_time")?;
    Ok(UserStats {
        conversations: row.integer("num_conversations")?,
        messages: row.integer("num_messages")?,
        // Nobody talked at the epoch: it stands for never.
        last_message_at: (last.as_millis() > 0).then_some(last),
    })
}

fn listed(row: &Row<'_>) -> Result<ListedUser, StoreError> {
    Ok(ListedUser {
        user: user(row)?,
        stats: stats(row)?,
    })
}

fn user(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: row.text("id")?,
        seq: row.integer("seq")?,
        role: role(row)?,
        first_name: row.text("first_name")?,
        last_name: row.text("last_name")?,
        email: row.text("email")?,
        preferences: row.json("preferences")?,
        nonsensitive_variables: row.json("nonsensitive_variables")?,
        sensitive_variable_names: row.json("sensitive_variable_names")?,
        is_deleted: row.boolean("is_deleted")?,
    })
}

impl Tx {
    /// Returns a user, deleted ones included.
    pub async fn find_user(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Option<User>, StoreError> {
        self.optional(&FIND_USER, args![organization, id], user).await
    }

    /// Returns the row of a user, if there is one.
    pub async fn user_row(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Rows<User>, StoreError> {
        self.some(&FIND_USER, args![organization, id], user).await
    }

    /// Returns what else is known of a user, one fact each.
    pub async fn find_additional_context(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let context = |row: &Row<'_>| row.json("additional_context");
        let found = self.optional(&FIND_CONTEXT, args![organization, id], context);
        Ok(found.await?.unwrap_or_default())
    }

    /// Returns the user of that email address; case does not count.
    pub async fn find_user_by_email(
        &mut self,
        organization: &OrganizationId,
        email: &str,
    ) -> Result<Option<User>, StoreError> {
        let row = self.user_row_by_email(organization, email).await?;
        Ok(row.into_rows().pop())
    }

    /// Returns the row of the user of that email address, if there is one.
    pub async fn user_row_by_email(
        &mut self,
        organization: &OrganizationId,
        email: &str,
    ) -> Result<Rows<User>, StoreError> {
        self.some(&FIND_USER_BY_EMAIL, args![organization, email], user)
            .await
    }

    /// Returns a page of users in the order asked for.
    ///
    /// Returns `None` if there is no such place.
    pub async fn list_users(
        &mut self,
        organization: &OrganizationId,
        sort: &[Sort<UserSort>],
        page: PageRequest<Place>,
    ) -> Result<Option<Rows<ListedUser>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization],
            filters: Vec::new(),
        };
        self.page(&LIST, args, &order, page, listed).await
    }

    /// Returns what a user has done in conversations.
    pub async fn find_user_stats(
        &mut self,
        organization: &OrganizationId,
        id: &str,
    ) -> Result<UserStats, StoreError> {
        let found = self.optional(&FIND_STATS, args![organization, id], stats);
        Ok(found.await?.unwrap_or_default())
    }

    /// Returns how many users have a role.
    pub async fn count_users_of_role(
        &mut self,
        organization: &OrganizationId,
        role_id: RoleId,
    ) -> Result<i64, StoreError> {
        let args = args![organization, role_id];
        Ok(self
            .optional(&COUNT_USERS_OF_ROLE, args, |row| row.integer("users"))
            .await?
            .unwrap_or(0))
    }
}

impl RunTx {
    /// Keeps a user from being deleted until the transaction ends.
    ///
    /// Returns false if they are deleted already.
    pub async fn keep_user(&mut self, id: &str) -> Result<bool, StoreError> {
        let args = args![&self.organization, id];
        Ok(self.execute(&KEEP_USER, args).await? > 0)
    }
}

impl WriteTx {
    /// Adds a user.
    pub async fn insert_user(&mut self, user: NewUser) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            user.id,
            user.role_id,
            user.first_name,
            user.last_name,
            user.email,
            to_json(&user.preferences),
            to_json(&user.nonsensitive_variables),
            to_json(&user.sensitive_variable_names),
            user.sealed_sensitive_variables,
            self.changed_at(),
        ];
        self.execute(&INSERT_USER, args).await.map(drop)
    }

    /// Gives a user another role.
    pub async fn set_user_role(&mut self, id: &str, role_id: RoleId) -> Result<(), StoreError> {
        let args = args![&self.organization, id, role_id];
        self.execute(&SET_ROLE, args).await.map(drop)
    }

    /// Changes what is known of a user; the additional context stays as it is unless it is given.
    pub async fn set_user_info(
        &mut self,
        user: &User,
        additional_context: Option<&[String]>,
    ) -> Result<(), StoreError> {
        let preferences = to_json(&user.preferences);
        let args = args![
            &self.organization,
            &user.id,
            &user.first_name,
            &user.last_name,
            preferences
        ];
        self.execute(&SET_INFO, args).await?;
        if let Some(context) = additional_context {
            let args = args![&self.organization, &user.id, to_json(&context)];
            self.execute(&SET_CONTEXT, args).await?;
        }
        Ok(())
    }

    /// Deletes a user and everything personal about them.
    pub async fn delete_user(&mut self, id: &str) -> Result<(), StoreError> {
        self.forget_page_cursors_at_user(id).await?;
        let args = args![&self.organization, id];
        self.execute(&DELETE_USER, args).await.map(drop)
    }
}
