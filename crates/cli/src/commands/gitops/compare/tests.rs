//! What has to be done, and what cannot be.

use forge_domain::asset::AssetId;
use indexmap::IndexMap;

use super::*;
use crate::commands::gitops::server::ServerAsset;
use crate::commands::gitops::tree::ServiceFields;

fn example(text: &str, field: &str, value: &str) -> Document {
    let mut document: Document = serde_json::from_str(text).unwrap();
    document.insert(field.to_owned(), json!(value));
    document
}

fn document(text: &str) -> Document {
    let agent = include_str!("../../../../../../examples/agent/v1.json");
    example(agent, "background", text)
}

fn graph(text: &str) -> Document {
    let graph = include_str!("../../../../../../examples/context_graph/v1.json");
    example(graph, "description", text)
}

fn referring(to: &str, version: i64) -> Document {
    let mut document = graph("x");
    document.insert("references".to_owned(), json!({"other": [to, version]}));
    document
}

fn asset(name: &str, versions: &[(i64, Document)]) -> Asset {
    Asset {
        name: name.to_owned(),
        place: format!("place/{name}"),
        versions: versions.iter().cloned().collect(),
    }
}

fn pins(version: i64) -> Pins {
    Pins {
        agent_version_number: Some(version),
        ..Pins::default()
    }
}

fn service(sets: &[(&str, i64)]) -> Service {
    Service {
        place: "services/dental".to_owned(),
        fields: ServiceFields {
            name: "Dental".to_owned(),
            description: "d".to_owned(),
            is_active: true,
            agent: "Mira".to_owned(),
            context_graph: "Graph".to_owned(),
            keyterms: Vec::new(),
            tags: IndexMap::default(),
        },
        version_sets: sets
            .iter()
            .map(|(name, version)| (name.parse().unwrap(), pins(*version)))
            .collect(),
    }
}

/// An agent with so many versions, a graph with one, and a service.
fn known(latest: i64, sets: &[(&str, i64)]) -> ServerState {
    let known = |kind: AssetKind, latest: i64| ServerAsset {
        id: AssetId::parse(kind, &"1".repeat(24)).unwrap(),
        latest,
        is_deprecated: false,
        versions: (1..=latest)
            .map(|version| (version, document(&version.to_string())))
            .collect(),
    };
    ServerState {
        agents: [("Mira".to_owned(), known(AssetKind::Agent, latest))].into(),
        context_graphs: [("Graph".to_owned(), known(AssetKind::ContextGraph, 1))].into(),
        services: vec![ServerService {
            id: "2".repeat(24).parse().unwrap(),
            service: service(sets),
        }],
    }
}

fn versions(count: i64) -> Vec<(i64, Document)> {
    (1..=count)
        .map(|version| (version, document(&version.to_string())))
        .collect()
}

fn files(count: i64, sets: &[(&str, i64)]) -> Tree {
    Tree {
        agents: vec![asset("Mira", &versions(count))],
        context_graphs: vec![asset("Graph", &versions(1))],
        services: vec![service(sets)],
    }
}

#[test]
fn what_is_the_same_needs_no_work() {
    let work = compare(&files(2, &[("release", 1)]), &known(2, &[("release", 1)]), true);
    assert!(work.is_nothing() && work.problems.is_empty() && work.left_alone.is_empty());
}

#[test]
fn new_versions_come_first_and_release_comes_last() {
    let sets = [("release", 3), ("test", 3), ("preview", 2)];
    let work = compare(
        &files(3, &sets),
        &known(2, &[("release", 1), ("preview", 2)]),
        false,
    );
    assert_eq!(work.problems, Vec::<String>::new());
    assert!(matches!(
        &work.assets[..],
        [AssetStep::CreateVersion { version: 3, .. }]
    ));
    let names: Vec<&str> = work.services[0]
        .sets
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(names, ["test", "release"]);
    assert!(work.services[0].awaits_versions);
    assert_eq!(work.services[0].awaited, [(AssetKind::Agent, "Mira".to_owned())]);
    let work = compare(&files(2, &[("release", 2)]), &known(2, &[("release", 1)]), false);
    assert!(!work.services[0].awaits_versions && work.services[0].awaited.is_empty());
}

#[test]
fn another_agent_of_a_service_and_what_comes_of_it_with_the_files_are_told() {
    let known = known(2, &[("release", 1)]);
    let mut files = files(3, &[("release", 1)]);
    assert!(!compare(&files, &known, false).services[0].is_rebound);
    files.services[0].fields.agent = "Nora".to_owned();
    files.agents.push(asset("Nora", &versions(1)));
    let work = compare(&files, &known, false);
    assert!(work.services[0].is_rebound && work.services[0].sets.is_empty());
    assert_eq!(
        work.services[0].awaited,
        [(AssetKind::Agent, "Nora".to_owned())],
        "what it had is no matter"
    );
}

#[test]
fn sets_that_the_files_do_not_have_stay_unless_they_are_pruned() {
    let before = [("release", 1), ("test", 1), ("personal-a", 1)];
    let work = compare(&files(1, &[("test", 1)]), &known(1, &before), false);
    assert!(work.is_nothing());
    assert_eq!(
        work.left_alone,
        [
            "version set `personal-a` of `Dental`",
            "version set `release` of `Dental`"
        ]
    );
    let work = compare(&files(1, &[("test", 1)]), &known(1, &before), true);
    let steps = &work.services[0].sets;
    assert_eq!(
        (steps.len(), steps[0].name.as_str(), &steps[0].after),
        (1, "personal-a", &None)
    );
    assert_eq!(
        work.left_alone,
        ["version set `release` of `Dental`"],
        "`release` is never deleted"
    );
}

#[test]
fn versions_that_do_not_fit_are_told() {
    let problem = |files: &Tree, known: &ServerState| {
        let work = compare(files, known, false);
        assert_eq!(work.problems.len(), 1, "{:?}", work.problems);
        work.problems[0].clone()
    };
    let behind = problem(&files(3, &[]), &known(5, &[]));
    assert!(
        behind.contains("end with version 3") && behind.contains("the server has 5"),
        "{behind}"
    );
    let mut edited = files(2, &[]);
    edited.agents[0].versions.insert(1, document("edited"));
    let edited = problem(&edited, &known(2, &[]));
    assert!(
        edited.starts_with("place/Mira/v1.json") && edited.ends_with("v3.json"),
        "{edited}"
    );
    let mut gap = files(2, &[]);
    gap.agents[0].versions.insert(4, document("4"));
    assert!(problem(&gap, &known(2, &[])).starts_with("place/Mira/v3.json is missing"));
    let mut gap = files(2, &[]);
    gap.context_graphs[0].versions.insert(3, graph("3"));
    assert!(problem(&gap, &known(2, &[])).starts_with("place/Graph/v2.json is missing"));
    let mut deprecated = known(2, &[]);
    deprecated.agents.get_mut("Mira").unwrap().is_deprecated = true;
    assert!(problem(&files(3, &[]), &deprecated).contains("deprecated"));
    let pinned = problem(&files(2, &[("release", 3)]), &known(2, &[]));
    assert!(
        pinned.contains("release.json pins version 3") && pinned.contains("newest is 2"),
        "{pinned}"
    );
    let mut partial = files(3, &[]);
    let version = partial.agents[0].versions.get_mut(&3).unwrap();
    version.shift_remove("voice_config");
    version.insert("initials".to_owned(), Value::Null);
    let partial = problem(&partial, &known(2, &[]));
    assert!(
        partial.starts_with("place/Mira/v3.json: it lacks `initials`, `voice_config`; "),
        "{partial}"
    );
    let mut misspelt = files(3, &[]);
    let version = misspelt.agents[0].versions.get_mut(&3).unwrap();
    version.insert("behaviours".to_owned(), json!(["x"]));
    let misspelt = problem(&misspelt, &known(2, &[]));
    assert!(
        misspelt.ends_with("no field `behaviours`; did you mean `behaviors`?"),
        "{misspelt}"
    );
    let mut old = files(3, &[]);
    old.agents[0].versions.retain(|version, _| *version == 3);
    assert!(
        compare(&old, &known(2, &[]), false).problems.is_empty(),
        "old files may be left out"
    );
}

#[test]
fn what_is_new_is_made_in_the_order_in_which_it_can_be() {
    let tree = Tree {
        agents: vec![asset("Mira", &versions(1))],
        context_graphs: vec![
            asset("A", &[(1, graph("1")), (2, referring("B", 2))]),
            asset("B", &[(1, referring("A", 1)), (2, graph("2"))]),
            asset("Graph", &[(1, graph("1"))]),
        ],
        services: vec![service(&[("release", 1), ("test", 1)])],
    };
    let work = compare(&tree, &ServerState::default(), false);
    assert_eq!(work.problems, Vec::<String>::new());
    let order: Vec<(&str, i64)> = work
        .assets
        .iter()
        .filter_map(|step| match step {
            AssetStep::CreateVersion { name, version, .. } => Some((name.as_str(), *version)),
            AssetStep::Create { .. } => None,
        })
        .collect();
    assert_eq!(
        order,
        [("Mira", 1), ("A", 1), ("B", 1), ("B", 2), ("Graph", 1), ("A", 2)]
    );
    let sets = &work.services[0].sets;
    assert_eq!(
        sets.len(),
        1,
        "`release` comes into being with its service: {sets:?}"
    );

    let mut circle = tree;
    circle.context_graphs[0].versions.insert(1, referring("B", 1));
    let problems = compare(&circle, &ServerState::default(), false).problems;
    assert!(
        !problems.is_empty() && problems[0].contains("refers back to it"),
        "{problems:?}"
    );
    let nowhere = Tree {
        services: vec![service(&[])],
        ..Tree::default()
    };
    assert_eq!(
        compare(&nowhere, &ServerState::default(), false).problems.len(),
        2
    );
}

#[test]
fn a_name_means_the_active_service_and_must_mean_one() {
    let mut known = known(1, &[("release", 1)]);
    let mut inactive = known.services[0].clone();
    inactive.service.fields.is_active = false;
    known.services.push(inactive.clone());
    assert!(compare(&files(1, &[("release", 1)]), &known, false).is_nothing());
    known.services[0] = inactive;
    let work = compare(&files(1, &[("release", 1)]), &known, false);
    assert!(
        work.problems[0].contains("2 inactive services"),
        "{:?}",
        work.problems
    );
    known.services.pop();
    let work = compare(&files(1, &[("release", 1)]), &known, false);
    assert_eq!(work.services[0].changes[0].field, "is_active");
}

#[test]
fn a_service_that_was_renamed_in_the_files_is_told() {
    let known = known(1, &[("release", 1)]);
    let mut files = files(1, &[("release", 1)]);
    files.services[0].fields.name = "Teeth".to_owned();
    let renamed = Renamed {
        from: "Dental".to_owned(),
        to: "Teeth".to_owned(),
    };
    let work = compare(&files, &known, false);
    assert_eq!(work.renamed, [renamed]);
    // What runs something else was something else, and what is still in the files was not renamed.
    files.services[0].fields.agent = "Other".to_owned();
    assert_eq!(compare(&files, &known, false).renamed, []);
    files.services[0].fields.agent = "Mira".to_owned();
    files.services.push(service(&[("release", 1)]));
    assert_eq!(compare(&files, &known, false).renamed, []);
    let mut inactive = known;
    inactive.services[0].service.fields.is_active = false;
    files.services.pop();
    assert_eq!(compare(&files, &inactive, false).renamed, []);
}

/// The same with a set that floats.
fn floating(mut service: Service, set: &str) -> Service {
    service.version_sets.insert(set.parse().unwrap(), Pins::default());
    service
}

#[test]
fn what_floats_against_the_files_comes_before_versions() {
    let mut known = known(2, &[("test", 1)]);
    known.services[0].service = floating(known.services[0].service.clone(), "release");
    let sets = |work: &Work| -> Vec<String> {
        let told = |float: &Float| format!("{}/{}@{}", float.set, float.asset, float.version);
        work.services[0].exposed.iter().map(told).collect()
    };
    // Pinned to what is there, pruned, or stopped: before the version is there.
    let mut pinned = files(3, &[("release", 2), ("test", 1)]);
    let work = compare(&pinned, &known, false);
    assert_eq!(
        (sets(&work), &work.floats[..]),
        (vec!["release/Mira@3".to_owned()], &[][..])
    );
    assert!(!work.services[0].needs_versions() && work.services[0].comes_first());
    // One of its sets waits for the version: not in one run.
    pinned.services[0]
        .version_sets
        .insert("test".parse().unwrap(), pins(3));
    let work = compare(&pinned, &known, false);
    assert!(work.services[0].needs_versions() && work.services[0].comes_first());
    let mut stopped = files(3, &[("test", 1)]);
    stopped.services[0].fields.is_active = false;
    assert_eq!(sets(&compare(&stopped, &known, false)).len(), 1);
    // What goes on floating is told, also where the files do not have it.
    let mut goes_on = files(3, &[("test", 1)]);
    for _ in 0..2 {
        let work = compare(&goes_on, &known, false);
        assert!(
            sets(&work).is_empty() && work.floats.len() == 1,
            "{:?}",
            work.floats
        );
        goes_on.services[0] = floating(goes_on.services[0].clone(), "release");
    }
    goes_on.services.clear();
    assert_eq!(compare(&goes_on, &known, false).floats.len(), 1);
    // Without new versions, or where nothing runs, nothing of it matters.
    assert!(!compare(&files(2, &[("release", 2)]), &known, false).services[0].comes_first());
    known.services[0].service.fields.is_active = false;
    let mut inactive = files(3, &[("release", 2)]);
    inactive.services[0].fields.is_active = false;
    let work = compare(&inactive, &known, false);
    assert!(!work.services[0].comes_first() && work.floats.is_empty());
}

#[test]
fn steps_say_whether_they_wait_for_versions_and_whether_those_matter() {
    let mut known = known(2, &[("old", 1), ("floats", 1), ("new", 1)]);
    known.services[0].service = floating(known.services[0].service.clone(), "was");
    let mut files = files(3, &[("old", 2), ("new", 3), ("was", 2), ("added", 1)]);
    files.services[0] = floating(files.services[0].clone(), "floats");
    let work = compare(&files, &known, false);
    let steps: Vec<(&str, bool, bool)> = work.services[0]
        .sets
        .iter()
        .map(|step| (step.name.as_str(), step.waits, step.is_settled))
        .collect();
    assert_eq!(
        steps,
        [
            ("added", false, true),
            ("floats", true, false),
            ("new", true, false),
            ("old", false, true),
            ("was", false, false),
        ]
    );
}
