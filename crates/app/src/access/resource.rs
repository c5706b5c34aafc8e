//! Finding things and authorising callers on them: the one way in which use cases do it.

use std::future::Future;

use forge_domain::OrganizationId;
use forge_domain::access::{Attributes, Permission};
use forge_store::{StoreError, Tx};

use crate::{AppError, Caller};

/// A thing that callers name by its key, and on which they need permissions.
///
/// What a caller names is found through it, so that nothing is used without the permission on it; a test knows the few
/// exceptions, and why they are.
pub(crate) trait Resource: Sized + Send {
    /// What names it within an organization.
    type Key: ?Sized + Sync;

    /// Returns the thing, or `None` if there is none of that key.
    fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        key: &Self::Key,
    ) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// Says that there is none of that key.
    fn not_found(key: &Self::Key) -> AppError;

    /// Returns what conditions on permissions can be about.
    fn attributes_for(&self, caller: &Caller) -> Attributes;

    /// Returns `true` if a caller has a permission on the thing.
    fn allows(&self, caller: &Caller, permission: Permission) -> bool {
        caller.may(permission, &self.attributes_for(caller))
    }
}

impl Caller {
    /// Returns a thing on which the caller has a permission.
    ///
    /// # Errors
    /// A caller who has the permission on nothing is not told whether the thing exists.
    pub(crate) async fn fetch<R: Resource>(
        &self,
        tx: &mut Tx,
        permission: Permission,
        key: &R::Key,
    ) -> Result<R, AppError> {
        self.require_any_grant(permission)?;
        let found = self.find_unchecked::<R>(tx, key).await?;
        self.authorize_on(permission, &found)?;
        Ok(found)
    }

    /// Refuses unless the caller has a permission on a thing.
    pub(crate) fn authorize_on<R: Resource>(
        &self,
        permission: Permission,
        thing: &R,
    ) -> Result<(), AppError> {
        if thing.allows(self, permission) {
            Ok(())
        } else {
            Err(AppError::Forbidden(permission.name()))
        }
    }

    /// Returns a thing that the caller names in something else, for which they need a permission on it.
    ///
    /// # Errors
    /// One on which they lack it is answered like one that is not there.
    pub(crate) async fn fetch_named<R: Resource>(
        &self,
        tx: &mut Tx,
        permission: Permission,
        key: &R::Key,
    ) -> Result<R, AppError> {
        let found = self.find_unchecked::<R>(tx, key).await?;
        if found.allows(self, permission) {
            Ok(found)
        } else {
            Err(R::not_found(key))
        }
    }

    /// Returns a thing whatever the caller may do with it: they are authorised on another thing that it belongs to, or
    /// by what is read of it.
    pub(crate) async fn find_unchecked<R: Resource>(&self, tx: &mut Tx, key: &R::Key) -> Result<R, AppError> {
        let found = R::by_key(tx, &self.organization, key).await?;
        found.ok_or_else(|| R::not_found(key))
    }
}
