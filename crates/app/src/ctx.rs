//! In what context a use case is carried out.

use forge_domain::access::Permission;
use forge_store::{ReadTx, RunTx, WriteTx};

use crate::{App, AppError, Caller};

/// Whom a use case is carried out for, and by what.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// Everything that use cases need, beside what they are asked.
    pub app: &'a App,
    /// Who asks.
    pub caller: &'a Caller,
}

impl<'a> Ctx<'a> {
    /// Creates the context of a caller.
    pub const fn new(app: &'a App, caller: &'a Caller) -> Self {
        Self { app, caller }
    }

    /// Begins to read for a caller who has a permission on something.
    pub(crate) async fn read(self, permission: Permission) -> Result<ReadTx, AppError> {
        self.caller.require_any_grant(permission)?;
        Ok(self.app.store.read().await?)
    }

    /// Begins to write for a caller who has a permission on something: the others need not wait for their turn.
    pub(crate) async fn write(self, permission: Permission) -> Result<WriteTx, AppError> {
        self.caller.require_any_grant(permission)?;
        self.app.write(self.caller).await
    }

    /// Begins to write who may do what, for a caller who has a permission on something.
    pub(crate) async fn write_access(self, permission: Permission) -> Result<WriteTx, AppError> {
        self.caller.require_any_grant(permission)?;
        self.app.write_access(self.caller).await
    }

    /// Begins to write what happens while services run, for a caller who has a permission on something.
    pub(crate) async fn write_run(self, permission: Permission) -> Result<RunTx, AppError> {
        self.caller.require_any_grant(permission)?;
        self.app.write_run(self.caller).await
    }
}
