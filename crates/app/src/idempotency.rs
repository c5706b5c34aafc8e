//! Calls that may be repeated: a key names a call, and whoever repeats it is answered what was answered first.
//!
//! What was written and the answer that tells of it become durable together. An answer that tells of no write (a no-op,
//! a blocked plan) is remembered too, afterwards. Failures that say nothing about the call itself, such as a database
//! that is out of reach or a plan that moved, are not: then the call may be tried again.

use forge_domain::fault::Fault;
use forge_domain::{Duration, Timestamp};
use forge_store::{AnswerScope, RememberedAnswer, Tx, WriteTx};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::promotion::Plans;
use crate::{App, AppError, Caller};

/// How long answers are remembered.
const REMEMBERED: Duration = Duration::days(1);

/// Names a call of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What is called.
    pub path: String,
    /// The key that the caller chose.
    pub key: String,
    /// Stands for everything that the caller asked; the same key may not be used for anything else.
    pub request_hash: String,
}

/// An outcome that can be remembered.
pub(crate) trait Answered: Serialize + DeserializeOwned {}

impl<T: Serialize + DeserializeOwned> Answered for T {}

/// What a call was answered first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum First<T> {
    Done(T),
    Blocked(Plans),
}

impl<T> First<T> {
    /// Returns the answer as it was given first.
    pub(crate) fn into_result(self) -> Result<T, AppError> {
        match self {
            Self::Done(outcome) => Ok(outcome),
            Self::Blocked(plans) => Err(AppError::Blocked(plans)),
        }
    }
}

impl IdempotencyKey {
    fn scope<'a>(&'a self, caller: &'a Caller) -> AnswerScope<'a> {
        AnswerScope {
            user: &caller.user,
            path: &self.path,
            key: &self.key,
        }
    }

    fn answer<T: Answered>(&self, first: &First<T>) -> Result<RememberedAnswer, AppError> {
        let answer = serde_json::to_string(first).map_err(|error| AppError::Internal(Box::new(error)))?;
        Ok(RememberedAnswer {
            request_hash: self.request_hash.clone(),
            answer,
        })
    }
}

fn before(now: Timestamp) -> Timestamp {
    now - REMEMBERED
}

/// Returns what the call was answered first, if it was made before.
///
/// # Errors
/// Refuses a key that was used for another request.
pub(crate) async fn recall<T: Answered>(
    tx: &mut WriteTx,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
) -> Result<Option<First<T>>, AppError> {
    let Some(key) = key else { return Ok(None) };
    let after = before(tx.now());
    recall_after(tx, caller, key, after).await
}

async fn recall_after<T: Answered>(
    tx: &mut Tx,
    caller: &Caller,
    key: &IdempotencyKey,
    after: Timestamp,
) -> Result<Option<First<T>>, AppError> {
    let found = tx
        .find_answer(&caller.organization, key.scope(caller), after)
        .await?;
    let Some(found) = found else { return Ok(None) };
    if found.request_hash != key.request_hash {
        let loc = vec!["header".into(), "Idempotency-Key".into()];
        let msg = "this key was used for another request; choose a new one for each request";
        return Err(AppError::Invalid(vec![Fault::new(
            loc,
            "idempotency_key_reused",
            msg,
        )]));
    }
    let first = serde_json::from_str(&found.answer).map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Some(first))
}

/// Ends a call: makes what it wrote durable, or drops the transaction if it wrote nothing, and remembers its answer.
pub(crate) async fn finish<T: Answered>(
    app: &App,
    mut tx: WriteTx,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    done: Result<T, AppError>,
    has_written: impl Fn(&T) -> bool,
) -> Result<T, AppError> {
    let Some(key) = key else {
        let outcome = done?;
        if has_written(&outcome) {
            tx.commit().await?;
        }
        return Ok(outcome);
    };
    let (scope, now) = (key.scope(caller), tx.now());
    let (first, is_written) = match done {
        Ok(outcome) => {
            let is_written = has_written(&outcome);
            (First::Done(outcome), is_written)
        }
        Err(AppError::Blocked(plans)) => (First::Blocked(plans), false),
        Err(error) => return Err(error),
    };
    let answer = key.answer(&first)?;
    let is_first = if is_written {
        let is_first = tx.remember_answer(scope, &answer, before(now)).await?;
        if is_first {
            tx.commit().await?;
        }
        is_first
    } else {
        // The write ends before another one begins.
        drop(tx);
        let times = (now, before(now));
        app.store
            .remember_answer(&caller.organization, scope, &answer, times)
            .await?
    };
    if is_first {
        return first.into_result();
    }
    // The same call was made at the same time, and answered first.
    let mut tx = app.store.read().await?;
    let first = recall_after(&mut tx, caller, key, before(now)).await?;
    first
        .ok_or_else(|| AppError::internal("a remembered answer is gone"))?
        .into_result()
}
