//! Agents and context graphs.

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::{OrganizationId, Timestamp, UserRef, VersionNumber};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::rfc3339;

/// The body that creates an agent.
#[derive(Debug, Deserialize)]
pub struct CreateAgent {
    /// Its name.
    pub agent_name: String,
}

/// The body that creates a context graph.
#[derive(Debug, Deserialize)]
pub struct CreateContextGraph {
    /// Its name.
    pub state_machine_name: String,
}

/// An agent or a context graph in a list.
#[derive(Debug, Serialize)]
pub struct AssetInstance {
    /// Its id.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// Its newest version, if it has any.
    pub latest_version: Option<VersionNumber>,
}

/// The answer of the creation of a version.
#[derive(Debug, Serialize)]
pub struct VersionCreated {
    /// Its number.
    pub version: VersionNumber,
    /// When it was created.
    pub created_at: String,
}

/// What the answer about a version is made of.
#[derive(Debug)]
pub struct VersionParts<'a> {
    /// The organization.
    pub organization: &'a OrganizationId,
    /// The id of the agent or context graph.
    pub id: AssetId,
    /// Its number.
    pub version: VersionNumber,
    /// Its content.
    pub document: &'a RawValue,
    /// Who created it.
    pub creator: &'a UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Builds the answer about one version: its content, with what identifies it beside.
pub fn version_instance(parts: &VersionParts<'_>) -> Result<Map<String, Value>, serde_json::Error> {
    let id = match parts.id {
        AssetId::Agent(_) => "agent_id",
        AssetId::ContextGraph(_) => "service_hierarchical_state_machine_id",
    };
    let mut instance = Map::new();
    instance.insert("org_id".to_owned(), json!(parts.organization));
    instance.insert(id.to_owned(), parts.id.to_string().into());
    instance.insert("version".to_owned(), json!(parts.version));
    instance.insert("created_at".to_owned(), rfc3339(parts.created_at).into());
    instance.insert("creator".to_owned(), json!(parts.creator));
    instance.extend(serde_json::from_str::<Map<String, Value>>(parts.document.get())?);
    Ok(instance)
}

/// Says that a version is yanked.
#[derive(Debug, Serialize)]
pub struct YankInstance {
    /// Why.
    pub reason: String,
    /// Since when it is yanked for this reason.
    pub since: String,
    /// Who yanked it.
    pub by: UserRef,
    /// What tells this yank from another, for `If-Match`.
    pub etag: String,
}

/// A version in a list.
#[derive(Debug, Serialize)]
pub struct ListedVersionInstance {
    /// What [`version_instance`] made of it.
    #[serde(flatten)]
    pub version: Map<String, Value>,
    /// That it is yanked, if it is. An extension of the contract.
    pub yanked: Option<YankInstance>,
}

/// Returns the name that a list of this kind has in its answer.
pub fn list_key(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agents",
        AssetKind::ContextGraph => "service_hierarchical_state_machines",
    }
}

/// Returns the name that a list of versions of this kind has in its answer.
pub fn version_list_key(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent_versions",
        AssetKind::ContextGraph => "state_machine_versions",
    }
}
