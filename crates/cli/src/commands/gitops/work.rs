//! What files would have done.

use forge_client::answers::{FieldChange, Finding, Pins};
use forge_domain::SetName;
use forge_domain::asset::AssetKind;

use super::float::{Float, number_of};
use super::server::ServerService;
use super::tree::{Document, Service};

/// What has to be done, in the order in which it can be done.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) assets: Vec<AssetStep>,
    pub(super) services: Vec<ServiceWork>,
    /// Why the files cannot be applied at all.
    pub(super) problems: Vec<String>,
    /// What only the server has, and what stays.
    pub(super) left_alone: Vec<String>,
    /// Services that would be created, and those that they may have been before they were called so in the files.
    pub(super) renamed: Vec<Renamed>,
    /// What would be created and is called nearly like something else.
    pub(super) similar: Vec<Similar>,
    /// What floats on versions that come, and goes on doing so.
    pub(super) floats: Vec<Float>,
}

/// One thing that is done, or not, as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StepId {
    /// About the agent or the context graph at this place of the work.
    Asset(usize),
    /// The service at this place: its fields, or all of it with its `release`.
    Service(usize),
    /// Of the service at this place, the set at that place.
    Set(usize, usize),
}

/// A service of the files, and an active one of the server that runs the same and is not in the files.
#[derive(Debug, PartialEq)]
pub(super) struct Renamed {
    pub(super) from: String,
    pub(super) to: String,
}

impl Work {
    pub(super) fn is_nothing(&self) -> bool {
        self.assets.is_empty() && self.services.iter().all(ServiceWork::is_nothing)
    }

    /// Returns every step.
    pub(super) fn steps(&self) -> Vec<StepId> {
        let mut steps: Vec<StepId> = (0..self.assets.len()).map(StepId::Asset).collect();
        for (at, service) in self.services.iter().enumerate() {
            if service.known.is_none() || !service.changes.is_empty() {
                steps.push(StepId::Service(at));
            }
            steps.extend((0..service.sets.len()).map(|set| StepId::Set(at, set)));
        }
        steps
    }
}

/// One thing to do about an agent or a context graph.
#[derive(Debug, PartialEq)]
pub(super) enum AssetStep {
    Create {
        kind: AssetKind,
        name: String,
    },
    CreateVersion {
        kind: AssetKind,
        name: String,
        version: i64,
        document: Document,
    },
}

/// What is to be done about one service.
#[derive(Debug)]
pub(super) struct ServiceWork {
    pub(super) service: Service,
    /// The service on the server, if it is there.
    pub(super) known: Option<ServerService>,
    /// The fields of the service that change.
    pub(super) changes: Vec<FieldChange>,
    pub(super) sets: Vec<SetStep>,
    /// Whether it gets another agent or context graph.
    pub(super) is_rebound: bool,
    /// Its agent and its context graph, as far as versions of them come with the files.
    pub(super) awaited: Vec<(AssetKind, String)>,
    /// Whether a set pins such a version.
    pub(super) awaits_versions: bool,
    /// What would run versions that come, though the files want something else of it. It is changed before they are
    /// there.
    pub(super) exposed: Vec<Float>,
}

impl ServiceWork {
    pub(super) fn is_nothing(&self) -> bool {
        self.known.is_some() && self.changes.is_empty() && self.sets.is_empty()
    }

    /// Returns `true` if it comes before the versions that the files bring.
    pub(super) fn comes_first(&self) -> bool {
        !self.exposed.is_empty()
    }

    /// Returns `true` if some of it can only be done once versions are there that come with the files.
    pub(super) fn needs_versions(&self) -> bool {
        let is_begun = self.known.is_none() || self.is_rebound || self.activates();
        is_begun && !self.awaited.is_empty()
            || self
                .sets
                .iter()
                .any(|step| step.waits || self.floats_on_awaited(step))
    }

    /// Returns `true` if conversations begin in it only now.
    fn activates(&self) -> bool {
        let is_active = |change: &FieldChange| change.field == "is_active" && change.to == true;
        self.changes.iter().any(is_active)
    }

    /// Returns `true` if a set is to float on a version that comes with the files.
    fn floats_on_awaited(&self, step: &SetStep) -> bool {
        let floats = |pins: &Pins| {
            let mut kinds = self.awaited.iter().map(|(kind, _)| *kind);
            kinds.any(|kind| number_of(pins, kind).is_none())
        };
        step.after.as_ref().is_some_and(floats)
    }

    /// Returns `true` if a finding about the service is one about a set that changes.
    ///
    /// Findings name sets in their text alone.
    pub(super) fn changes_set_of(&self, finding: &Finding) -> bool {
        let is_of = |step: &SetStep| {
            finding
                .message
                .starts_with(&format!("version set `{}`: ", step.name))
        };
        self.sets.iter().any(is_of)
    }
}

/// One thing to do about a set; without pins, it is to be deleted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SetStep {
    pub(super) name: SetName,
    pub(super) before: Option<Pins>,
    pub(super) after: Option<Pins>,
    /// Whether it is to mean a version that comes with the files.
    pub(super) waits: bool,
    /// Whether it says the same before and after such versions are there.
    pub(super) is_settled: bool,
}

impl SetStep {
    /// The `release` that comes into being with a new service; it floats unless the files say what it pins.
    pub(super) fn release_of_new(service: &Service) -> Self {
        let name = SetName::release();
        Self {
            before: None,
            after: service.version_sets.get(&name).cloned(),
            name,
            waits: false,
            is_settled: false,
        }
    }
}

/// Something that would be created, and what is called nearly the same.
#[derive(Debug, PartialEq)]
pub(super) struct Similar {
    /// What kind of thing it is.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) alike: Vec<String>,
}
