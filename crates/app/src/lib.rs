//! Use cases: what a caller can do, a folder per subject, a file per noun.
//!
//! Each function takes a [`Ctx`], the app and the caller, authorises, opens the transaction, asks the domain, writes and
//! audits, in that order and in one transaction, so that the check and the write see the same data. Every way into
//! Forge calls these and nothing below them. No HTTP here: errors say what happened, `api` says with which status.
//!
//! **Adding a use case:** `docs/adding-an-endpoint.md`, step 6.

pub mod access;
pub mod admin;
pub mod aside;
pub mod assets;
pub mod audit;
pub mod conversations;
mod ctx;
mod environment;
mod error;
pub mod evaluations;
mod idempotency;
pub mod identity;
pub mod items;
mod lease;
mod long_prompts;
mod maintenance;
pub mod models;
mod names;
mod page;
mod reading;
mod searching;
pub mod services;
pub mod simulations;
pub mod snapshot;
mod sorting;
pub mod version_sets;
pub mod watch;

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use forge_domain::ToolId;
use forge_domain::agent::VoiceCatalogue;
use forge_domain::model::ModelCatalogue;
pub use forge_runtime::{Behavior, Runtime, RuntimeError};
pub use forge_store::{OpenError, OpenMode, Store, StoreUrl};
use forge_store::{RunTx, Tx, WriteTx};

pub use access::caller::{Caller, Credentials};
pub use access::keyring::{Keyring, KeyringError};
pub use ctx::Ctx;
pub use environment::{Environment, OsRandom, Random};
pub use error::AppError;
pub use forge_types::SystemClock;
pub use idempotency::IdempotencyKey;
pub use page::Page;

/// Everything that use cases need, beside what they are asked: the store, and the environment.
#[derive(Clone)]
pub struct App {
    /// Where everything is kept.
    pub store: Store,
    environment: Arc<Environment>,
}

impl Deref for App {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        &self.environment
    }
}

/// What an installation offers, from its configuration.
#[derive(Debug)]
pub struct Catalogues {
    /// The models that version sets may prefer.
    pub models: ModelCatalogue,
    /// The voices that agents may use.
    pub voices: VoiceCatalogue,
    /// The tools that context graphs may call.
    pub tools: HashSet<ToolId>,
}

/// The result of a write, and the organization's change number after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// What the write made.
    pub value: T,
    /// The change number; a reader who waits for it sees the write.
    pub change_number: i64,
}

impl App {
    /// Creates an app.
    pub fn new(store: Store, environment: Environment) -> Self {
        Self {
            store,
            environment: Arc::new(environment),
        }
    }

    /// Sets what conversations run with.
    pub fn set_runtime(&mut self, runtime: Arc<Runtime>) {
        Arc::make_mut(&mut self.environment).runtime = runtime;
    }

    /// Begins a write that changes who may do what, and says so: whoever was read before has to be read again.
    pub(crate) async fn write_access(&self, caller: &Caller) -> Result<WriteTx, AppError> {
        let mut tx = self.write(caller).await?;
        tx.mark_access_change().await?;
        Ok(tx)
    }

    /// Returns the app as one call uses it, so that [`App::await_durability`] speaks of what this call saw.
    #[must_use]
    pub fn begin_request(&self) -> Self {
        Self {
            store: self.store.begin_request(),
            environment: Arc::clone(&self.environment),
        }
    }

    /// Holds the result of a call back until all that it may be based on is durable.
    ///
    /// A refusal, or that there is nothing to do, may follow from a write that was not yet durable when the call saw
    /// it.
    ///
    /// # Errors
    /// The call's own, or that what it saw has not become durable.
    pub async fn await_durability<T, E: From<AppError>>(&self, result: Result<T, E>) -> Result<T, E> {
        self.store.await_durability().await.map_err(AppError::from)?;
        result
    }

    /// Begins a write to the caller's organization.
    ///
    /// If somebody has changed who may do what since the caller was recognised, it is looked at again under the lock:
    /// two administrators who take each other's rights away at once must not both succeed, and who lost a right on one
    /// server must not use it on another.
    pub(crate) async fn write(&self, caller: &Caller) -> Result<WriteTx, AppError> {
        let write = self.store.write(&caller.organization, self.clock.now()).await?;
        let mut tx = write.ok_or_else(|| AppError::no_organization(caller.organization.as_str()))?;
        let changed = tx.access_changed();
        self.refuse_changed(&mut tx, caller, changed).await?;
        self.refuse_repeated(&mut tx).await?;
        Ok(tx)
    }

    /// Refuses a caller who may not do any more what they could, in the write that creates another organization.
    ///
    /// What they may do stays so until it ends.
    pub(crate) async fn require_unchanged(&self, tx: &mut WriteTx, caller: &Caller) -> Result<(), AppError> {
        let changed = tx.keep_access_of(&caller.organization).await?;
        self.refuse_changed(tx, caller, changed).await
    }

    /// Begins a write of what happens while services run, for a caller who may still do what they could.
    pub(crate) async fn write_run(&self, caller: &Caller) -> Result<RunTx, AppError> {
        let mut tx = self.store.write_run(&caller.organization).await?;
        let changed = tx.access_changed().await?;
        self.refuse_changed(&mut tx, caller, changed).await?;
        Ok(tx)
    }

    /// Refuses a caller who was recognised before the latest change of who may do what, if it took something from them.
    async fn refuse_changed(&self, tx: &mut Tx, caller: &Caller, latest: i64) -> Result<(), AppError> {
        if latest > caller.known_at && !access::sign_in::is_unchanged(Ctx::new(self, caller), tx).await? {
            return Err(AppError::Unauthenticated(
                "what you may do has changed meanwhile; sign in again",
            ));
        }
        Ok(())
    }
}

/// Makes the write durable and pairs its result with the change number.
pub(crate) async fn commit<T>(tx: WriteTx, value: T) -> Result<Written<T>, AppError> {
    let change_number = tx.commit().await?;
    Ok(Written { value, change_number })
}
