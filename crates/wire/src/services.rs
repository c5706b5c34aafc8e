//! Services.

use std::collections::BTreeSet;

use forge_domain::service::{self, Service};
use forge_domain::tag::Tags;
use forge_domain::version_set::RequestedPins;
use forge_domain::{AgentId, ContextGraphId, Pins, ServiceId, SetName, UserRef};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The body that creates a service.
#[derive(Debug, Deserialize)]
pub struct CreateService {
    /// The graph that conversations walk.
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// What `release` pins; by default it floats.
    #[serde(default)]
    pub release_version_set: Option<RequestedPins>,
    /// Words that transcription gets wrong.
    pub keyterms: Vec<String>,
    /// Its tags.
    pub tags: Tags,
}

/// The body that changes a service; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are those of `CreateService`")]
pub struct UpdateService {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_active: Option<bool>,
    pub agent_id: Option<AgentId>,
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: Option<ContextGraphId>,
    pub tags: Option<Tags>,
    pub keyterms: Option<Vec<String>>,
}

impl From<UpdateService> for service::UpdateService {
    fn from(body: UpdateService) -> Self {
        Self {
            name: body.name,
            description: body.description,
            is_active: body.is_active,
            agent_id: body.agent_id,
            context_graph_id: body.context_graph_id,
            tags: body.tags,
            keyterms: body.keyterms,
        }
    }
}

/// A tag in an answer.
#[derive(Debug, Serialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value, if it has one.
    pub value: Option<String>,
}

/// Returns tags as most answers have them.
pub(crate) fn tags(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key, value }).collect()
}

/// A service in an answer.
#[derive(Debug, Serialize)]
pub struct ServiceInstance {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Its sets by name.
    pub version_sets: IndexMap<SetName, Pins>,
    /// What it is for.
    pub description: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The graph that conversations walk.
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Words that transcription gets wrong.
    pub keyterms: Vec<String>,
    /// Who created it.
    pub creator: UserRef,
    /// Who changed it last.
    pub updated_by: UserRef,
}

impl ServiceInstance {
    /// Builds the answer about a service with these sets.
    pub fn new(service: Service, version_sets: IndexMap<SetName, Pins>) -> Self {
        Self {
            id: service.id,
            name: service.name,
            version_sets,
            description: service.description,
            is_active: service.is_active,
            context_graph_id: service.context_graph_id,
            agent_id: service.agent_id,
            tags: tags(service.tags),
            keyterms: service.keyterms,
            creator: service.creator,
            updated_by: service.updated_by,
        }
    }
}

/// What a list of services can be filtered by.
#[derive(Debug, Serialize)]
pub struct FilterValues {
    /// Every tag, in the form that the filter takes: `key:value`, or `key:` where it has no value.
    pub tags: BTreeSet<String>,
}

impl FilterValues {
    /// Collects the values from the tags of all services.
    pub fn new(tags: impl IntoIterator<Item = Tags>) -> Self {
        let text = |(key, value): (String, Option<String>)| format!("{key}:{}", value.unwrap_or_default());
        Self {
            tags: tags.into_iter().flatten().map(text).collect(),
        }
    }
}
