//! Everything that a reader can see, and what one call may change of it.

use std::collections::{BTreeMap, BTreeSet};

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::audit::AuditEvent;
use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::service::Service;
use forge_domain::version_set::VersionSet;
use forge_domain::yank::YankedVersion;
use forge_domain::{Pins, ServiceId, SetName, VersionNumber};
use forge_store::{PageRequest, VersionBounds};

use super::call::{Call, SETS};
use super::world::World;

/// Everything that a reader can see of the services, their sets, and what these pin.
#[derive(Debug, PartialEq)]
pub(super) struct View {
    pub(super) change_number: i64,
    pub(super) services: BTreeMap<ServiceId, Service>,
    /// Every set that ever was, deleted ones included.
    pub(super) sets: BTreeMap<(ServiceId, &'static str), VersionSet>,
    /// The revisions of every set, oldest first.
    pub(super) histories: BTreeMap<(ServiceId, &'static str), Vec<Revision>>,
    /// The contents of the versions of every agent and context graph, in their order.
    versions: BTreeMap<AssetId, Vec<String>>,
    deprecated: BTreeSet<AssetId>,
    yanked: BTreeMap<(AssetId, VersionNumber), String>,
    /// The audit log, each event with its stored hash.
    pub(super) events: Vec<(AuditEvent, String)>,
}

impl World {
    pub(super) async fn view(&self) -> View {
        let mut tx = self.read().await;
        let organization = &self.organization;
        let found = tx.find_organization(organization).await.unwrap().unwrap();
        let mut view = View {
            change_number: found.change_number,
            services: BTreeMap::new(),
            sets: BTreeMap::new(),
            histories: BTreeMap::new(),
            versions: BTreeMap::new(),
            deprecated: BTreeSet::new(),
            yanked: BTreeMap::new(),
            events: tx
                .list_audit_events(organization, 0, 10_000)
                .await
                .unwrap()
                .into_rows(),
        };
        for id in &self.services {
            let service = tx.find_service(organization, *id).await.unwrap().unwrap();
            view.services.insert(*id, service);
            for name in SETS {
                let set: SetName = name.parse().unwrap();
                if let Some(found) = tx.find_set(organization, *id, &set).await.unwrap() {
                    view.sets.insert((*id, name), found);
                }
                let mut history = tx
                    .list_revisions(organization, *id, &set, PageRequest::first(1000))
                    .await
                    .unwrap()
                    .into_rows();
                history.reverse();
                view.histories.insert((*id, name), history);
            }
        }
        for id in self.assets() {
            let all = VersionBounds {
                lower: VersionNumber::FIRST,
                upper: 1000.try_into().unwrap(),
                is_descending: false,
            };
            let versions = tx.list_versions(organization, id, all, PageRequest::first(1000));
            let versions = versions.await.unwrap();
            for (index, version) in versions.iter().enumerate() {
                assert_eq!(
                    version.version.get(),
                    i64::try_from(index + 1).unwrap(),
                    "numbers have no gaps"
                );
            }
            let documents = versions.iter().map(|version| version.document.get().to_owned());
            view.versions.insert(id, documents.collect());
            if tx
                .find_asset(organization, id)
                .await
                .unwrap()
                .unwrap()
                .is_deprecated
            {
                view.deprecated.insert(id);
            }
        }
        for (agent, graph) in self.agents.iter().zip(&self.graphs) {
            for YankedVersion {
                asset,
                version,
                reason,
            } in tx.list_yanked(organization, *agent, *graph).await.unwrap()
            {
                let id = match asset {
                    AssetKind::Agent => AssetId::from(*agent),
                    AssetKind::ContextGraph => AssetId::from(*graph),
                };
                view.yanked.insert((id, version), reason);
            }
        }
        view
    }
}

/// Checks what holds after every call, and what a call may change.
pub(super) fn check_step(before: &View, call: &Call, after: &View) {
    let is_written = after.change_number == before.change_number + 1;
    if !is_written {
        assert_eq!(
            before, after,
            "{call:?} changed something without a change number"
        );
    }
    for (id, versions) in &after.versions {
        let old = &before.versions[id];
        assert_eq!(old[..], versions[..old.len()], "a version changed");
        assert!(versions.len() - old.len() <= 1);
    }
    for (key, history) in &after.histories {
        let old = &before.histories[key];
        assert_eq!(old[..], history[..old.len()], "history was rewritten by {call:?}");
        match &history[old.len()..] {
            [] => assert_same_pins(before.sets.get(key), after.sets.get(key)),
            [revision] => {
                assert_eq!(revision.change_number, after.change_number);
                check_revision(before, call, key, revision);
            }
            _ => panic!("{call:?} appended more than one revision"),
        }
    }
    check_services(after);
}

/// A set only ever changes by a revision; its hold may go by itself.
///
/// A deleted one, which pins nothing, names whatever its service is bound to.
fn assert_same_pins(before: Option<&VersionSet>, after: Option<&VersionSet>) {
    let without_hold = |set: &VersionSet| VersionSet {
        hold: None,
        ..set.clone()
    };
    let following = |set: &VersionSet, after: &VersionSet| VersionSet {
        agent_id: after.agent_id,
        context_graph_id: after.context_graph_id,
        ..without_hold(set)
    };
    let before_as_expected = match (before, after) {
        (Some(before), Some(after)) if before.is_deleted => Some(following(before, after)),
        _ => before.map(without_hold),
    };
    assert_eq!(before_as_expected, after.map(without_hold));
    if let (Some(before), Some(after)) = (before, after) {
        assert!(
            after.hold.is_none() || after.hold == before.hold,
            "only a rollback places a hold"
        );
    }
}

/// Checks a new revision against what was there before it.
fn check_revision(before: &View, call: &Call, key: &(ServiceId, &str), revision: &Revision) {
    let (service, name) = key;
    let action = revision.action;
    assert!(
        *name != "edge" || action == RevisionAction::Rebind,
        "`edge` was changed by {call:?}"
    );
    assert!(
        *name != "release" || action != RevisionAction::Delete,
        "`release` was deleted"
    );
    let old = before.sets.get(&(*service, *name));
    let is_held = old.is_some_and(|set| set.hold.is_some());
    if is_held && !matches!(action, RevisionAction::Rollback | RevisionAction::Rebind) {
        assert!(call.lifts_holds(), "{call:?} moved a held set");
    }
    if matches!(
        action,
        RevisionAction::Create | RevisionAction::Update | RevisionAction::Promote
    ) {
        for (id, version) in pinned(revision) {
            assert!(
                !before.deprecated.contains(&id),
                "{call:?} moved a set of something deprecated"
            );
            let Some(version) = version else { continue };
            assert!(
                !before.yanked.contains_key(&(id, version)),
                "{call:?} pinned a yanked version"
            );
        }
    }
}

/// Returns what a revision pins: the agent and the context graph, each with its version.
fn pinned(revision: &Revision) -> [(AssetId, Option<VersionNumber>); 2] {
    [
        (revision.agent_id.into(), revision.pins.agent_version),
        (
            revision.context_graph_id.into(),
            revision.pins.context_graph_version,
        ),
    ]
}

/// Checks what holds of services at any time.
fn check_services(view: &View) {
    let mut active = BTreeSet::new();
    for (id, service) in &view.services {
        assert!(
            !service.is_active || active.insert(&service.name),
            "two active services share a name"
        );
        let of_service = view
            .sets
            .iter()
            .filter(|((of, _), set)| of == id && !set.is_deleted);
        let sets: BTreeMap<&str, &Pins> = of_service.map(|((_, name), set)| (*name, &set.pins)).collect();
        assert!(sets.contains_key("release"));
        assert_eq!(sets["edge"], &Pins::default());
        let assets: [AssetId; 2] = [service.agent_id.into(), service.context_graph_id.into()];
        for (name, pins) in sets {
            for (asset, version) in assets
                .iter()
                .zip([pins.agent_version, pins.context_graph_version])
            {
                let count = i64::try_from(view.versions[asset].len()).unwrap();
                let exists = version.is_none_or(|version| version.get() <= count);
                assert!(exists, "{name} pins what is not there");
            }
        }
    }
}
