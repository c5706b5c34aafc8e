//! Organizations.

use serde::Serialize;
use serde_json::Value;

/// An organization; the last two fields are null unless the caller may see the details.
#[derive(Debug, Serialize)]
pub struct OrganizationInstance {
    /// Its id.
    pub org_id: String,
    /// Its name.
    pub org_name: String,
    /// What new users start with.
    pub default_user_preferences: Option<Value>,
    /// The tenant it is billed under; an installation of our own has none.
    pub tenant_id: Option<String>,
}
