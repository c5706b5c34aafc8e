//! Changes of an organization, as they are told to those who follow them.

use forge_domain::audit::AuditObject;
use forge_domain::{Actor, ServiceId, SetName};
use serde::Serialize;

/// A change.
#[derive(Debug, Serialize)]
pub struct ChangeInstance {
    /// The organization's change number: what answers to writes call `Forge-Sequence`.
    pub sequence: i64,
    /// When.
    pub created_at: String,
    /// What happened.
    pub events: Vec<EventInstance>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub struct EventInstance {
    /// What was done.
    pub action: String,
    /// To what.
    pub object: AuditObject,
    /// By whom.
    pub actor: Actor,
    /// The set that it is about, if it is about one.
    #[serde(flatten)]
    pub set: Option<SetEvent>,
}

/// What an event about a set tells beside.
#[derive(Debug, Serialize)]
pub struct SetEvent {
    /// The service.
    pub service_id: ServiceId,
    /// The set.
    pub version_set_name: SetName,
    /// The latest revision of the set afterwards; null if it was deleted.
    pub revision: Option<i64>,
}
