//! Unit tests.

use std::collections::BTreeSet;

use forge_domain::simulation::{self, SuccessCriterion, UnitTest};
use forge_domain::tag::Tags;
use forge_domain::{
    MetricId, OrganizationId, PersonaId, ScenarioId, ServiceId, SetName, UnitTestId, UserRef,
};
use serde::{Deserialize, Serialize};

use crate::rfc3339;
use crate::services::{Tag, tags};

/// The body that creates a unit test.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateUnitTest {
    pub name: String,
    pub description: String,
    pub service_id: ServiceId,
    pub service_version_set_name: String,
    pub persona_id: PersonaId,
    pub scenario_id: ScenarioId,
    pub max_interactions: u32,
    pub success_criterions: Vec<SuccessCriterion>,
    pub tags: Tags,
}

impl From<CreateUnitTest> for simulation::CreateUnitTest {
    fn from(body: CreateUnitTest) -> Self {
        Self {
            name: body.name,
            description: body.description,
            service_id: body.service_id,
            version_set_name: body.service_version_set_name,
            persona_id: body.persona_id,
            scenario_id: body.scenario_id,
            max_interactions: body.max_interactions,
            success_criterions: body.success_criterions,
            tags: body.tags,
        }
    }
}

/// The body that changes a unit test; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `CreateUnitTest`")]
pub struct UpdateUnitTest {
    pub description: Option<String>,
    pub service_id: Option<ServiceId>,
    pub service_version_set_name: Option<String>,
    pub persona_id: Option<PersonaId>,
    pub scenario_id: Option<ScenarioId>,
    pub max_interactions: Option<u32>,
    /// How many conversations are held each time the test is run.
    pub run_count: Option<u32>,
    pub success_criterions: Option<Vec<SuccessCriterion>>,
    pub tags: Option<Tags>,
}

impl From<UpdateUnitTest> for simulation::UpdateUnitTest {
    fn from(body: UpdateUnitTest) -> Self {
        Self {
            description: body.description,
            service_id: body.service_id,
            version_set_name: body.service_version_set_name,
            persona_id: body.persona_id,
            scenario_id: body.scenario_id,
            max_interactions: body.max_interactions,
            run_count: body.run_count,
            success_criterions: body.success_criterions,
            tags: body.tags,
        }
    }
}

/// The answer of a creation.
#[derive(Debug, Serialize)]
pub struct UnitTestCreated {
    /// The id of what was created.
    pub simulation_unit_test_id: UnitTestId,
}

/// Something in a list.
#[derive(Debug, Serialize)]
pub struct Listed<I, T> {
    /// Its id.
    pub id: I,
    /// All else.
    #[serde(flatten)]
    pub fields: T,
}

/// Something that a search found: there the contract calls ids otherwise.
#[derive(Debug, Serialize)]
pub struct Found<I, T> {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: I,
    /// All else.
    #[serde(flatten)]
    pub fields: T,
}

/// A unit test in an answer, without its id.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UnitTestInstance {
    pub org_id: OrganizationId,
    pub created_at: String,
    pub updated_at: String,
    pub name: String,
    pub description: String,
    pub service_id: ServiceId,
    pub service_version_set_name: SetName,
    pub persona_id: PersonaId,
    pub scenario_id: ScenarioId,
    pub max_interactions: u32,
    /// How many conversations are held each time the test is run.
    pub run_count: u32,
    pub success_criterions: Vec<SuccessCriterion>,
    pub is_deleted: bool,
    pub tags: Vec<Tag>,
    pub creator: UserRef,
    pub updated_by: UserRef,
}

impl UnitTestInstance {
    /// Builds the answer about a unit test.
    pub fn new(organization: &OrganizationId, test: UnitTest) -> Self {
        let fields = test.fields;
        Self {
            org_id: organization.clone(),
            created_at: rfc3339(test.created_at),
            updated_at: rfc3339(test.updated_at),
            name: fields.name,
            description: fields.description,
            service_id: fields.service_id,
            service_version_set_name: fields.version_set_name,
            persona_id: fields.persona_id,
            scenario_id: fields.scenario_id,
            max_interactions: fields.max_interactions,
            run_count: fields.run_count,
            success_criterions: fields.success_criterions,
            is_deleted: test.is_deleted,
            tags: tags(fields.tags),
            creator: test.creator,
            updated_by: test.updated_by,
        }
    }
}

/// What a list of unit tests can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UnitTestFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub service_ids: BTreeSet<ServiceId>,
    pub persona_ids: BTreeSet<PersonaId>,
    pub scenario_ids: BTreeSet<ScenarioId>,
    pub metric_ids: BTreeSet<MetricId>,
}

impl From<simulation::UnitTestFilterValues> for UnitTestFilterValues {
    fn from(values: simulation::UnitTestFilterValues) -> Self {
        Self {
            creators: values.creators,
            tags: values.tags,
            service_ids: values.services,
            persona_ids: values.personas,
            scenario_ids: values.scenarios,
            metric_ids: values.metrics,
        }
    }
}
