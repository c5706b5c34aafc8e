//! Dynamic behavior sets.

use forge_domain::behavior::BehaviorDocument;
use forge_domain::service::Tags;
use forge_domain::{BehaviorInvocationId, ConversationId, MessageId, ServiceId, VersionNumber};
use serde::{Deserialize, Serialize};

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

/// The answer of creating a behavior set.
#[derive(Debug, Serialize)]
pub struct BehaviorSetCreated {
    /// Its id.
    pub dynamic_behavior_set_id: String,
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
    pub dynamic_behavior_set_version_info: (String, VersionNumber),
    pub invoked_at: String,
    pub external_event_message_ids: Vec<MessageId>,
}
