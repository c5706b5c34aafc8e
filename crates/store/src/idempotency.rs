//! Calls with an idempotency key, and what they were answered first.

use forge_domain::{OrganizationId, Timestamp, UserRef};

use crate::row::{Row, args};
use crate::statement::statements;
use crate::tx::{Tx, WriteTx};
use crate::{Store, StoreError};

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
    /// The answer, as the use case wrote it.
    pub answer: String,
}

/// Whose key it is, and for which call: the scope in which keys are told apart.
#[derive(Debug, Clone, Copy)]
pub struct AnswerScope<'a> {
    /// Who calls.
    pub user: &'a UserRef,
    /// What is called.
    pub path: &'a str,
    /// The key.
    pub key: &'a str,
}

impl Tx {
    /// Returns what was answered under a key after a moment in time.
    pub async fn find_answer(
        &mut self,
        organization: &OrganizationId,
        scope: AnswerScope<'_>,
        after: Timestamp,
    ) -> Result<Option<RememberedAnswer>, StoreError> {
        let remembered = |row: &Row<'_>| {
            Ok(RememberedAnswer {
                request_hash: row.text("request_hash")?,
                answer: row.text("answer")?,
            })
        };
        let AnswerScope { user, path, key } = scope;
        let args = args![organization, &user.org_id, &user.user_id, path, key, after];
        self.optional(&FIND_ANSWER, args, remembered).await
    }

    async fn insert_answer(
        &mut self,
        organization: &OrganizationId,
        scope: AnswerScope<'_>,
        answer: &RememberedAnswer,
        (now, forget): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        self.execute(&DELETE_OLD_ANSWERS, args![organization, forget])
            .await?;
        let AnswerScope { user, path, key } = scope;
        let args = args![
            organization,
            &user.org_id,
            &user.user_id,
            path,
            key,
            &answer.request_hash,
            &answer.answer,
            now,
        ];
        Ok(self.execute(&INSERT_ANSWER, args).await? > 0)
    }
}

impl WriteTx {
    /// Remembers an answer together with the write that it tells of, and forgets those up to the moment `forget`.
    ///
    /// Returns false if something was remembered under the key meanwhile: then this write must not take place.
    pub async fn remember_answer(
        &mut self,
        scope: AnswerScope<'_>,
        answer: &RememberedAnswer,
        forget: Timestamp,
    ) -> Result<bool, StoreError> {
        let (organization, now) = (self.organization.clone(), self.now());
        self.tx
            .insert_answer(&organization, scope, answer, (now, forget))
            .await
    }
}

impl Store {
    /// Remembers an answer that tells of no write. Returns false if something was remembered under the key meanwhile.
    pub async fn remember_answer(
        &self,
        organization: &OrganizationId,
        scope: AnswerScope<'_>,
        answer: &RememberedAnswer,
        times: (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin_write().await?;
        let is_first = tx.insert_answer(organization, scope, answer, times).await?;
        tx.commit().await?;
        Ok(is_first)
    }
}
