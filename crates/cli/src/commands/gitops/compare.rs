//! What would have to be done for a server to be as the files say. It asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use forge_client::answers::{FieldChange, Pins};
use forge_domain::SetName;
use forge_domain::agent::AgentChange;
use forge_domain::asset::AssetKind;
use forge_domain::number;
use serde_json::{Value, json};

use super::float::{Float, KINDS, number_of};
use super::floats::{asset_of, coming, floats, stays};
use super::same::is_same;
use super::server::{ServerService, ServerState, rename_references};
use super::similar::similar;
use super::tree::{Asset, Document, Service, Tree, kind_name};
use super::work::{AssetStep, Renamed, ServiceWork, SetStep, Work};
use crate::commands::asset::written::{Unknown, checked, unknown_field};

/// Compares files with a server.
///
/// With `prune`, sets that the files do not have are deleted.
pub(super) fn compare(files: &Tree, known: &ServerState, prune: bool) -> Work {
    let mut work = Work::default();
    for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
        for asset in files.assets(kind) {
            asset_steps(kind, asset, known, &mut work);
        }
        for name in known.assets(kind).keys() {
            if !files.assets(kind).iter().any(|asset| asset.name == *name) {
                work.left_alone.push(format!("{} `{name}`", kind_name(kind)));
            }
        }
    }
    in_order_of_references(known, &mut work);
    for service in &files.services {
        service_work(files, service, known, prune, &mut work);
    }
    for service in &known.services {
        let name = &service.service.fields.name;
        if !files.services.iter().any(|service| service.fields.name == *name) {
            work.left_alone.push(format!("service `{name}`"));
        }
    }
    work.floats = staying(known, &work);
    work.renamed = renamed(files, known, &work);
    work.similar = similar(&work, known);
    work
}

/// Finds services whose name was changed in the files.
///
/// What is called otherwise is another service; that it runs the same, and that what it was is gone, tells that it was
/// not meant so.
fn renamed(files: &Tree, known: &ServerState, work: &Work) -> Vec<Renamed> {
    let created = work.services.iter().filter(|work| work.known.is_none());
    let is_gone = |known: &&ServerService| {
        let fields = &known.service.fields;
        fields.is_active
            && !files
                .services
                .iter()
                .any(|service| service.fields.name == fields.name)
    };
    let gone: Vec<&ServerService> = known.services.iter().filter(is_gone).collect();
    let was = |created: &ServiceWork| {
        let new = &created.service.fields;
        let runs_the_same = |old: &&&ServerService| {
            let old = &old.service.fields;
            (&old.agent, &old.context_graph) == (&new.agent, &new.context_graph)
        };
        let was = gone.iter().find(runs_the_same)?;
        Some(Renamed {
            from: was.service.fields.name.clone(),
            to: new.name.clone(),
        })
    };
    created.filter_map(was).collect()
}

fn asset_steps(kind: AssetKind, asset: &Asset, known: &ServerState, work: &mut Work) {
    let (what, name, place) = (kind_name(kind), &asset.name, &asset.place);
    let on_server = known.assets(kind).get(name);
    let latest = on_server.map_or(0, |found| found.latest);
    if on_server.is_none() {
        let name = name.clone();
        work.assets.push(AssetStep::Create { kind, name });
    }
    let newest = asset.versions.keys().next_back().copied().unwrap_or(0);
    if newest < latest {
        work.problems.push(format!(
            "{place}: the files end with version {newest} of the {what} `{name}`, the server has {latest}; `forge export` \
             brings the others into the files"
        ));
    }
    let empty = BTreeMap::new();
    let stored = on_server.map_or(&empty, |found| &found.versions);
    for (version, document) in &asset.versions {
        let file = Value::Object(document.clone());
        match stored.get(version) {
            Some(stored) if !is_same(&file, &Value::Object(stored.clone())) => work.problems.push(format!(
                "{place}/v{version}.json is not what version {version} is on the server, and a version never changes; \
                 restore the file (`forge export` does), and give the change the next number: v{}.json",
                newest.max(latest) + 1
            )),
            _ => {}
        }
    }
    for version in latest + 1..=newest {
        match asset.versions.get(&version) {
            Some(document) => {
                let faults = faults(kind, document, known);
                work.problems
                    .extend(faults.iter().map(|fault| format!("{place}/v{version}.json: {fault}")));
                work.assets.push(AssetStep::CreateVersion {
                    kind,
                    name: name.clone(),
                    version,
                    document: document.clone(),
                });
            }
            None => work.problems.push(format!(
                "{place}/v{version}.json is missing: the server's newest version is {latest}, and numbers have no gaps"
            )),
        }
    }
    if newest > latest && on_server.is_some_and(|found| found.is_deprecated) {
        work.problems.push(format!(
            "{place}: the {what} `{name}` is deprecated and gets no more versions"
        ));
    }
}

/// Tells what is wrong with a new version, as far as it needs nothing of the server.
///
/// A field that the server does not know would be left out of the version, and one that is not there be taken from the
/// version before: neither is what was reviewed.
fn faults(kind: AssetKind, document: &Document, known: &ServerState) -> Vec<String> {
    if kind == AssetKind::Agent {
        let change = serde_json::from_value::<AgentChange>(Value::Object(document.clone()));
        if let Some(incomplete) = change.ok().and_then(|change| change.apply(None).err()) {
            let fields: Vec<String> = incomplete
                .missing
                .iter()
                .map(|field| format!("`{field}`"))
                .collect();
            return vec![format!(
                "it lacks {}; a file holds all of a version, and what it leaves out would be as in the version before",
                fields.join(", ")
            )];
        }
    }
    let mut document = document.clone();
    let names = references(&document).into_iter().map(|(name, _)| {
        let graph = known.assets(AssetKind::ContextGraph).get(&name);
        // What comes with the files has no id yet.
        let id = graph.map_or_else(|| "0".repeat(24), |graph| graph.id.to_string());
        (name, id)
    });
    let names = names.collect();
    rename_references(&mut document, &names);
    match checked(kind, document, None) {
        Err(faults) => faults,
        Ok(written) => written.unknown.iter().map(unknown_text).collect(),
    }
}

fn unknown_text(unknown: &Unknown) -> String {
    let finding = unknown_field(unknown);
    match finding.hint {
        Some(hint) => format!("{}; {hint}", finding.message),
        None => finding.message,
    }
}

/// Puts every version behind those that it refers to.
fn in_order_of_references(known: &ServerState, work: &mut Work) {
    let mut there: BTreeSet<(String, i64)> = BTreeSet::new();
    for (name, graph) in known.assets(AssetKind::ContextGraph) {
        there.extend((1..=graph.latest).map(|version| (name.clone(), version)));
    }
    let mut waiting = std::mem::take(&mut work.assets);
    while !waiting.is_empty() {
        let mut still_waiting: Vec<AssetStep> = Vec::new();
        let before = waiting.len();
        for step in waiting {
            let AssetStep::CreateVersion {
                kind: AssetKind::ContextGraph,
                name,
                version,
                document,
            } = &step
            else {
                work.assets.push(step);
                continue;
            };
            // Versions of one graph come in their order.
            let is_next = *version == 1 || there.contains(&(name.clone(), version - 1));
            if is_next && references(document).is_subset(&there) {
                there.insert((name.clone(), *version));
                work.assets.push(step);
            } else {
                still_waiting.push(step);
            }
        }
        if still_waiting.len() == before {
            for step in &still_waiting {
                let AssetStep::CreateVersion {
                    name,
                    version,
                    document,
                    ..
                } = step
                else {
                    continue;
                };
                for (other, number) in references(document).difference(&there) {
                    work.problems.push(format!(
                        "version {version} of the context graph `{name}` refers to version {number} of `{other}`, which is \
                         neither in the files nor on the server, or refers back to it"
                    ));
                }
            }
            return;
        }
        waiting = still_waiting;
    }
}

/// Returns the versions of other graphs that a document refers to.
fn references(document: &Document) -> BTreeSet<(String, i64)> {
    let references = document.get("references").and_then(Value::as_object);
    let reference = |value: &Value| Some((value.get(0)?.as_str()?.to_owned(), value.get(1)?.as_i64()?));
    references
        .into_iter()
        .flatten()
        .filter_map(|(_, value)| reference(value))
        .collect()
}

fn service_work(files: &Tree, service: &Service, known: &ServerState, prune: bool, work: &mut Work) {
    let (place, name) = (&service.place, &service.fields.name);
    let awaits_versions = check_pins(files, service, known, &mut work.problems);
    let found = match known.named(name).as_slice() {
        [] => None,
        [one] => Some(*one),
        several => {
            work.problems.push(format!(
                "{place}/service.json: {} inactive services are called `{name}`; rename all but one of them",
                several.len()
            ));
            return;
        }
    };
    let changes = found.map_or_else(Vec::new, |found| field_changes(&found.service, service));
    let is_rebound = changes
        .iter()
        .any(|change| change.field == "agent" || change.field == "context_graph");
    let coming = Coming::of(service, known, &work.assets);
    let sets = set_steps(service, found, prune, &coming, &mut work.left_alone);
    let awaited = awaited(service, &work.assets);
    let mut of_service = ServiceWork {
        service: service.clone(),
        known: found.cloned(),
        changes,
        sets,
        is_rebound,
        awaited,
        awaits_versions,
        exposed: Vec::new(),
    };
    let floating = found.map_or_else(Vec::new, |found| floats(found, &work.assets));
    let exposed = floating.into_iter().filter(|float| !stays(float, &of_service));
    of_service.exposed = exposed.collect();
    work.services.push(of_service);
}

/// Returns what floats on versions that come, and is to go on doing so, in services that the files do not have, too.
fn staying(known: &ServerState, work: &Work) -> Vec<Float> {
    let wanted = |known: &ServerService| {
        let is_it = |work: &&ServiceWork| work.known.as_ref().is_some_and(|found| found.id == known.id);
        work.services.iter().find(is_it)
    };
    let mut all = Vec::new();
    for known in &known.services {
        let wanted = wanted(known);
        let of_service = floats(known, &work.assets);
        all.extend(
            of_service
                .into_iter()
                .filter(|float| wanted.is_none_or(|wanted| stays(float, wanted))),
        );
    }
    all
}

/// What the files bring of the agent and the context graph of a service.
struct Coming(Vec<Brought>);

struct Brought {
    kind: AssetKind,
    /// The newest version that is there.
    there: i64,
    /// Whether newer ones come.
    has_more: bool,
}

impl Coming {
    fn of(service: &Service, known: &ServerState, steps: &[AssetStep]) -> Self {
        let brought = |kind| {
            let name = asset_of(service, kind);
            Brought {
                kind,
                there: known.assets(kind).get(name).map_or(0, |asset| asset.latest),
                has_more: coming(steps, kind, name).is_some(),
            }
        };
        Self(KINDS.into_iter().map(brought).collect())
    }

    /// Creates the step that brings a set from pins to others.
    fn step(&self, name: &SetName, before: Option<&Pins>, after: Option<&Pins>) -> SetStep {
        let number = |pins: Option<&Pins>, kind| pins.map(|pins| number_of(pins, kind));
        let waits = |it: &Brought| match number(after, it.kind) {
            Some(Some(pinned)) => pinned > it.there,
            Some(None) => it.has_more && number(before, it.kind) != Some(None),
            None => false,
        };
        let is_settled = |it: &Brought| {
            let is_there = |pinned: Option<i64>| pinned.is_some_and(|pinned| pinned <= it.there);
            let [before, after] = [number(before, it.kind), number(after, it.kind)];
            !it.has_more || before.is_none_or(is_there) && after.is_none_or(is_there)
        };
        SetStep {
            name: name.clone(),
            before: before.cloned(),
            after: after.cloned(),
            waits: self.0.iter().any(waits),
            is_settled: self.0.iter().all(is_settled),
        }
    }
}

/// Returns what a service runs, as far as something of it is to be created.
fn awaited(service: &Service, steps: &[AssetStep]) -> Vec<(AssetKind, String)> {
    let fields = &service.fields;
    let pair = [
        (AssetKind::Agent, &fields.agent),
        (AssetKind::ContextGraph, &fields.context_graph),
    ];
    let is_created = |wanted: &(AssetKind, &String)| {
        steps.iter().any(|step| match step {
            AssetStep::Create { kind, name } | AssetStep::CreateVersion { kind, name, .. } => {
                *wanted == (*kind, name)
            }
        })
    };
    let awaited = pair.into_iter().filter(is_created);
    awaited.map(|(kind, name)| (kind, name.clone())).collect()
}

/// Ensures that what a service runs and what its sets pin is there, or comes with the files.
///
/// Returns `true` if a set pins something that comes.
fn check_pins(files: &Tree, service: &Service, known: &ServerState, problems: &mut Vec<String>) -> bool {
    let (place, fields) = (&service.place, &service.fields);
    let mut awaits_versions = false;
    for (kind, name) in [
        (AssetKind::Agent, &fields.agent),
        (AssetKind::ContextGraph, &fields.context_graph),
    ] {
        let what = kind_name(kind);
        let in_files = files.assets(kind).iter().find(|asset| asset.name == *name);
        let on_server = known.assets(kind).get(name);
        if in_files.is_none() && on_server.is_none() {
            problems.push(format!(
                "{place}/service.json: there is no {what} `{name}`, neither in the files nor on the server"
            ));
            continue;
        }
        let there = on_server.map_or(0, |found| found.latest);
        let last = in_files.and_then(|asset| asset.versions.keys().next_back().copied());
        let newest = there.max(last.unwrap_or(0));
        for (set, pins) in &service.version_sets {
            let version = match kind {
                AssetKind::Agent => pins.agent_version_number,
                AssetKind::ContextGraph => pins.context_graph_version_number,
            };
            let Some(version) = version else { continue };
            awaits_versions |= version > there;
            if !(1..=newest).contains(&version) {
                problems.push(format!(
                    "{place}/version_sets/{set}.json pins version {version} of the {what} `{name}`, whose newest is {newest}"
                ));
            }
        }
    }
    awaits_versions
}

fn field_changes(before: &Service, after: &Service) -> Vec<FieldChange> {
    let (before, after) = (json!(before.fields), json!(after.fields));
    let mut changes = Vec::new();
    for (field, to) in after.as_object().into_iter().flatten() {
        let from = &before[field];
        if !number::is_same(from, to) {
            changes.push(FieldChange {
                field: field.clone(),
                from: from.clone(),
                to: to.clone(),
            });
        }
    }
    changes
}

/// Returns what is to be done about the sets of a service, with `release` as the last one.
fn set_steps(
    service: &Service,
    known: Option<&ServerService>,
    prune: bool,
    coming: &Coming,
    left_alone: &mut Vec<String>,
) -> Vec<SetStep> {
    let empty = BTreeMap::new();
    let before = known.map_or(&empty, |known| &known.service.version_sets);
    let mut steps = Vec::new();
    for (name, pins) in &service.version_sets {
        // Of a new service, `release` comes into being with it.
        let comes_along = known.is_none() && *name == SetName::release();
        let is_same = before
            .get(name)
            .is_some_and(|before| number::is_same(&json!(before), &json!(pins)));
        if !is_same && !comes_along {
            steps.push(coming.step(name, before.get(name), Some(pins)));
        }
    }
    for (name, pins) in before {
        if service.version_sets.contains_key(name) {
            continue;
        }
        if prune && *name != SetName::release() {
            steps.push(coming.step(name, Some(pins), None));
        } else {
            left_alone.push(format!("version set `{name}` of `{}`", service.fields.name));
        }
    }
    steps.sort_by_key(|step| step.name == SetName::release());
    steps
}

#[cfg(test)]
mod tests;
