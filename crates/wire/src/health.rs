//! Health of services, and where versions run.

use forge_domain::health::{Reason, Status};
use forge_domain::{ServiceId, SetName, UnitTestId, VersionNumber};
use serde::{Deserialize, Serialize};

use crate::version_sets::VersionSetInstance;

/// The health of a service.
#[derive(Debug, Serialize)]
pub struct HealthInstance {
    /// The worst of everything.
    pub status: Status,
    /// What was found.
    pub reasons: Vec<Reason>,
    /// The sets, each with a status of its own.
    pub version_sets: Vec<SetHealth>,
}

/// A set and its status.
#[derive(Debug, Serialize)]
pub struct SetHealth {
    /// The worst of what is about it.
    pub status: Status,
    /// Which of its revisions started unfinished conversations.
    pub running_revisions: Vec<RunningRevision>,
    /// The set.
    #[serde(flatten)]
    pub set: VersionSetInstance,
}

/// A revision of a set that started unfinished conversations.
#[derive(Debug, Serialize)]
pub struct RunningRevision {
    /// The revision.
    pub revision: i64,
    /// How many.
    pub running_conversations: i64,
}

/// A service with sets that mean a version.
#[derive(Debug, Serialize)]
pub struct ServiceReferenceInstance {
    /// The service.
    pub service_id: ServiceId,
    /// Its name.
    pub service_name: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The sets.
    pub version_sets: Vec<SetReferenceInstance>,
}

/// A set that means a version.
#[derive(Debug, Serialize)]
pub struct SetReferenceInstance {
    /// Its name.
    pub name: SetName,
    /// Its latest revision.
    pub revision: i64,
    /// Whether it means the version only because it is the latest.
    pub is_floating: bool,
}

/// Unfinished conversations that run on a version, by what started them.
#[derive(Debug, Serialize)]
pub struct RunningReference {
    /// The service.
    pub service_id: ServiceId,
    /// The set.
    pub version_set_name: SetName,
    /// The set's revision when they were started; it may mean something else by now.
    pub revision: i64,
    /// How many.
    pub running_conversations: i64,
}

/// Builds the answer of the reverse index.
pub fn references(
    services: Vec<ServiceReferenceInstance>,
    running: &[RunningReference],
    unit_tests: &[UnitTestId],
    continuation_token: Option<i64>,
) -> References {
    let conversations: i64 = running.iter().map(|running| running.running_conversations).sum();
    crate::Page::new("services", services, continuation_token)
        .with("running_conversations", conversations)
        .with("running_revisions", running)
        .with("unit_tests", unit_tests)
}

/// The answer of the reverse index.
pub type References = crate::Page<Vec<ServiceReferenceInstance>>;

/// The body that yanks a version.
#[derive(Debug, Deserialize)]
pub struct Yank {
    /// Why.
    pub reason: String,
}

/// The answer of a yank, and of taking it back.
#[derive(Debug, Serialize)]
pub struct YankedInstance {
    /// The version.
    pub version: VersionNumber,
    /// Whether it is yanked now.
    pub is_yanked: bool,
    /// Why.
    pub reason: Option<String>,
    /// Where it runs.
    pub references: References,
}
