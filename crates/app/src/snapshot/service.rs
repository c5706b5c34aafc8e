//! Services as a server remembers them: what each of their sets means now.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use forge_domain::access::Attributes;
use forge_domain::{AgentId, ContextGraphId, Pins, ServiceId, SetName, VersionNumber};
use forge_store::{ServiceSummary, SetSummary};

use crate::version_sets::attributes_of_set;

/// A service and its sets at one moment.
///
/// Never changed: what changes gets another one.
#[derive(Debug)]
pub struct ServiceState {
    /// The service.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The agent that speaks, and its latest version.
    pub agent: (AgentId, Option<VersionNumber>),
    /// The graph that conversations walk, and its latest version.
    pub context_graph: (ContextGraphId, Option<VersionNumber>),
    sets: BTreeMap<SetName, SetState>,
}

/// The latest versions of a service's agent and of its context graph, if they have any.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LatestVersions {
    pub(crate) agent: Option<VersionNumber>,
    pub(crate) context_graph: Option<VersionNumber>,
}

/// A version set at one moment.
#[derive(Debug)]
pub struct SetState {
    /// Its name.
    pub name: SetName,
    /// The number of its latest revision.
    pub revision: i64,
    /// Whether it is deleted.
    pub is_deleted: bool,
    /// What it pins.
    pub pins: Pins,
    /// What conditions on permissions may look at.
    pub attributes: Attributes,
    answer: OnceLock<Arc<PreparedAnswer>>,
}

/// An answer about a set as it is sent, kept by whoever made it for the next one who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedAnswer {
    /// The whole body.
    pub body: Bytes,
    /// What stands for the body.
    pub entity_tag: Bytes,
}

impl ServiceState {
    /// Puts a service together with its sets and the latest versions of its agent and context graph.
    pub(crate) fn new(
        service: ServiceSummary,
        sets: impl IntoIterator<Item = SetSummary>,
        latest: LatestVersions,
    ) -> Self {
        let sets = sets.into_iter().map(|set| {
            let attributes = attributes_of_set(service.id, &service.name, &set.name);
            let state = SetState {
                name: set.name.clone(),
                revision: set.revision,
                is_deleted: set.is_deleted,
                pins: set.pins,
                attributes,
                answer: OnceLock::new(),
            };
            (set.name, state)
        });
        Self {
            sets: sets.collect(),
            id: service.id,
            name: service.name,
            is_active: service.is_active,
            agent: (service.agent_id, latest.agent),
            context_graph: (service.context_graph_id, latest.context_graph),
        }
    }

    /// Returns the same service after another version of its agent or context graph came to be the latest.
    pub(crate) fn with_latest(&self, latest: LatestVersions) -> Self {
        let service = ServiceSummary {
            id: self.id,
            name: self.name.clone(),
            is_active: self.is_active,
            agent_id: self.agent.0,
            context_graph_id: self.context_graph.0,
        };
        let sets = self.sets.values().map(|set| SetSummary {
            service_id: self.id,
            name: set.name.clone(),
            revision: set.revision,
            is_deleted: set.is_deleted,
            pins: set.pins.clone(),
        });
        Self::new(service, sets, latest)
    }

    /// Returns a set, deleted or not.
    pub fn set(&self, name: &str) -> Option<&SetState> {
        self.sets.get(name)
    }
}

impl SetState {
    /// Returns the prepared answer, or `None` if nobody has asked since the set came to mean what it means.
    pub(crate) fn prepared(&self) -> Option<&Arc<PreparedAnswer>> {
        self.answer.get()
    }

    /// Returns the prepared answer, making it first if nobody has asked since the set came to mean what it means.
    ///
    /// # Errors
    /// Returns the error of `make`.
    pub fn answer<E>(
        &self,
        make: impl FnOnce() -> Result<PreparedAnswer, E>,
    ) -> Result<Arc<PreparedAnswer>, E> {
        if let Some(answer) = self.answer.get() {
            return Ok(Arc::clone(answer));
        }
        let answer = Arc::new(make()?);
        Ok(Arc::clone(self.answer.get_or_init(|| answer)))
    }
}
