//! Sets of unit tests.

use std::collections::BTreeSet;

use forge_domain::simulation::{self, UnitTestEntry, UnitTestSet, UnitTestSetFields};
use forge_domain::tag::Tags;
use forge_domain::{OrganizationId, UnitTestId, UnitTestSetId, UnitTestSetRunId, UserRef};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::rfc3339;
use crate::services::{Tag, tags};

/// The body that creates a set.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateUnitTestSet {
    pub name: String,
    pub description: Option<String>,
    pub unit_test_runs: Vec<UnitTestEntry>,
    pub tags: Tags,
}

impl From<CreateUnitTestSet> for UnitTestSetFields {
    fn from(body: CreateUnitTestSet) -> Self {
        Self {
            name: body.name,
            description: body.description,
            unit_test_runs: body.unit_test_runs,
            tags: body.tags,
        }
    }
}

/// The body that changes a set; absent fields stay as they are, and so does what is null, except the description.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `CreateUnitTestSet`")]
pub struct UpdateUnitTestSet {
    pub name: Option<String>,
    /// Null takes it away; an empty object stands for an absent field.
    #[serde(deserialize_with = "null_or_set")]
    pub description: Option<Option<String>>,
    pub unit_test_runs: Option<Vec<UnitTestEntry>>,
    pub tags: Option<Tags>,
}

#[expect(clippy::option_option, reason = "absent, null and a text are three things")]
fn null_or_set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(Some(text)),
        Value::Null => Some(None),
        // The contract admits only an object here.
        _ => None,
    })
}

impl From<UpdateUnitTestSet> for simulation::UpdateUnitTestSet {
    fn from(body: UpdateUnitTestSet) -> Self {
        Self {
            name: body.name,
            description: body.description,
            unit_test_runs: body.unit_test_runs,
            tags: body.tags,
        }
    }
}

/// The answer of a creation.
#[derive(Debug, Serialize)]
pub struct UnitTestSetCreated {
    /// The id of what was created.
    pub simulation_unit_test_set_id: UnitTestSetId,
}

/// A set in an answer, without its id.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UnitTestSetInstance {
    pub org_id: OrganizationId,
    pub created_at: String,
    pub updated_at: String,
    pub name: String,
    pub description: Option<String>,
    pub unit_test_runs: Vec<UnitTestEntry>,
    pub last_triggered_run_id: Option<UnitTestSetRunId>,
    pub is_deleted: bool,
    pub tags: Vec<Tag>,
    pub creator: UserRef,
    pub updated_by: UserRef,
}

impl UnitTestSetInstance {
    /// Builds the answer about a set.
    pub fn new(organization: &OrganizationId, set: UnitTestSet) -> Self {
        Self {
            org_id: organization.clone(),
            created_at: rfc3339(set.created_at),
            updated_at: rfc3339(set.updated_at),
            name: set.fields.name,
            description: set.fields.description,
            unit_test_runs: set.fields.unit_test_runs,
            last_triggered_run_id: set.last_run_id,
            is_deleted: set.is_deleted,
            tags: tags(set.fields.tags),
            creator: set.creator,
            updated_by: set.updated_by,
        }
    }
}

/// What a list of sets can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UnitTestSetFilterValues {
    pub creators: Vec<UserRef>,
    pub unit_test_ids: BTreeSet<UnitTestId>,
    pub tags: BTreeSet<String>,
}

impl From<simulation::UnitTestSetFilterValues> for UnitTestSetFilterValues {
    fn from(values: simulation::UnitTestSetFilterValues) -> Self {
        Self {
            creators: values.creators,
            unit_test_ids: values.unit_tests,
            tags: values.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_left_alone_unless_it_is_null_or_a_text() {
        let read = |body: &str| {
            serde_json::from_str::<UpdateUnitTestSet>(body)
                .unwrap()
                .description
        };
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"description": {}}"#), None);
        assert_eq!(read(r#"{"description": null}"#), Some(None));
        assert_eq!(read(r#"{"description": "x"}"#), Some(Some("x".into())));
    }
}
