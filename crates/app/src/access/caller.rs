//! Who calls, and what they may do.

use std::sync::Arc;

use forge_domain::access::{Attributes, Condition, Grant, Permission, Privileges, allows, allows_some};
use forge_domain::{Actor, ActorKey, ActorKind, OrganizationId, Timestamp, UserRef};

use crate::AppError;

/// The user in whose name history keeps what operators do from the command line.
pub(crate) const OPERATOR: &str = "forge-admin";

/// What a caller brings to prove who they are.
///
/// It cannot be printed: the token is a secret.
#[derive(Clone)]
pub struct Credentials<'a> {
    /// The token.
    pub token: &'a str,
    /// The whole user name of HTTP Basic, where that is how the token came.
    pub basic_user: Option<&'a str>,
    /// The organization that issued the token, where the caller says that it is not the path's.
    pub issuer: Option<&'a str>,
    /// Whether the caller declares to be an AI agent.
    pub is_declared_agent: bool,
}

/// An authenticated caller, acting in one organization.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The organization acted in.
    pub organization: OrganizationId,
    /// Who they are; of another organization perhaps.
    pub user: UserRef,
    /// What kind of caller they are.
    pub kind: ActorKind,
    /// The API key that they signed in with.
    pub key: ActorKey,
    /// What their role may do in the organization acted in: it alone counts when roles are compared.
    pub privileges: Arc<Privileges>,
    /// What they may do for a while beside that.
    pub temporary_grants: Vec<Grant>,
    /// When their token ends.
    pub ends_at: Timestamp,
    /// The change of the organization after which they may do this.
    pub known_at: i64,
}

impl Caller {
    /// Returns the caller as history and the audit log keep them.
    pub fn actor(&self) -> Actor {
        Actor {
            user: self.user.clone(),
            kind: self.kind,
            key: Some(self.key.clone()),
        }
    }

    /// Returns who else could be behind what the caller does: all who could have made the API key.
    ///
    /// Operators are left out, as they could do everything anyway; super administrators are not, who may not be that
    /// for ever.
    pub(crate) fn others_behind(&self) -> Vec<UserRef> {
        let is_other = |maker: &&UserRef| **maker != self.user && maker.user_id != OPERATOR;
        self.key.makers().filter(is_other).cloned().collect()
    }

    /// Returns `true` if the caller has a permission on a thing.
    pub fn may(&self, permission: Permission, attributes: &Attributes) -> bool {
        allows(&self.privileges.grants, permission, attributes)
            || allows(&self.temporary_grants, permission, attributes)
    }

    /// Returns `true` if the caller has a permission on their own things only, so that nothing else need be looked at.
    pub(crate) fn may_only_own(&self, permission: Permission) -> bool {
        let grants = self.privileges.grants.iter().chain(&self.temporary_grants);
        let mut held = grants.filter(|grant| grant.permission_name == permission.name());
        let own = Condition::Equals { value: true.into() };
        held.all(|grant| grant.conditions.get("is_own") == Some(&own))
    }

    /// Refuses unless the caller has a permission on a thing.
    pub fn authorize(&self, permission: Permission, attributes: &Attributes) -> Result<(), AppError> {
        if self.may(permission, attributes) {
            Ok(())
        } else {
            Err(AppError::Forbidden(permission.name()))
        }
    }

    /// Returns `true` if the caller may do anything at all in the organization.
    pub fn has_rights(&self) -> bool {
        !self.privileges.grants.is_empty() || !self.temporary_grants.is_empty()
    }

    /// Refuses a caller who has none of some permissions on anything; if none are named, one who has no
    /// rights in the organization at all.
    pub fn authorize_any(&self, permissions: &[Permission]) -> Result<(), AppError> {
        let mut known = permissions.iter().copied();
        let Some(first) = known.next() else {
            return if self.has_rights() {
                Ok(())
            } else {
                Err(AppError::InsufficientRole(
                    "you have no rights in this organization".to_owned(),
                ))
            };
        };
        let is_held = |permission| self.require_any_grant(permission).is_ok();
        if is_held(first) || known.any(is_held) {
            Ok(())
        } else {
            Err(AppError::Forbidden(first.name()))
        }
    }

    /// Refuses a caller who has the permission on nothing at all: such a one is not told whether a thing exists.
    pub fn require_any_grant(&self, permission: Permission) -> Result<(), AppError> {
        if self.may_some(permission) {
            Ok(())
        } else {
            Err(AppError::Forbidden(permission.name()))
        }
    }

    /// Returns `true` if the caller has the permission on anything at all.
    ///
    /// To one who has not, lists are empty: what is in them need not be looked at.
    pub(crate) fn may_some(&self, permission: Permission) -> bool {
        allows_some(&self.privileges.grants, permission) || allows_some(&self.temporary_grants, permission)
    }
}
