//! What the plan of a change looks at, as it is read.

use forge_domain::access::Permission;
use forge_domain::plan::{Change, PinnedRevision, Target, choose_restored};
use forge_domain::service::Service;
use forge_domain::simulation::UnitTestRef;
use forge_domain::version_set::Binding;
use forge_domain::yank::YankedVersion;
use forge_domain::{Refusal, SetName};
use forge_store::{Tx, VersionSet};

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
    let SetChange { service, request, .. } = change;
    let (service, binding) = find_bound(tx, caller, *service).await?;
    let set_name: Option<SetName> = change.name.parse().ok();
    let found = find_sets(tx, caller, change, set_name.as_ref()).await?;
    let is_new = found.target.as_ref().is_none_or(|set| set.is_deleted);
    // A name that is none has no set, and so no attributes of one: only who may change any set of the service may learn
    // what is wrong with it.
    let attributes = match &set_name {
        Some(set_name) => set_attributes(&service, set_name),
        None => service.attributes_for(caller),
    };
    caller.authorize(request.permission(is_new), &attributes)?;
    if is_new && matches!(request, ChangeRequest::Delete | ChangeRequest::Rollback(_)) {
        return Err(unknown(&change.name));
    }
    let wanted = match request {
        ChangeRequest::Upsert(pins) => Change::Upsert(pins.clone()),
        ChangeRequest::Delete => Change::Delete,
        ChangeRequest::Promote(promote) => {
            authorize_source(caller, &service, promote)?;
            let revisions = revisions(caller, &service, &binding);
            let content = load_source(tx, revisions, found.source.as_ref(), promote).await?;
            Change::Promote {
                source: promote.source.clone(),
                source_revision: promote.source_revision,
                content,
                freeze: promote.freeze,
            }
        }
        ChangeRequest::Rollback(rollback) => {
            let set = found.target.as_ref();
            let set = set.ok_or_else(|| AppError::internal("a set to roll back was not looked up"))?;
            let revisions = revisions(caller, &service, &binding);
            Change::Rollback {
                restored: load_restored(tx, revisions, set, rollback, lift_hold).await?,
                freeze: rollback.freeze,
            }
        }
    };
    let yanked = tx
        .list_yanked(&caller.organization, service.agent_id, service.context_graph_id)
        .await?;
    let sets = if is_new {
        sets_beside(tx, caller, change).await?
    } else {
        Vec::new()
    };
    let is_hidden = |name: &&SetName| !caller.may(Permission::GetVersionSet, &set_attributes(&service, name));
    let hidden_sets: Vec<SetName> = sets.iter().filter(is_hidden).cloned().collect();
    let unit_tests = match (request, &set_name) {
        (ChangeRequest::Delete, Some(set_name)) => users_of(tx, caller, service.id, Some(set_name)).await?,
        _ => Vec::new(),
    };
    let target = found.target.as_ref().map(|set| Target {
        revision: set.revision,
        pins: (!set.is_deleted).then(|| set.pins.clone()),
        hold: set.hold.clone(),
    });
    Ok(Loaded {
        service,
        binding,
        name: change.name.clone(),
        set: found.target,
        target,
        change: wanted,
        yanked,
        sets,
        hidden_sets,
        unit_tests,
        lift_hold,
    })
}

/// The sets that a change is about, as far as there are any.
struct FoundSets {
    target: Option<VersionSet>,
    /// The one that is copied, if one is. Nothing of it may be told before the caller is authorised to read it.
    source: Option<VersionSet>,
}

async fn find_sets(
    tx: &mut Tx,
    caller: &Caller,
    change: &SetChange,
    target: Option<&SetName>,
) -> Result<FoundSets, AppError> {
    let source: Option<SetName> = match &change.request {
        ChangeRequest::Promote(promote) => promote.source.parse().ok(),
        _ => None,
    };
    let mut found = Vec::new();
    if let Some(name) = target.or(source.as_ref()) {
        let names = [name, source.as_ref().unwrap_or(name)];
        found = tx
            .find_two_sets(&caller.organization, change.service, names)
            .await?;
    }
    let pick = |name: Option<&SetName>| found.iter().find(|set| Some(&set.name) == name).cloned();
    Ok(FoundSets {
        target: pick(target),
        source: pick(source.as_ref()),
    })
}

fn revisions<'a>(caller: &'a Caller, service: &Service, binding: &'a Binding) -> Revisions<'a> {
    Revisions {
        organization: &caller.organization,
        service: service.id,
        binding,
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
