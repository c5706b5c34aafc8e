//! Which services have sets that mean a version.

use crate::ServiceId;
use crate::version_set::SetName;

/// A service with sets that mean a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReference {
    /// Its place in the organization's list of services.
    pub seq: i64,
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub service_name: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The sets, by name.
    pub sets: Vec<SetReference>,
}

/// A set that means a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetReference {
    /// Its name.
    pub name: SetName,
    /// Its latest revision.
    pub revision: i64,
    /// Whether it means the version only because it is the latest.
    pub is_floating: bool,
}
