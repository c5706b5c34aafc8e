//! Calls with an idempotency key, and what they were answered first.

use forge_domain::{OrganizationId, Timestamp, UserRef};

use crate::error::StoreError;
use crate::row::{Row, args};
use crate::statement::statements;
use crate::tx::{InstallationTx, Postponed, PostponedTx, Tx};

statements! {
    FIND_ANSWER = "SELECT request_hash, answer FROM idempotency_key
        WHERE organization_id = $1 AND user_org_id = $2 AND user_id = $3 AND path = $4 AND key = $5
            AND created_at > $6";
    INSERT_ANSWER = "INSERT INTO idempotency_key
            (organization_id, user_org_id, user_id, path, key, request_hash, answer, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (organization_id, user_org_id, user_id, path, key) DO NOTHING";
    DELETE_OLD_ANSWERS = "DELETE FROM idempotency_key WHERE organization_id = $1 AND created_at <= $2";
}

/// What a call with an idempotency key was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// Stands for the request: the same key with another request is a mistake.
    pub request_hash: String,
    /// The answer, sealed.
    pub answer: String,
}

/// A call that may be repeated: whose it is, and what is called under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallName {
    /// Where it is made.
    pub organization: OrganizationId,
    /// Who calls.
    pub user: UserRef,
    /// What is called.
    pub path: String,
    /// The key.
    pub key: String,
    /// Stands for the request: the same key with another request is a mistake.
    pub request_hash: String,
}

/// A call under its name, and its write, which waits for its answer.
#[derive(Debug)]
pub(crate) struct NamedCall {
    pub(crate) name: CallName,
    pub(crate) postponed: Postponed,
}

impl Tx {
    /// Returns what a call of the name was answered after a moment in time.
    pub async fn find_answer(
        &mut self,
        name: &CallName,
        after: Timestamp,
    ) -> Result<Option<RememberedAnswer>, StoreError> {
        let remembered = |row: &Row<'_>| {
            Ok(RememberedAnswer {
                request_hash: row.text("request_hash")?,
                answer: row.text("answer")?,
            })
        };
        let UserRef { org_id, user_id } = &name.user;
        let args = args![&name.organization, org_id, user_id, &name.path, &name.key, after];
        self.optional(&FIND_ANSWER, args, remembered).await
    }

    /// Keeps what a call was answered, unless something is kept under its name already, and forgets what was kept up to
    /// the moment `forget`.
    ///
    /// Returns `true` if it is kept.
    async fn insert_answer(
        &mut self,
        name: &CallName,
        answer: &str,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        self.execute(&DELETE_OLD_ANSWERS, args![&name.organization, forget])
            .await?;
        let args = args![
            &name.organization,
            &name.user.org_id,
            &name.user.user_id,
            &name.path,
            &name.key,
            &name.request_hash,
            answer,
            now,
        ];
        Ok(self.execute(&INSERT_ANSWER, args).await? > 0)
    }
}

impl PostponedTx {
    /// Keeps what the call of this write is answered, unless something is kept under its name already, and forgets what
    /// was kept up to the moment `forget`.
    ///
    /// Returns `true` if it is kept.
    pub async fn keep_answer(
        &mut self,
        name: &CallName,
        answer: &str,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        self.insert_answer(name, answer, now, forget).await
    }
}

impl InstallationTx {
    /// Keeps what a call is answered that has written nothing; see [`PostponedTx::keep_answer`].
    pub async fn keep_answer(
        &mut self,
        name: &CallName,
        answer: &str,
        now: Timestamp,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        self.insert_answer(name, answer, now, forget).await
    }
}
