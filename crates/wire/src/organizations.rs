//! Organizations.

use forge_domain::user::Preferences;
use serde::{Deserialize, Serialize};

/// An organization; the last two fields are null unless the caller may see the details.
#[derive(Debug, Serialize)]
pub struct OrganizationInstance {
    /// Its id.
    pub org_id: String,
    /// Its name.
    pub org_name: String,
    /// What new users start with.
    pub default_user_preferences: Option<Preferences>,
    /// The tenant it is billed under; an installation of our own has none.
    pub tenant_id: Option<String>,
}

/// The body that creates an organization.
///
/// What concerns branding is accepted and not kept: nothing shows it.
#[derive(Debug, Deserialize)]
pub struct CreateOrganization {
    /// Its name, for people.
    pub org_name: String,
    /// What its new users start with.
    #[serde(default)]
    pub default_user_preferences: Preferences,
}

/// The body that changes an organization; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ModifyOrganization {
    /// What its new users start with.
    pub default_user_preferences: Option<Preferences>,
}

/// The answer of the creation of an organization.
#[derive(Debug, Serialize)]
pub struct OrganizationCreated {
    /// Its id.
    pub org_id: String,
}
