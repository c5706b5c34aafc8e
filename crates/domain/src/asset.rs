//! Agents and context graphs: the two things that have versions.

use serde_json::value::RawValue;

use crate::actor::UserRef;
use crate::time::Timestamp;
use crate::version::VersionNumber;

pub use forge_types::asset::{AssetId, AssetKind};

/// An agent or a context graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its id, which says which of the two it is.
    pub id: AssetId,
    /// Its place in the organization's list.
    pub seq: i64,
    /// Its name; unique within the organization, deprecated ones included.
    pub name: String,
    /// Whether it is deprecated.
    pub is_deprecated: bool,
    /// Its newest version, if it has any.
    pub latest_version: Option<VersionNumber>,
}

/// A version of an agent or a context graph.
#[derive(Debug, Clone)]
pub struct AssetVersion {
    /// Its number.
    pub version: VersionNumber,
    /// Its content, exactly as stored.
    pub document: Box<RawValue>,
    /// Who created it.
    pub creator: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}
