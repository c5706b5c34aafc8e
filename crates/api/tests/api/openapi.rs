//! The served document: it tells exactly what is served, and its Classic part is the public contract.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::http::Method;
use forge_contract::contract;
use forge_domain::access::Permission;
use forge_domain::audit::canonical_json;
use forge_testkit::{TestServer, both_engines};
use serde_json::{Map, Value, json};

use crate::support::ids::UNKNOWN_ID;
use crate::support::operations::{Operation, classic, fits, operations, served};

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

fn ids(document: &Value) -> BTreeSet<&str> {
    operations(document).into_keys().collect()
}

/// Returns a path with the organization and ids that nothing has, as a test client takes it.
fn example_path(server: &TestServer, template: &str) -> String {
    let fill = |segment: &str| match segment {
        "{organization}" => server.admin().organization.clone(),
        segment if segment.starts_with('{') => UNKNOWN_ID.to_owned(),
        segment => segment.to_owned(),
    };
    format!("/{}", template.split('/').map(fill).collect::<Vec<_>>().join("/"))
}

// A document's operations as lines of text, so that two documents can be compared and every difference be named.

/// Keywords that only speak to people.
const PROSE: &[&str] = &[
    "title",
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
];

/// Keywords whose value is made of further schemas.
const STRUCTURE: &[&str] = &[
    "$ref",
    "properties",
    "required",
    "items",
    "prefixItems",
    "additionalProperties",
    "propertyNames",
    "anyOf",
    "oneOf",
    "allOf",
];

/// Writes lines about one operation.
struct Lines<'d> {
    document: &'d Value,
    id: &'d str,
    found: BTreeSet<String>,
    /// The schemas that the current place is inside of.
    open: Vec<&'d str>,
}

impl<'d> Lines<'d> {
    /// Returns everything about an operation that a program can depend on.
    fn of(document: &'d Value, id: &'d str, operation: &Operation<'d>) -> BTreeSet<String> {
        let mut lines = Self {
            document,
            id,
            found: BTreeSet::new(),
            open: Vec::new(),
        };
        let content = operation.content;
        lines.add(&format!("call {} {}", operation.method, operation.path));
        let security = content.get("security").unwrap_or(&document["security"]);
        lines.add(&format!("security {}", canonical_json(security)));
        for parameter in content["parameters"].as_array().into_iter().flatten() {
            let word = |key: &str| parameter[key].as_str().unwrap_or_default();
            let marker = if parameter["required"] == true { "!" } else { "?" };
            lines.schema(
                &format!("parameter {} {}{marker}", word("in"), word("name")),
                &parameter["schema"],
            );
        }
        if let Some(body) = content.get("requestBody") {
            let marker = if body["required"] == true { "!" } else { "?" };
            lines.content(&format!("request{marker}"), body);
        }
        for (status, answer) in content["responses"].as_object().unwrap() {
            lines.add(&format!("status {status}"));
            lines.content(&format!("answer {status}"), answer);
        }
        lines.found
    }

    fn add(&mut self, line: &str) {
        self.found.insert(format!("{} {line}", self.id));
    }

    fn content(&mut self, place: &str, owner: &'d Value) {
        for (kind, content) in owner["content"].as_object().into_iter().flatten() {
            self.schema(&format!("{place} {kind} "), &content["schema"]);
        }
    }

    fn schema(&mut self, place: &str, schema: &'d Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            if self.open.contains(&reference) {
                return self.add(&format!("{place} {reference}"));
            }
            let target = self
                .document
                .pointer(&reference[1..])
                .unwrap_or_else(|| panic!("no {reference}"));
            self.open.push(reference);
            self.schema(place, target);
            self.open.pop();
            return;
        }
        let mut rules = schema.as_object().cloned().unwrap_or_default();
        rules.retain(|keyword, value| is_rule(keyword, value));
        self.add(&format!("{place} {}", canonical_json(&rules.into())));
        let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&&json!(name));
            let marker = if is_required { "!" } else { "?" };
            self.schema(&format!("{place}.{name}{marker}"), property);
        }
        for keyword in ["items", "additionalProperties", "propertyNames"] {
            if schema[keyword].is_object() {
                self.schema(&format!("{place}.<{keyword}>"), &schema[keyword]);
            }
        }
        for keyword in ["prefixItems", "anyOf", "oneOf", "allOf"] {
            for (position, part) in schema[keyword].as_array().into_iter().flatten().enumerate() {
                self.schema(&format!("{place}.<{keyword} {position}>"), part);
            }
        }
    }
}

/// Tells a keyword that restricts values from prose and from what has lines of its own.
fn is_rule(keyword: &str, value: &Value) -> bool {
    !PROSE.contains(&keyword) && (value.is_boolean() || !STRUCTURE.contains(&keyword))
}

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

/// Returns `true` if an operation answers a refusal with its plan.
fn is_planned(id: &str) -> bool {
    let planned = [
        "delete-service-version-set",
        "promote-version-set",
        "promote-version-sets",
        "roll-back-version-set",
        "update-service",
        "upsert-service-version-set",
    ];
    planned.contains(&id)
}

// The tests.

#[both_engines]
async fn the_document_tells_exactly_the_operations_that_are_served(server: TestServer) {
    let document = served(&server).await;
    assert_eq!(ids(&document), forge_api::served_operations(server.app.clone()));
    for (id, operation) in operations(&document) {
        let path = example_path(&server, operation.path);
        let answer = server
            .admin()
            .anonymous()
            .send(operation.method, &path, None)
            .await;
        // Without credentials or a body, only what needs neither says more.
        let expected = match id {
            "sign-in-with-api-key" | "download-simulation-unit-test-set-run-artifacts" => 422,
            "get-organization" | "get-openapi" | "get-liveness" | "get-readiness" => 200,
            _ => 401,
        };
        assert_eq!(answer.status, expected, "{id}");
    }
}

#[both_engines]
async fn what_the_document_does_not_tell_is_not_served(server: TestServer) {
    let document = served(&server).await;
    let path_of = |template: &str| example_path(&server, template.trim_end_matches('/'));
    let paths = document["paths"].as_object().unwrap().keys();
    let paths: BTreeSet<String> = paths.map(|path| path_of(path)).collect();
    for path in &paths {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::TRACE,
        ] {
            // The test client knows what the contract has there, served or not.
            let mut operations = contract().operations();
            if !operations.any(|operation| operation.method == method.as_str() && fits(&operation.path, path))
            {
                let answer = server.admin().send(method.clone(), path, None).await;
                assert_eq!(answer.status, 405, "{method} {path}");
            }
        }
    }
    for operation in contract().operations() {
        let path = path_of(&operation.path);
        if !paths.contains(&path) && operation.statuses.contains(&404) {
            let method = operation.method.parse().unwrap();
            let answer = server.admin().send(method, &path, None).await;
            assert_eq!(answer.status, 404, "{}", operation.id);
            assert!(
                answer.detail().starts_with("there is no such path"),
                "{}",
                operation.id
            );
        }
    }
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

#[both_engines]
async fn every_failure_has_a_described_body(server: TestServer) {
    let document = served(&server).await;
    for (id, operation) in operations(&document) {
        for (status, answer) in operation.content["responses"].as_object().unwrap() {
            let schema = match status.as_str() {
                // Those of plans are described one by one, see the contract's extensions.
                "400" | "409" if is_planned(id) => continue,
                "412" if id.contains("yank") => "ForgeYankMoved",
                "412" => "ForgePreconditionFailed",
                "410" => "ForgeGone",
                "422" => "ForgeValidationError",
                failure if failure.starts_with(['4', '5']) => "ForgeError",
                _ => continue,
            };
            let expected = json!({"$ref": format!("#/components/schemas/{schema}")});
            assert_eq!(
                answer["content"]["application/json"]["schema"], expected,
                "{id} {status}"
            );
        }
    }
}

#[both_engines]
async fn the_document_is_complete_in_itself(server: TestServer) {
    let document = served(&server).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["title"], json!("Forge"));
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let permissions: Vec<&str> = Permission::ALL
        .iter()
        .map(|permission| permission.name())
        .collect();
    for (id, operation) in operations(&document) {
        // Fails on a reference to nothing.
        Lines::of(&document, id, &operation);
        let security = operation.content.get("security").unwrap_or(&document["security"]);
        for name in security
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|scheme| scheme.as_object().unwrap().keys())
        {
            assert!(
                schemes.contains_key(name),
                "{id} refers to the unknown scheme `{name}`"
            );
        }
        for permission in operation.content["x-permissions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(
                permissions.contains(&permission.as_str().unwrap()),
                "{id} names the unknown {permission}"
            );
        }
    }
}

#[both_engines]
async fn anybody_may_ask_whether_the_server_lives_and_is_ready(server: TestServer) {
    for path in ["//healthz", "//readyz", "//healthz/", "//readyz/"] {
        for client in [
            server.admin().clone(),
            server.admin().anonymous(),
            server.admin().with_token("garbage"),
        ] {
            let answer = client.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body),
                (200, json!({"status": "ok"})),
                "{path}"
            );
        }
    }
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
