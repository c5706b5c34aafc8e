//! The Classic part of the document is the public contract.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use forge_testkit::both_engines;
use serde_json::{Map, Value, json};

use super::{Lines, ids};
use crate::support::operations::{classic, operations, served};

/// How the served document differs from the public contract, and why.
///
/// `+` is what was added, `-` what was taken away, and a `*` stands for any text.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "- * request! *.llm_name! {\"enum\":*",
        "which models there are is data of the installation, told by get-models",
    ),
    (
        "+ * request! *.llm_name! {\"type\":\"string\"}",
        "so every text is read, and an unknown model is a 400",
    ),
    (
        "+ *.<propertyNames> {\"maxLength\":1024,\"type\":\"string\"}",
        "keys that callers choose have a bound",
    ),
    (
        "+ * answer 4* *",
        "the contract documents failures without their bodies",
    ),
    (
        "+ * answer 503 *",
        "the contract documents failures without their bodies",
    ),
    (
        "+ * status 400",
        "every operation refuses a request whose head can be understood in two ways",
    ),
    ("+ * status 415", "a body that is packed is refused as such"),
    (
        "+ *-service-version-set parameter query *",
        "whoever plans before changing says so in parameters of ours",
    ),
    (
        "+ *-service-version-set parameter header *",
        "whoever plans before changing says so in headers of ours",
    ),
    (
        "+ *-service-version-set status *",
        "a dry run, a plan that moved, a condition",
    ),
    (
        "+ *-service-version-set answer 200 *",
        "a dry run answers the plan",
    ),
    (
        "+ update-service parameter *",
        "whoever plans before changing says so in parameters and headers of ours",
    ),
    ("+ update-service status 412", "a condition on what runtimes get"),
    ("+ update-service answer 200 *", "a dry run answers the plan"),
    (
        "+ create-api-key request*actor_kind*",
        "a key says whether an AI agent holds it",
    ),
    (
        "+ create-simulation-unit-test-set-run request! application/json .service_*",
        "a run may try another service and version set than its tests name",
    ),
    (
        "+ create-simulation-unit-test-set-run status 400",
        "a run can be too large, and a service inactive",
    ),
    (
        "+ get-simulation-unit-test-set-runs answer 200 application/json .simulation_unit_test_set_runs!.<items>.*",
        "a run tells what it really ran, how far it is, and which conversations it had",
    ),
    (
        "+ *-simulation-unit-tests answer 200 application/json .simulation_unit_tests!.<items>.run_count? *",
        "what can be changed can be seen",
    ),
    (
        "+ get-conversations answer 200*revision*",
        "a conversation tells which revision of its set it was started with",
    ),
    (
        "+ get-interaction-insights answer 200*model_calls*",
        "insights tell every call of a model",
    ),
    (
        "+ * parameter header Idempotency-Key*",
        "a POST that is made again under a key is done once",
    ),
    ("+ * status 408", "a body can come slower than the server waits"),
    ("+ * status 413", "a body can be larger than the server admits"),
    (
        "+ * status 431",
        "headers can be more or larger than the server admits",
    ),
];

/// The operations of the public contract that are not served yet.
const NOT_SERVED: &[&str] = &[
    "create-webhook-destination",
    "delete-webhook-destination",
    "get-webhook-deliveries",
    "get_webhook_destinations",
    "rotate-webhook-destination-secret",
    "update-webhook-destination",
];

/// Returns what was taken from a document, with a `-`, and what was added to it, with a `+`.
fn differences(old: &Value, new: &Value, ids: &BTreeSet<&str>) -> BTreeSet<String> {
    let (old_operations, new_operations) = (operations(old), operations(new));
    let mut differences = BTreeSet::new();
    for id in ids {
        let old_lines = Lines::of(old, id, &old_operations[id]);
        let new_lines = Lines::of(new, id, &new_operations[id]);
        // Where the contract has no bound, ours may stand.
        let bare = |line: &String| {
            let bare = without_bounds(line)?;
            (bare != *line && old_lines.contains(&bare)).then_some(bare)
        };
        let bounded: BTreeSet<String> = new_lines.iter().filter_map(bare).collect();
        let gone = old_lines
            .difference(&new_lines)
            .filter(|line| !bounded.contains(*line));
        let added = new_lines
            .difference(&old_lines)
            .filter(|line| bare(line).is_none());
        differences.extend(gone.map(|line| format!("- {line}")));
        differences.extend(added.map(|line| format!("+ {line}")));
    }
    differences
}

/// Returns a line of a schema without the bounds in it, or `None` if it is a line of something else.
fn without_bounds(line: &str) -> Option<String> {
    const BOUNDS: [&str; 4] = ["maxItems", "maxLength", "maxProperties", "x-max-bytes"];
    let (place, schema) = line.split_at(line.find(" {")? + 1);
    let mut schema: Map<String, Value> = serde_json::from_str(schema).ok()?;
    schema.retain(|keyword, _| !BOUNDS.contains(&keyword.as_str()));
    Some(format!("{place}{}", Value::Object(schema)))
}

/// Returns `true` if a line is one of a kind; see [`DIFFERENCES`].
fn is_of_kind(line: &str, kind: &str) -> bool {
    let mut rest = line;
    let parts: Vec<&str> = kind.split('*').collect();
    for (position, part) in parts.iter().enumerate() {
        let found = if position == 0 {
            rest.starts_with(part).then_some(0)
        } else {
            rest.find(part)
        };
        let Some(start) = found else { return false };
        rest = &rest[start + part.len()..];
    }
    rest.is_empty() || kind.ends_with('*')
}

#[both_engines]
async fn the_served_classic_operations_are_those_of_the_public_contract(server: TestServer) {
    let (classic, served) = (classic(), served(&server).await);
    let (classic_ids, served_ids) = (ids(&classic), ids(&served));
    let common: BTreeSet<&str> = classic_ids.intersection(&served_ids).copied().collect();
    let differences = differences(&classic, &served, &common);
    let is_listed = |line: &&String| DIFFERENCES.iter().any(|(kind, _)| is_of_kind(line, kind));
    let unknown: Vec<&String> = differences.iter().filter(|line| !is_listed(line)).collect();
    assert!(
        unknown.is_empty(),
        "the served document departs from the contract: {unknown:#?}"
    );
    for (kind, reason) in DIFFERENCES {
        let occurs = differences.iter().any(|line| is_of_kind(line, kind));
        assert!(
            occurs,
            "take it off the list, it is no longer there: {kind} ({reason})"
        );
    }
    let not_served: Vec<&str> = classic_ids.difference(&served_ids).copied().collect();
    assert_eq!(
        not_served, NOT_SERVED,
        "the list of what is not served yet must be kept by hand"
    );
}

/// The public document itself is not part of the repository; where it lies beside it, the stripped copy is compared.
#[test]
fn the_stripped_contract_says_what_the_public_document_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/api/classic-core.json");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: there is no ../shared/api/classic-core.json beside the workspace");
        return;
    };
    let (original, stripped) = (serde_json::from_str(&text).unwrap(), classic());
    assert_eq!(ids(&original), ids(&stripped));
    assert_eq!(
        differences(&original, &stripped, &ids(&original)),
        BTreeSet::new()
    );
}

#[test]
fn a_departure_from_the_contract_is_noticed() {
    let classic = classic();
    let service = "/paths/~1v1~1{organization}~1service~1";
    let request = "/components/schemas/src__app__endpoints__service__create_service__Request";
    for (pointer, new, expected) in [
        (
            format!("{service}/post/responses/409"),
            None,
            "- create-service status 409",
        ),
        (
            format!("{service}/get/parameters/5/schema/maximum"),
            Some(json!(50)),
            "- get-services parameter query limit? *",
        ),
        (
            format!("{service}/get/parameters/5/required"),
            Some(json!(true)),
            "+ get-services parameter query limit! *",
        ),
        (
            format!("{service}/get/parameters/5/name"),
            Some(json!("size")),
            "+ get-services parameter query size? *",
        ),
        (
            format!("{service}/get/security"),
            Some(json!([])),
            "+ get-services security []",
        ),
        (
            format!("{request}/properties/tags"),
            None,
            "- create-service request! *.tags! *",
        ),
        (
            format!("{request}/required"),
            Some(json!([])),
            "+ create-service request! *.name? *",
        ),
        (
            format!("{request}/properties/tags/maxProperties"),
            Some(json!(9)),
            "- create-service request! *.tags! *",
        ),
        (
            "/components/schemas/Tag/properties/value".to_owned(),
            Some(json!({"type": "string"})),
            "- get-services answer 200 *.services!.<items>.tags!.<items>.value!.<anyOf 1> *",
        ),
    ] {
        let mut changed = classic.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.shift_remove(name);
        parent.extend(new.map(|new| (name.to_owned(), new)));
        let found = differences(
            &classic,
            &changed,
            &BTreeSet::from(["get-services", "create-service"]),
        );
        assert!(
            found.iter().any(|line| is_of_kind(line, expected)),
            "{pointer}: {found:?}"
        );
    }
}

#[test]
fn a_kind_of_difference_names_the_whole_line() {
    for (line, kind) in [
        ("+ a status 413", "+ a status 413"),
        ("+ a status 413", "+ * status 413"),
        ("+ a answer 404 x", "+ * answer 4* *"),
        (
            "- a request! b.llm_name! {\"enum\":[]}",
            "- * request! *.llm_name! {\"enum\":*",
        ),
    ] {
        assert!(is_of_kind(line, kind), "{line} is {kind}");
    }
    for (line, kind) in [
        ("+ a status 4130", "+ * status 413"),
        ("- a status 413", "+ * status 413"),
        ("+ a answer 200 x", "+ * answer 4* *"),
    ] {
        assert!(!is_of_kind(line, kind), "{line} is not {kind}");
    }
}
