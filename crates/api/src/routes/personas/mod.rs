//! Personas.

pub(crate) mod create;
pub(crate) mod create_version;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod search;
pub(crate) mod update;

use forge_domain::PersonaId;
use forge_domain::simulation::PersonaFilter;
use serde::Deserialize;

/// The path of a persona.
#[derive(Deserialize)]
pub(crate) struct Path {
    pub(crate) simulation_persona_id: PersonaId,
}

/// What only personas can be filtered by, as queries say it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct OwnFilter {
    role: Vec<String>,
}

impl From<OwnFilter> for PersonaFilter {
    fn from(query: OwnFilter) -> Self {
        Self { roles: query.role }
    }
}
