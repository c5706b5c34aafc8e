//! What the plan of a change looks at, as it is read.

use forge_domain::access::{Attributes, Permission};
use forge_domain::plan::{Change, PinnedRevision, Target, choose_restored};
use forge_domain::service::Service;
use forge_domain::simulation::UnitTestRef;
use forge_domain::version_set::{Binding, VersionSet};
use forge_domain::yank::YankedVersion;
use forge_domain::{Refusal, SetName};
use forge_store::Tx;

use super::batch::{ChangeRequest, SetChange};
use super::{Promote, Rollback};
use crate::access::resource::Resource as _;
use crate::services::lookup::find_bound;
use crate::simulations::unit_tests::users_of;
use crate::version_sets::pinned::Revisions;
use crate::version_sets::{set_attributes, unknown};
use crate::{AppError, Caller};

/// Everything that a plan looks at beside what time it is.
///
/// The same again comes to the same plan.
#[derive(Debug, PartialEq)]
pub(super) struct Loaded {
    pub(super) service: Service,
    pub(super) binding: Binding,
    pub(super) name: String,
    /// The set, if there ever was one of the name.
    pub(super) set: Option<VersionSet>,
    pub(super) target: Option<Target>,
    pub(super) change: Change,
    pub(super) yanked: Vec<YankedVersion>,
    pub(super) sets: Vec<SetName>,
    pub(super) hidden_sets: Vec<SetName>,
    pub(super) unit_tests: Vec<UnitTestRef>,
    pub(super) lift_hold: bool,
}

impl Loaded {
    /// Returns the set, if it is there.
    pub(super) fn live_set(&self) -> Option<&VersionSet> {
        self.set.as_ref().filter(|set| !set.is_deleted)
    }

    /// Returns the latest revision of the set, if it is there.
    pub(super) fn live_revision(&self) -> Option<i64> {
        self.live_set().map(|set| set.revision)
    }
}

/// Reads what the plan of a change looks at, and authorises the caller.
pub(super) async fn load(
    tx: &mut Tx,
    caller: &Caller,
    change: &SetChange,
    lift_hold: bool,
) -> Result<Loaded, AppError> {
    let (name, request): (Option<SetName>, _) = (change.name.parse().ok(), &change.request);
    let found = Found::read(tx, caller, change, name.as_ref()).await?;
    let is_new = found.set.as_ref().is_none_or(|set| set.is_deleted);
    caller.authorize(
        request.permission(is_new),
        &found.attributes_of(caller, name.as_ref()),
    )?;
    if is_new && matches!(request, ChangeRequest::Delete | ChangeRequest::Rollback(_)) {
        return Err(unknown(&change.name));
    }
    let wanted = found.change(tx, caller, request, lift_hold).await?;
    let Found {
        service,
        binding,
        set,
        ..
    } = found;
    let yanked = tx
        .list_yanked(&caller.organization, service.agent_id, service.context_graph_id)
        .await?;
    let sets = if is_new {
        sets_beside(tx, caller, change).await?
    } else {
        Vec::new()
    };
    let is_hidden = |name: &&SetName| !caller.may(Permission::GetVersionSet, &set_attributes(&service, name));
    let unit_tests = match (request, &name) {
        (ChangeRequest::Delete, Some(name)) => users_of(tx, caller, service.id, Some(name)).await?,
        _ => Vec::new(),
    };
    Ok(Loaded {
        target: set.as_ref().map(target),
        hidden_sets: sets.iter().filter(is_hidden).cloned().collect(),
        name: change.name.clone(),
        change: wanted,
        service,
        binding,
        set,
        yanked,
        sets,
        unit_tests,
        lift_hold,
    })
}

fn target(set: &VersionSet) -> Target {
    Target {
        revision: set.revision,
        pins: (!set.is_deleted).then(|| set.pins.clone()),
        hold: set.hold.clone(),
    }
}

/// The service and the sets that a change is about.
struct Found {
    service: Service,
    binding: Binding,
    /// The set that is to change, if there ever was one.
    set: Option<VersionSet>,
    /// The one that is copied, if one is. Nothing of it may be told before the caller is authorised to read it.
    source: Option<VersionSet>,
}

impl Found {
    async fn read(
        tx: &mut Tx,
        caller: &Caller,
        change: &SetChange,
        name: Option<&SetName>,
    ) -> Result<Self, AppError> {
        let (service, binding) = find_bound(tx, caller, change.service).await?;
        let source: Option<SetName> = match &change.request {
            ChangeRequest::Promote(promote) => promote.source.parse().ok(),
            _ => None,
        };
        let mut sets = Vec::new();
        if let Some(first) = name.or(source.as_ref()) {
            let names = [first, source.as_ref().unwrap_or(first)];
            sets = tx
                .find_two_sets(&caller.organization, change.service, names)
                .await?;
        }
        let pick = |name: Option<&SetName>| sets.iter().find(|set| Some(&set.name) == name).cloned();
        Ok(Self {
            service,
            binding,
            set: pick(name),
            source: pick(source.as_ref()),
        })
    }

    /// Returns what the caller's permission is looked for by.
    ///
    /// A name that is none has no set, and so no attributes of one: only who may change any set of the service may learn
    /// what is wrong with it.
    fn attributes_of(&self, caller: &Caller, name: Option<&SetName>) -> Attributes {
        match name {
            Some(name) => set_attributes(&self.service, name),
            None => self.service.attributes_for(caller),
        }
    }

    /// Returns the change that is asked for, with the revision that it refers to.
    async fn change(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        request: &ChangeRequest,
        lift_hold: bool,
    ) -> Result<Change, AppError> {
        let revisions = Revisions {
            organization: &caller.organization,
            service: self.service.id,
            binding: &self.binding,
        };
        match request {
            ChangeRequest::Upsert(pins) => Ok(Change::Upsert(pins.clone())),
            ChangeRequest::Delete => Ok(Change::Delete),
            ChangeRequest::Promote(promote) => {
                authorize_source(caller, &self.service, promote)?;
                Ok(Change::Promote {
                    source: promote.source.clone(),
                    source_revision: promote.source_revision,
                    content: load_source(tx, revisions, self.source.as_ref(), promote).await?,
                    freeze: promote.freeze,
                })
            }
            ChangeRequest::Rollback(rollback) => {
                let set = self.set.as_ref();
                let set = set.ok_or_else(|| AppError::internal("a set to roll back was not looked up"))?;
                Ok(Change::Rollback {
                    restored: load_restored(tx, revisions, set, rollback, lift_hold).await?,
                    freeze: rollback.freeze,
                })
            }
        }
    }
}

/// Refuses a caller who may not read the set that is to be copied.
fn authorize_source(caller: &Caller, service: &Service, promote: &Promote) -> Result<(), AppError> {
    match promote.source.parse() {
        Ok(name) => caller.authorize(Permission::GetVersionSet, &set_attributes(service, &name)),
        Err(_) => Ok(()),
    }
}

/// Returns what is to be copied, if there is such a revision; of a deleted set only one that is named.
async fn load_source(
    tx: &mut Tx,
    revisions: Revisions<'_>,
    source: Option<&VersionSet>,
    promote: &Promote,
) -> Result<Option<PinnedRevision>, AppError> {
    match source {
        Some(set) if promote.source_revision.is_some() || !set.is_deleted => {
            revisions.load(tx, set, promote.source_revision).await
        }
        _ => Ok(None),
    }
}

/// Returns the revision that a rollback restores, or why there is none.
async fn load_restored(
    tx: &mut Tx,
    revisions: Revisions<'_>,
    set: &VersionSet,
    rollback: &Rollback,
    lift_hold: bool,
) -> Result<Result<PinnedRevision, Refusal>, AppError> {
    let past = tx
        .list_past(revisions.organization, revisions.service, &set.name)
        .await?;
    match choose_restored(set.name.as_str(), &past, rollback.to_revision, lift_hold) {
        Ok(number) => {
            let found = revisions.load(tx, set, Some(number)).await?;
            let found = found.ok_or_else(|| AppError::internal("a revision to restore is missing"))?;
            Ok(Ok(found))
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Returns the names of the sets that a new one comes to stand beside.
async fn sets_beside(tx: &mut Tx, caller: &Caller, change: &SetChange) -> Result<Vec<SetName>, AppError> {
    let mut names = tx.list_set_names(&caller.organization, change.service).await?;
    for name in &change.beside {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}
