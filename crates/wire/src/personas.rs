//! Personas of simulations.

use std::collections::BTreeSet;

use forge_domain::item::FilterValues;
use forge_domain::simulation::{self, Persona, PersonaDetails};
use forge_domain::tag::Tags;
use forge_domain::user::Variables;
use forge_domain::{ItemVersionId, OrganizationId, PersonaId, UserRef, VersionNumber};
use serde::{Deserialize, Serialize};

use crate::erasable::erasable;
use crate::items::{ItemAnswers, VersionAnswers, VersionParts};
use crate::rfc3339;

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

impl From<CreatePersona> for simulation::CreatePersona {
    fn from(body: CreatePersona) -> Self {
        Self {
            name: body.name,
            role: body.role,
            tags: body.tags,
            content: body.initial_version.into(),
        }
    }
}

impl From<CreatePersonaVersion> for simulation::PersonaContent {
    fn from(body: CreatePersonaVersion) -> Self {
        Self {
            background: body.background,
            preferred_language: body.preferred_language,
            timezone: body.timezone,
            user_models: body.user_models,
            nonsensitive_user_variables: body.nonsensitive_user_variables,
            sensitive_user_variables: body.sensitive_user_variables,
        }
    }
}

/// The answer of creating a persona.
#[derive(Debug, Serialize)]
pub struct PersonaCreated {
    /// Its id.
    pub simulation_persona_id: PersonaId,
}

/// A persona in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct PersonaInstance {
    pub id: PersonaId,
    pub name: String,
    pub tags: Tags,
    pub is_deleted: bool,
    pub role: String,
    pub created_at: String,
    pub creator: UserRef,
    pub updated_at: String,
    pub updated_by: UserRef,
}

/// What a list of personas can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct PersonaFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub roles: BTreeSet<String>,
}

impl ItemAnswers for PersonaDetails {
    type Instance = PersonaInstance;
    type FilterValues = PersonaFilterValues;

    fn instance(_: &OrganizationId, persona: Persona) -> PersonaInstance {
        PersonaInstance {
            id: persona.id,
            name: persona.name,
            tags: persona.tags,
            is_deleted: persona.is_deleted,
            role: persona.details.role,
            created_at: rfc3339(persona.created_at),
            creator: persona.creator,
            updated_at: rfc3339(persona.updated_at),
            updated_by: persona.updated_by,
        }
    }

    fn filter_values(values: FilterValues<Self>) -> PersonaFilterValues {
        PersonaFilterValues {
            creators: values.creators,
            tags: values.tags,
            roles: values.details,
        }
    }
}

/// A version of a persona in an answer.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct PersonaVersionInstance {
    pub background: String,
    pub preferred_language: Option<String>,
    pub timezone: Option<String>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: Variables,
    /// Left out for a caller who may not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive_user_variables: Option<Variables>,
    #[serde(rename = "_id")]
    pub object_id: ItemVersionId,
    pub org_id: OrganizationId,
    pub created_at: String,
    pub updated_at: String,
    pub simulation_persona_id: PersonaId,
    pub version: VersionNumber,
    pub creator: UserRef,
}

impl VersionAnswers for PersonaDetails {
    type VersionInstance = PersonaVersionInstance;

    fn version_instance(version: VersionParts<'_, Self>) -> PersonaVersionInstance {
        let (document, created_at) = (version.document, rfc3339(version.created_at));
        let sensitive = document.sensitive_user_variables;
        PersonaVersionInstance {
            background: document.background,
            preferred_language: document.preferred_language,
            timezone: document.timezone,
            user_models: document.user_models,
            nonsensitive_user_variables: document.nonsensitive_user_variables,
            sensitive_user_variables: version.with_secrets.then_some(sensitive),
            object_id: version.object_id,
            org_id: version.organization.clone(),
            created_at: created_at.clone(),
            updated_at: created_at,
            simulation_persona_id: version.id,
            version: version.version,
            creator: version.creator,
        }
    }
}
