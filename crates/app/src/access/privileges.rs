//! What callers may hand out, and whom they may touch.

use forge_domain::access::{Attributes, Grant, Permission, Privileges, Role, gained};

use crate::{AppError, Caller};

/// Returns a role as far as it is compared with others.
pub(crate) fn of(role: &Role) -> Privileges {
    Privileges {
        role_name: role.name.clone(),
        grants: role.grants.clone(),
    }
}

/// Returns those of a user's temporary grants that count when they are signed in with a key: what the role of the key
/// does not hold, it lends to nobody.
///
/// Otherwise whoever has a key could use what was given to one user alone.
pub(crate) fn lent(key: &Privileges, mut grants: Vec<Grant>) -> Vec<Grant> {
    grants.retain(|grant| key.is_super() || key.cover(std::slice::from_ref(grant)));
    grants
}

/// Returns what conditions on a role can be about.
pub(crate) fn role_attributes(role: &Role) -> Attributes {
    Attributes::default()
        .with("role_id", role.id.to_string())
        .with("role_name", role.name.as_str())
}

impl Caller {
    /// Refuses unless the caller's role is greater than the one that is to be given to somebody.
    ///
    /// Temporary grants do not count: otherwise they could be made permanent.
    pub(crate) fn require_greater(&self, role: &Role) -> Result<(), AppError> {
        if self.privileges.exceed(&of(role)) {
            return Ok(());
        }
        Err(AppError::InsufficientRole(format!(
            "your role is not greater than {}",
            self.named(role)
        )))
    }

    /// Returns a role's name, or that it is one, if the caller may not see it.
    fn named(&self, role: &Role) -> String {
        if self.may(Permission::GetRole, &role_attributes(role)) {
            format!("the role `{}`", role.name)
        } else {
            "that role".to_owned()
        }
    }

    /// Refuses unless the caller's role holds everything that is to be granted.
    pub(crate) fn require_cover(&self, grants: &[Grant]) -> Result<(), AppError> {
        match self.privileges.first_uncovered(grants) {
            None => Ok(()),
            Some(grant) => Err(AppError::InsufficientRole(format!(
                "your role does not hold `{}` to that extent, so you cannot grant it",
                grant.permission_name
            ))),
        }
    }

    /// Refuses to change what belongs to a role that may do something the caller's may not.
    pub(crate) fn require_not_above(&self, role: &Role) -> Result<(), AppError> {
        if self.privileges.hold_all_of(&of(role)) {
            return Ok(());
        }
        Err(AppError::InsufficientRole(format!(
            "{} is above your own",
            self.named(role)
        )))
    }
    /// Refuses a change of what conditions are about that would give the caller a permission on the thing: nobody moves
    /// a thing into their own reach.
    pub(crate) fn require_no_gain(&self, before: &Attributes, after: &Attributes) -> Result<(), AppError> {
        let grants = self.privileges.grants.iter().chain(&self.temporary_grants);
        match gained(grants, before, after) {
            None => Ok(()),
            Some(permission) => Err(AppError::InsufficientRole(format!(
                "this change would give you `{}` on it, which you do not have now; whoever has it before and after, or \
                 neither, can make the change",
                permission.name()
            ))),
        }
    }
}
