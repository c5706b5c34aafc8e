//! Scenarios of simulations.

use std::collections::BTreeSet;

use forge_domain::item::FilterValues;
use forge_domain::simulation::{InitialMessageType, Scenario, ScenarioDetails};
use forge_domain::tag::Tags;
use forge_domain::{ItemVersionId, OrganizationId, ScenarioId, UserRef, VersionNumber};
use serde::{Deserialize, Serialize};

use crate::items::{ItemAnswers, VersionAnswers, VersionParts};
use crate::rfc3339;

/// The body that creates a scenario.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateScenario {
    pub name: String,
    pub tags: Tags,
    pub initial_version: CreateScenarioVersion,
}

/// The body that creates a version of a scenario.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateScenarioVersion {
    pub objective: String,
    pub instructions: String,
    pub initial_message_type: InitialMessageType,
    /// A time in RFC 3339.
    pub conversation_starts_at: Option<String>,
}

/// The answer of creating a scenario.
#[derive(Debug, Serialize)]
pub struct ScenarioCreated {
    /// Its id.
    pub simulation_scenario_id: ScenarioId,
}

/// A scenario in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ScenarioInstance {
    pub id: ScenarioId,
    pub name: String,
    pub tags: Tags,
    pub is_deleted: bool,
    pub created_at: String,
    pub creator: UserRef,
    pub updated_at: String,
    pub updated_by: UserRef,
}

/// What a list of scenarios can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ScenarioFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
}

impl ItemAnswers for ScenarioDetails {
    type Instance = ScenarioInstance;
    type FilterValues = ScenarioFilterValues;

    fn instance(_: &OrganizationId, scenario: Scenario) -> ScenarioInstance {
        ScenarioInstance {
            id: scenario.id,
            name: scenario.name,
            tags: scenario.tags,
            is_deleted: scenario.is_deleted,
            created_at: rfc3339(scenario.created_at),
            creator: scenario.creator,
            updated_at: rfc3339(scenario.updated_at),
            updated_by: scenario.updated_by,
        }
    }

    fn filter_values(values: FilterValues<Self>) -> ScenarioFilterValues {
        ScenarioFilterValues {
            creators: values.creators,
            tags: values.tags,
        }
    }
}

/// A version of a scenario in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ScenarioVersionInstance {
    pub objective: String,
    pub instructions: String,
    pub initial_message_type: InitialMessageType,
    pub conversation_starts_at: Option<String>,
    #[serde(rename = "_id")]
    pub object_id: ItemVersionId,
    pub org_id: OrganizationId,
    pub created_at: String,
    pub updated_at: String,
    pub simulation_scenario_id: ScenarioId,
    pub version: VersionNumber,
    pub creator: UserRef,
}

impl VersionAnswers for ScenarioDetails {
    type VersionInstance = ScenarioVersionInstance;

    fn version_instance(version: VersionParts<'_, Self>) -> ScenarioVersionInstance {
        let (document, created_at) = (version.document, rfc3339(version.created_at));
        ScenarioVersionInstance {
            objective: document.objective,
            instructions: document.instructions,
            initial_message_type: document.initial_message_type,
            conversation_starts_at: document.conversation_starts_at.map(rfc3339),
            object_id: version.object_id,
            org_id: version.organization.clone(),
            created_at: created_at.clone(),
            updated_at: created_at,
            simulation_scenario_id: version.id,
            version: version.version,
            creator: version.creator,
        }
    }
}
