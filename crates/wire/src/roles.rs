//! Roles.

use forge_domain::RoleId;
use forge_domain::access::{self, Grant};
use serde::{Deserialize, Serialize};

/// Which view the users of a role see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrontendView {
    /// That of clients.
    Client,
    /// That of administrators.
    Admin,
}

impl FrontendView {
    /// Returns the view by whether it is that of administrators.
    pub fn new(is_admin: bool) -> Self {
        if is_admin { Self::Admin } else { Self::Client }
    }
}

/// The body that creates a role.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateRole {
    pub role_name: String,
    pub description: String,
    pub permission_grants: Vec<Grant>,
    pub frontend_view: FrontendView,
}

/// The body that changes a role; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ModifyRole {
    pub description: Option<String>,
    pub permission_grants: Option<Vec<Grant>>,
    pub frontend_view: Option<FrontendView>,
}

impl From<ModifyRole> for access::ModifyRole {
    fn from(body: ModifyRole) -> Self {
        Self {
            description: body.description,
            grants: body.permission_grants,
            has_admin_view: body.frontend_view.map(|view| view == FrontendView::Admin),
        }
    }
}

/// The body that gives a user a role.
#[derive(Debug, Deserialize)]
pub struct AssignRole {
    /// The user.
    pub user_id: String,
}

/// The answer of every change of roles.
#[derive(Debug, Serialize)]
pub struct RoleChanged {
    /// The role's id.
    pub role_id: RoleId,
}

/// A role in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct RoleInstance {
    pub id: RoleId,
    pub name: String,
    pub description: String,
    pub frontend_view: FrontendView,
    /// Empty unless asked for.
    pub permission_grants: Vec<Grant>,
}

/// The answer of a list of roles.
#[derive(Debug, Serialize)]
pub struct Roles {
    /// The roles in order of creation.
    pub roles: Vec<RoleInstance>,
}
