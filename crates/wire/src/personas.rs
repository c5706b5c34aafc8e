//! Personas of simulations.

use forge_domain::VersionNumber;
use forge_domain::service::Tags;
use forge_domain::user::Variables;
use serde::{Deserialize, Serialize};

use crate::erasable::erasable;

/// The body that creates a persona.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreatePersona {
    pub name: String,
    pub role: String,
    pub tags: Tags,
    pub initial_version: CreatePersonaVersion,
}

/// The body that creates a version of a persona.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreatePersonaVersion {
    pub background: String,
    /// An absent field or `{}` stands for what the organization has.
    #[serde(default, deserialize_with = "erasable")]
    pub preferred_language: Option<Option<String>>,
    /// An absent field or `{}` stands for what the organization has.
    #[serde(default, deserialize_with = "erasable")]
    pub timezone: Option<Option<String>>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: Variables,
    pub sensitive_user_variables: Variables,
}

/// The body that changes a persona or a scenario; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateTags {
    /// The tags.
    pub tags: Option<Tags>,
}

/// The answer of creating a persona.
#[derive(Debug, Serialize)]
pub struct PersonaCreated {
    /// Its id.
    pub simulation_persona_id: String,
}

/// The answer of creating a version of a persona or a scenario.
#[derive(Debug, Serialize)]
pub struct NumberCreated {
    /// Its number.
    pub version: VersionNumber,
}
