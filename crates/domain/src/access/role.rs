//! The roles that every organization starts with. They are code, so that a new permission reaches them at once.

use indexmap::IndexMap;

use super::{Grant, Permission};

/// A role that every organization has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefaultRole {
    /// Talks to services; sees nothing of how they are made.
    User,
    /// Builds and releases: agents, context graphs, services and their sets.
    Administrator,
    /// The same, and what concerns the organization as a whole.
    AmigoAdministrator,
    /// Everything.
    SuperAdministrator,
}

impl DefaultRole {
    /// All of them, the least privileged first; each holds every permission of the one before it.
    pub const ALL: [Self; 4] = [
        Self::User,
        Self::Administrator,
        Self::AmigoAdministrator,
        Self::SuperAdministrator,
    ];

    /// Returns the role's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "DefaultUserRole",
            Self::Administrator => "DefaultAdministratorRole",
            Self::AmigoAdministrator => "DefaultAmigoAdministratorRole",
            Self::SuperAdministrator => "DefaultSuperAdministratorRole",
        }
    }

    /// Returns the role of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Returns what the role is for, for people.
    pub fn description(self) -> &'static str {
        match self {
            Self::User => "Talks to the services of the organization.",
            Self::Administrator => "Builds and releases agents, context graphs, services and version sets.",
            Self::AmigoAdministrator => "Administers the organization.",
            Self::SuperAdministrator => "May do everything.",
        }
    }

    /// Tells whether the role's users see the administrators' view.
    pub fn has_admin_view(self) -> bool {
        self != Self::User
    }

    /// Returns what the role may do.
    pub fn grants(self) -> Vec<Grant> {
        let held = Permission::ALL
            .iter()
            .filter(|permission| self.holds(**permission));
        held.map(|permission| Grant {
            permission_name: permission.name().to_owned(),
            conditions: IndexMap::new(),
        })
        .collect()
    }

    fn holds(self, permission: Permission) -> bool {
        match self {
            Self::User => permission == Permission::GetService,
            Self::Administrator => !matches!(
                permission,
                Permission::CreateOrganization
                    | Permission::ModifyOrganization
                    | Permission::CreateApiKey
                    | Permission::DeleteApiKey
                    | Permission::CreateRole
                    | Permission::ModifyRole
                    | Permission::CreateTemporaryGrant
                    | Permission::GetTemporaryGrant
                    // The log tells of everything, temporary grants included.
                    | Permission::GetAuditEvent
            ),
            Self::AmigoAdministrator => permission != Permission::CreateOrganization,
            Self::SuperAdministrator => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::allows_some;

    #[test]
    fn each_default_role_holds_what_the_one_before_it_holds() {
        for pair in DefaultRole::ALL.windows(2) {
            for grant in pair[0].grants() {
                assert!(
                    pair[1].grants().contains(&grant),
                    "{} lacks {grant:?}",
                    pair[1].name()
                );
            }
        }
    }

    #[test]
    fn the_super_administrator_may_do_everything() {
        let grants = DefaultRole::SuperAdministrator.grants();
        assert!(
            Permission::ALL
                .iter()
                .all(|permission| allows_some(&grants, *permission))
        );
    }

    #[test]
    fn a_user_sees_services_and_nothing_else() {
        let names: Vec<String> = DefaultRole::User
            .grants()
            .into_iter()
            .map(|grant| grant.permission_name)
            .collect();
        assert_eq!(names, ["Service:GetService"]);
        assert_eq!(DefaultRole::by_name("DefaultUserRole"), Some(DefaultRole::User));
        assert_eq!(DefaultRole::by_name("nobody"), None);
    }
}
