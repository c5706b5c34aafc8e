//! Dynamic behavior sets.

use std::collections::BTreeSet;

use forge_domain::behavior::{self, BehaviorDocument, BehaviorSet, BehaviorSetDetails};
use forge_domain::item::FilterValues;
use forge_domain::tag::Tags;
use forge_domain::{
    BehaviorInvocationId, BehaviorSetId, ConversationId, ItemVersionId, MessageId, OrganizationId, ServiceId,
    UserRef, VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::items::{ItemAnswers, VersionAnswers, VersionParts};
use crate::rfc3339;

/// The body that creates a behavior set.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateBehaviorSet {
    pub name: String,
    pub tags: Tags,
    pub applied_to_services: Vec<ServiceId>,
    pub initial_version: InitialVersion,
}

/// The first version of a behavior set, and whether the set is used from then on.
#[derive(Debug, Deserialize)]
pub struct InitialVersion {
    /// Whether the set is active.
    pub is_active: bool,
    /// The version's content.
    #[serde(flatten)]
    pub document: BehaviorDocument,
}

impl From<CreateBehaviorSet> for behavior::CreateBehaviorSet {
    fn from(body: CreateBehaviorSet) -> Self {
        Self {
            name: body.name,
            is_active: body.initial_version.is_active,
            tags: body.tags,
            applied_to_services: body.applied_to_services,
            document: body.initial_version.document,
        }
    }
}

/// The body that changes a behavior set; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UpdateBehaviorSet {
    pub name: Option<String>,
    pub tags: Option<Tags>,
    pub applied_to_services: Option<Vec<ServiceId>>,
    pub is_active: Option<bool>,
}

impl From<UpdateBehaviorSet> for behavior::UpdateBehaviorSet {
    fn from(body: UpdateBehaviorSet) -> Self {
        Self {
            name: body.name,
            is_active: body.is_active,
            tags: body.tags,
            applied_to_services: body.applied_to_services,
        }
    }
}

/// A behavior set in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct BehaviorSetInstance {
    pub id: BehaviorSetId,
    pub name: String,
    pub tags: Tags,
    pub is_active: bool,
    pub applied_to_services: Vec<ServiceId>,
    pub created_at: String,
    pub creator: UserRef,
    pub updated_at: String,
    pub updated_by: UserRef,
}

/// What a list of behavior sets can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct BehaviorSetFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub applied_to_services_ids: BTreeSet<ServiceId>,
}

impl ItemAnswers for BehaviorSetDetails {
    type Instance = BehaviorSetInstance;
    type FilterValues = BehaviorSetFilterValues;

    fn instance(_: &OrganizationId, set: BehaviorSet) -> BehaviorSetInstance {
        BehaviorSetInstance {
            id: set.id,
            name: set.name,
            tags: set.tags,
            is_active: set.is_active,
            applied_to_services: set.details.applied_to_services,
            created_at: rfc3339(set.created_at),
            creator: set.creator,
            updated_at: rfc3339(set.updated_at),
            updated_by: set.updated_by,
        }
    }

    fn filter_values(values: FilterValues<Self>) -> BehaviorSetFilterValues {
        BehaviorSetFilterValues {
            creators: values.creators,
            tags: values.tags,
            applied_to_services_ids: values.details,
        }
    }
}

/// A version of a behavior set in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct BehaviorSetVersionInstance {
    #[serde(flatten)]
    pub document: BehaviorDocument,
    #[serde(rename = "_id")]
    pub object_id: ItemVersionId,
    pub org_id: OrganizationId,
    pub created_at: String,
    pub updated_at: String,
    pub dynamic_behavior_set_id: BehaviorSetId,
    pub version: VersionNumber,
    pub creator: UserRef,
}

impl VersionAnswers for BehaviorSetDetails {
    type VersionInstance = BehaviorSetVersionInstance;

    fn version_instance(version: VersionParts<'_, Self>) -> BehaviorSetVersionInstance {
        let created_at = rfc3339(version.created_at);
        BehaviorSetVersionInstance {
            document: version.document,
            object_id: version.object_id,
            org_id: version.organization.clone(),
            created_at: created_at.clone(),
            updated_at: created_at,
            dynamic_behavior_set_id: version.id,
            version: version.version,
            creator: version.creator,
        }
    }
}

/// The answer of creating a behavior set.
#[derive(Debug, Serialize)]
pub struct BehaviorSetCreated {
    /// Its id.
    pub dynamic_behavior_set_id: BehaviorSetId,
}

/// The answer of creating a version of a behavior set.
#[derive(Debug, Serialize)]
pub struct BehaviorVersionCreated {
    /// Its number.
    pub new_version_number: VersionNumber,
}

/// An invocation in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct InvocationInstance {
    #[serde(rename = "_id")]
    pub object_id: BehaviorInvocationId,
    pub org_id: String,
    pub created_at: String,
    pub updated_at: String,
    pub conversation_id: ConversationId,
    pub service_id: ServiceId,
    pub user_id: String,
    pub initial_message_id: MessageId,
    pub agent_message_id: MessageId,
    pub agent_inner_thoughts_ids: Vec<MessageId>,
    pub dynamic_behavior_set_version_info: (BehaviorSetId, VersionNumber),
    pub invoked_at: String,
    pub external_event_message_ids: Vec<MessageId>,
}
