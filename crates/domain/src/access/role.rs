//! Roles. Those that every organization starts with are code, so that a new permission reaches them at once.

use crate::RoleId;
use indexmap::IndexMap;

use super::{Condition, Grant, Permission};

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

    /// Returns `true` if the role's users see the administrators' view.
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
            conditions: self.conditions(*permission),
        })
        .collect()
    }

    /// Users do with their own conversations, and with themselves, what others need a wider role for.
    fn conditions(self, permission: Permission) -> IndexMap<String, Condition> {
        if self == Self::User && permission.attributes().contains(&"is_own") {
            let is_own = Condition::Equals { value: true.into() };
            return IndexMap::from([("is_own".to_owned(), is_own)]);
        }
        IndexMap::new()
    }

    fn holds(self, permission: Permission) -> bool {
        match self {
            Self::User => matches!(
                permission,
                Permission::GetService
                    | Permission::UpdateUserInfo
                    | Permission::CreateConversation
                    | Permission::InteractWithConversation
                    | Permission::FinishConversation
                    | Permission::GetConversation
                    | Permission::GetMessage
                    | Permission::GetRecommendedResponses
            ),
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

/// What changes about a role; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a role")]
pub struct ModifyRole {
    pub description: Option<String>,
    pub grants: Option<Vec<Grant>>,
    pub has_admin_view: Option<bool>,
}

/// A role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether its users see the administrators' view.
    pub has_admin_view: bool,
    /// What it grants; of a default role, what the code says.
    pub grants: Vec<Grant>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::allows_some;

    #[test]
    fn each_default_role_holds_what_the_one_before_it_holds() {
        for pair in DefaultRole::ALL.windows(2) {
            for grant in pair[0].grants() {
                let without = Grant {
                    conditions: IndexMap::new(),
                    ..grant.clone()
                };
                let grants = pair[1].grants();
                assert!(
                    grants.contains(&grant) || grants.contains(&without),
                    "{} lacks {grant:?}",
                    pair[1].name()
                );
            }
        }
    }

    #[test]
    fn all_but_users_see_the_administrators_view() {
        let views = DefaultRole::ALL.map(DefaultRole::has_admin_view);
        assert_eq!(views, [false, true, true, true]);
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
    fn a_user_talks_to_services_and_sees_only_what_is_their_own() {
        let grants = DefaultRole::User.grants();
        let (own, any): (Vec<Grant>, Vec<Grant>) = grants
            .into_iter()
            .partition(|grant| grant.conditions.contains_key("is_own"));
        let names = |grants: Vec<Grant>| -> Vec<String> {
            grants.into_iter().map(|grant| grant.permission_name).collect()
        };
        assert_eq!(
            names(any),
            ["Service:GetService", "Conversation:CreateConversation"]
        );
        assert_eq!(
            names(own),
            [
                "User:UpdateUserInfo",
                "Conversation:InteractWithConversation",
                "Conversation:FinishConversation",
                "Conversation:GetConversation",
                "Conversation:GetMessage",
                "Conversation:GetRecommendedResponses",
            ]
        );
        assert_eq!(DefaultRole::by_name("DefaultUserRole"), Some(DefaultRole::User));
        assert_eq!(DefaultRole::by_name("nobody"), None);
    }
}
