//! Calls that may be repeated: a key names a call, and whoever repeats it is answered what was answered first.
//!
//! It works alike for every call, whatever it does. The store's handle of such a call keeps the write open that the use
//! case commits; when the answer is known, both become durable together. So there is no write whose answer is lost, and
//! no answer without its write. An answer that tells of no write is remembered by itself. Answers may hold secrets, such
//! as a new API key, so they are sealed under the master key.
//!
//! A repeated call asks for no permission on what it is about: what was done may have moved or ended it. So an answer is
//! told again only as long as its caller may do what they could when it was given, and no others could be behind them: it may
//! be a secret.

use std::time::Duration;

use forge_domain::fault::Fault;
use forge_domain::{Timestamp, UserRef};
use forge_store::{CallName, PostponedTx, Tx};
use sha2::{Digest as _, Sha256};

use crate::{App, AppError, Caller};

/// How long answers are kept.
const REMEMBERED: Duration = Duration::from_hours(24);

/// How many bytes stand for what a caller may do, and who could be behind them.
const RIGHTS_LEN: usize = 32;

/// Returns what stands for all that a caller may do, and for everybody who could be behind them.
fn rights(caller: &Caller) -> Result<[u8; RIGHTS_LEN], AppError> {
    let grants = (&caller.privileges.grants, &caller.temporary_grants);
    let text = serde_json::to_vec(&(grants, caller.others_behind()))
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Sha256::digest(text).into())
}

/// Names a call of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What is called: the operation, and on what.
    pub scope: String,
    /// The key that the caller chose.
    pub key: String,
    /// Stands for everything that the caller asked; the same key may not be used for anything else.
    pub request_hash: String,
}

fn before(now: Timestamp) -> Timestamp {
    now - REMEMBERED
}

/// Returns what an answer is sealed for.
fn context(name: &CallName) -> String {
    let UserRef { org_id, user_id } = &name.user;
    let parts = [
        name.organization.as_str(),
        org_id.as_str(),
        user_id.as_str(),
        &name.path,
        &name.key,
    ];
    format!("answer/{}", parts.join("/"))
}

impl App {
    /// Returns the app as a call under a key uses it: what that writes waits for [`App::finish_call`].
    #[must_use]
    pub fn for_named_call(&self, caller: &Caller, key: IdempotencyKey) -> Self {
        let mut app = self.clone();
        app.store = self.store.for_named_call(CallName {
            organization: caller.organization.clone(),
            user: caller.user.clone(),
            path: key.scope,
            key: key.key,
            request_hash: key.request_hash,
        });
        app
    }

    /// Returns what the call was answered first, if it was made before.
    ///
    /// # Errors
    /// Refuses a key that was used for another request, and a caller who may not do the same any more, or who
    /// others could be behind.
    pub async fn recall(&self, caller: &Caller) -> Result<Option<Vec<u8>>, AppError> {
        let Some(name) = self.store.call_name() else {
            return Ok(None);
        };
        let mut tx = self.store.read().await?;
        let Some(entry) = self.recall_in(&mut tx, name).await? else {
            return Ok(None);
        };
        match entry.split_at_checked(RIGHTS_LEN) {
            Some((then, answer)) if then == rights(caller)? => Ok(Some(answer.to_vec())),
            _ => Err(AppError::InsufficientRole(
                "this call was made before, and what you may do, or who could have made your API key, has changed since, so its \
                 answer is not told again; look at what is there, and use another key"
                    .to_owned(),
            )),
        }
    }

    /// Returns what is remembered of the call: what stands for the caller's rights, and the answer.
    async fn recall_in(&self, tx: &mut Tx, name: &CallName) -> Result<Option<Vec<u8>>, AppError> {
        let found = tx.find_answer(name, before(self.clock.now())).await?;
        let Some(found) = found else { return Ok(None) };
        if found.request_hash != name.request_hash {
            let loc = vec!["idempotency_key".into()];
            let msg = "this key was used for another request; choose a new one for each request";
            let fault = Fault::new(loc, "idempotency_key_reused", msg);
            return Err(AppError::Invalid(vec![fault]));
        }
        let opened = self.keyring.open(&context(name), &found.answer);
        let text = "this call was made before, and its answer cannot be read any more; look at what is there, and use \
                    another key";
        opened
            .map(Some)
            .ok_or_else(|| AppError::Conflict(text.to_owned()))
    }

    /// Refuses to go on if the same call was carried out since it was looked for: asked once nobody else can carry it
    /// out, so that of two that come at once one takes place.
    pub(crate) async fn refuse_repeated(&self, tx: &mut Tx) -> Result<(), AppError> {
        let Some(name) = self.store.call_name() else {
            return Ok(());
        };
        match self.recall_in(tx, name).await? {
            None => Ok(()),
            Some(_) => Err(AppError::Conflict(
                "the same call was made at the same time, and carried out".to_owned(),
            )),
        }
    }

    /// Makes the write of a call durable together with its answer, or the answer alone if nothing was written.
    ///
    /// Returns `false` if the same call was answered meanwhile: then the write is undone.
    async fn keep_answer(
        &self,
        write: Option<PostponedTx>,
        name: &CallName,
        answer: &str,
    ) -> Result<bool, AppError> {
        let now = self.clock.now();
        if let Some(mut tx) = write {
            let is_first = tx.keep_answer(name, answer, now, before(now)).await?;
            if is_first {
                tx.commit().await?;
            }
            return Ok(is_first);
        }
        let mut tx = self.store.write_installation().await?;
        let is_first = tx.keep_answer(name, answer, now, before(now)).await?;
        tx.commit().await?;
        Ok(is_first)
    }

    /// Ends a call under a key: makes what it wrote durable together with its answer.
    ///
    /// Without an answer, what it wrote is undone.
    ///
    /// Returns the first answer, if the same call was made at the same time and answered first; then this one did nothing.
    pub async fn finish_call(
        &self,
        caller: &Caller,
        answer: Option<&[u8]>,
    ) -> Result<Option<Vec<u8>>, AppError> {
        let Some(name) = self.store.call_name() else {
            return Ok(None);
        };
        let rights = rights(caller)?;
        let sealed = answer.map(|answer| {
            let entry = [&rights[..], answer].concat();
            self.keyring.seal(&context(name), &entry)
        });
        let sealed = sealed
            .transpose()
            .map_err(|error| AppError::Internal(Box::new(error)))?;
        let write = self.store.take_write();
        if let Some(answer) = sealed
            && self.keep_answer(write, name, &answer).await?
        {
            return Ok(None);
        }
        // The first answer may have been seen by a writer before it was durable.
        self.store.await_durability().await?;
        self.recall(caller).await
    }
}
