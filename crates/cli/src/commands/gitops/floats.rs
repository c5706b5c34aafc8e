//! What floats on versions that come with the files. A set that pins no number runs each new one as soon as it is there, whatever
//! the files want it to pin afterwards.

use forge_client::answers::Finding;
use forge_domain::asset::AssetKind;

use super::float::{Float, KINDS, number_of};
use super::server::ServerService;
use super::tree::Service;
use super::work::{AssetStep, ServiceWork, SetStep};

/// The code of the finding that no versions are created.
pub(super) const WITHHELD: &str = "versions_withheld";

/// Returns the newest version of something that comes with the files, if one does.
pub(super) fn coming(steps: &[AssetStep], kind: AssetKind, name: &str) -> Option<i64> {
    let version = |step: &AssetStep| match step {
        AssetStep::CreateVersion {
            kind: of,
            name: called,
            version,
            ..
        } if *of == kind && called == name => Some(*version),
        _ => None,
    };
    steps.iter().filter_map(version).max()
}

/// Returns the name of what a service runs.
pub(super) fn asset_of(service: &Service, kind: AssetKind) -> &String {
    match kind {
        AssetKind::Agent => &service.fields.agent,
        AssetKind::ContextGraph => &service.fields.context_graph,
    }
}

/// Returns what of a service on the server floats on versions that come.
///
/// In an inactive one, nothing runs.
pub(super) fn floats(known: &ServerService, steps: &[AssetStep]) -> Vec<Float> {
    let service = &known.service;
    let mut found = Vec::new();
    if !service.fields.is_active {
        return found;
    }
    for kind in KINDS {
        let asset = asset_of(service, kind);
        let Some(version) = coming(steps, kind, asset) else {
            continue;
        };
        for (set, pins) in &service.version_sets {
            if number_of(pins, kind).is_none() {
                found.push(Float {
                    service_id: known.id,
                    service: service.fields.name.clone(),
                    set: set.clone(),
                    kind,
                    asset: asset.clone(),
                    version,
                });
            }
        }
    }
    found
}

/// Returns `true` if a set goes on floating as it does, as far as the files are concerned.
pub(super) fn stays(float: &Float, work: &ServiceWork) -> bool {
    let wanted = &work.service;
    let runs = wanted.fields.is_active && *asset_of(wanted, float.kind) == float.asset;
    let step = work.sets.iter().find(|step| step.name == float.set);
    let floats = |step: &SetStep| {
        step.after
            .as_ref()
            .is_some_and(|pins| number_of(pins, float.kind).is_none())
    };
    runs && step.is_none_or(floats)
}

/// Returns why a service cannot be changed before the versions that what floats in it would run: a set of it waits for
/// some.
pub(super) fn against(work: &ServiceWork) -> Option<Finding> {
    let float = work.exposed.first()?;
    let waiting: Vec<String> = work
        .sets
        .iter()
        .filter(|step| step.waits)
        .map(|step| format!("`{}`", step.name))
        .collect();
    if waiting.is_empty() {
        return None;
    }
    Some(Finding {
        code: "float_before_versions".to_owned(),
        message: format!(
            "{}, though the files want something else; what they want of {} waits for versions that come with them",
            float.description(),
            waiting.join(" and ")
        ),
        hint: Some(
            "in two steps: first pin the versions that it runs now, without the files of new ones; then the rest".to_owned(),
        ),
    })
}

/// Returns why no versions are created, if a service is left as it is in which something would run them against the
/// files.
pub(super) fn withheld<'w>(mut left: impl Iterator<Item = &'w ServiceWork>) -> Option<Finding> {
    let float = left.find_map(|work| work.exposed.first())?;
    Some(Finding {
        code: WITHHELD.to_owned(),
        message: format!(
            "no versions are created, as a rule forbids changes of `{}`, and {}, though the files want something else",
            float.service,
            float.description()
        ),
        hint: Some(format!(
            "first do what is said of `{}`, or let its set pin what it runs now",
            float.service
        )),
    })
}
