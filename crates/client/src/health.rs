//! Health of services, and where versions run.

use forge_types::ServiceId;
use serde::Deserialize;

use crate::request::Request;
use crate::{Client, ClientError, Document};

/// How a service is.
#[derive(Debug, Clone, Deserialize)]
pub struct Health {
    /// `healthy`, `degraded` or `unhealthy`.
    pub status: String,
    /// What was found.
    #[serde(default)]
    pub reasons: Vec<HealthReason>,
}

/// One thing to know about a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HealthReason {
    /// A stable word for programs.
    pub code: String,
    /// What is so.
    pub message: String,
    /// The set that it is about, or `None` if it is the whole service.
    #[serde(default)]
    pub version_set: Option<String>,
    /// `information`, `degraded` or `unhealthy`.
    pub severity: String,
}

/// A service with sets that mean a version.
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceReference {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub service_name: String,
    /// The sets.
    pub version_sets: Vec<SetReference>,
}

/// A set that means a version.
#[derive(Debug, Clone, Deserialize)]
pub struct SetReference {
    /// Its name.
    pub name: String,
    /// Whether it means the version only because it is the latest.
    pub is_floating: bool,
}

impl Client {
    /// Tells how a service is.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if there is no such service.
    pub async fn health(&self, service: ServiceId) -> Result<Document<Health>, ClientError> {
        self.read(Request::get(format!("service/{service}/health"))).await
    }
}
