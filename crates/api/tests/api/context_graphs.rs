//! The contents of context graphs: what makes a version sound, and trying one without storing it.
//!
//! Names, lists, version numbers and deletion are in `agents`.

use forge_domain::access::DefaultRole;
use forge_domain::asset::AssetKind;
use forge_domain::{Clock as _, VersionNumber};
use forge_testkit::{KNOWN_TOOL, TestClient, TestResponse, TestServer, both_engines, context_graph_version};
use serde_json::{Value, json};

use crate::support::graphs::{
    action, annotation, decision, graph, graph_of_every_type, recall, reflection, to, tool_call, tool_spec,
};

const GRAPHS: &str = "organization/service_hierarchical_state_machine";

/// An id that nothing has.
const UNKNOWN: &str = "ffffffffffffffffffffffff";

/// Creates a state that leads to a place.
type MakeState = fn(Value) -> Value;

/// Returns the document with another value in one place.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

/// A graph with a way out to `next`, in which `other` stands for a version of another graph.
fn referring(id: &str, version: i64, next: Value) -> Value {
    let document = graph(&[action("x", &[to(next)])]);
    with(document, "/references", json!({"other": [id, version]}))
}

/// A graph that enters the state `start` of a version of another one.
fn entering(id: &str, version: i64) -> Value {
    referring(id, version, json!(["other.start", "end"]))
}

async fn new_graph(client: &TestClient, name: &str) -> String {
    client
        .post(GRAPHS, json!({"state_machine_name": name}))
        .await
        .id()
}

async fn add_version(client: &TestClient, id: &str, query: &str, document: Value) -> TestResponse {
    client.post(&format!("{GRAPHS}/{id}/{query}"), document).await
}

async fn versions(client: &TestClient, id: &str) -> Vec<Value> {
    let found = client.get(&format!("{GRAPHS}/{id}/version")).await;
    found.body["state_machine_versions"].as_array().unwrap().clone()
}

/// Posts documents that must be refused with these faults, in earnest and as a dry run; none may be stored.
async fn refuses(server: &TestServer, cases: impl IntoIterator<Item = (Value, String)>) {
    let id = new_graph(server.admin(), "unsound").await;
    for (document, faults) in cases {
        for query in ["", "?dry_run=true"] {
            let refused = add_version(server.admin(), &id, query, document.clone()).await;
            assert_eq!(refused.status, 422, "{faults}");
            assert_eq!(refused.faults().join(", "), faults);
        }
    }
    assert_eq!(versions(server.admin(), &id).await, Vec::<Value>::new());
}

#[both_engines]
async fn every_type_of_state_is_stored_as_it_was_sent(server: TestServer) {
    let id = new_graph(server.admin(), "g").await;
    let documents = [graph_of_every_type(), context_graph_version()];
    for document in &documents {
        let mut sent = document.clone();
        for pointer in ["", "/states/0", "/states/0/exit_conditions/0"] {
            sent.pointer_mut(pointer).unwrap()["unheard_of"] = json!({"a": [1]});
        }
        assert_eq!(add_version(server.admin(), &id, "", sent).await.status, 201);
    }
    let versions = versions(server.admin(), &id).await;
    assert_eq!(versions.len(), documents.len());
    for (version, document) in versions.iter().zip(documents) {
        assert!(version.get("unheard_of").is_none());
        for (field, value) in document.as_object().unwrap() {
            assert_eq!(&version[field], value, "{field}");
        }
    }
}

#[both_engines]
async fn texts_are_stripped_and_whole_numbers_are_integers(server: TestServer) {
    let id = new_graph(server.admin(), "g").await;
    let document = with(graph_of_every_type(), "/description", json!(" d \n"));
    let document = with(document, "/states/0/actions", json!(["\ta "]));
    let document = with(document, "/states/5/word_limit", json!(50.0));
    assert_eq!(add_version(server.admin(), &id, "", document).await.status, 201);
    let version = &versions(server.admin(), &id).await[0];
    assert_eq!(version["states"], graph_of_every_type()["states"]);
    assert_eq!(version["description"], "d");
}

#[both_engines]
async fn a_transition_leads_to_another_state_of_the_graph(server: TestServer) {
    let types: [(MakeState, &str); 6] = [
        (|next| action("x", &[to(next)]), "exit_conditions.0.next_state"),
        (|next| decision("x", &[to(next)]), "exit_conditions.0.next_state"),
        (|next| recall("x", json!(["q"]), json!(null), next), "next_state"),
        (|next| annotation("x", next), "next_state"),
        (|next| reflection("x", next), "next_state"),
        (|next| tool_call("x", next, KNOWN_TOOL), "next_state"),
    ];
    let mut cases = Vec::new();
    for (state, place) in types {
        for (next, fault) in [("nowhere", "unknown_state"), ("x", "self_transition")] {
            cases.push((
                graph(&[state(json!(next))]),
                format!("body.states.2.{place}: {fault}"),
            ));
        }
    }
    let faults = "body.states.2.exit_conditions.1.next_state: self_transition, \
        body.states.2.exit_conditions.2.next_state: unknown_state";
    cases.push((
        graph(&[action("x", &[to("end"), to("x"), to("nowhere")])]),
        faults.to_owned(),
    ));
    refuses(&server, cases).await;
}

#[both_engines]
async fn a_way_into_another_graph_names_a_reference_and_a_state_to_come_back_to(server: TestServer) {
    let case = |next: Value, faults: &[&str]| {
        let place = |fault: &&str| format!("body.states.2.exit_conditions.0.next_state{fault}");
        (
            referring(UNKNOWN, 1, next),
            faults.iter().map(place).collect::<Vec<_>>().join(", "),
        )
    };
    refuses(
        &server,
        [
            case(json!(["other.start", "nowhere"]), &[".1: unknown_state"]),
            case(json!(["another.start", "end"]), &[".0: unknown_reference"]),
            case(
                json!(["another.start", "nowhere"]),
                &[".0: unknown_reference", ".1: unknown_state"],
            ),
            case(json!(["start", "end"]), &[".0: string_pattern_mismatch"]),
            case(
                json!(["other.start.end", "end"]),
                &[".0: string_pattern_mismatch"],
            ),
            case(
                json!(["other.start", "other.start"]),
                &[".1: string_pattern_mismatch"],
            ),
            case(json!(["other.start"]), &[": too_short"]),
            case(json!(["other.start", "end", "end"]), &[": too_long"]),
            case(json!(["other.start", 7]), &[".1: type"]),
            case(json!("other.start"), &[": string_pattern_mismatch"]),
            (
                graph(&[annotation("x", json!(["other.start", "nowhere"]))]),
                "body.states.2.next_state.0: unknown_reference, body.states.2.next_state.1: unknown_state"
                    .to_owned(),
            ),
        ],
    )
    .await;
}

#[both_engines]
async fn initial_and_terminal_states_are_action_states_inside_the_graph(server: TestServer) {
    let sound = graph(&[
        annotation("thought", json!("end")),
        decision("choice", &[to("end")]),
    ]);
    let fields = [
        "new_user_initial_state",
        "returning_user_initial_state",
        "terminal_state",
    ];
    let names = [
        ("thought", "not_an_action_state"),
        ("choice", "not_an_action_state"),
        ("nowhere", "unknown_state"),
        ("other.start", "string_pattern_mismatch"),
    ];
    let cases = fields.iter().flat_map(|field| {
        let case = |(name, fault)| {
            (
                with(sound.clone(), &format!("/{field}"), json!(name)),
                format!("body.{field}: {fault}"),
            )
        };
        names.map(case)
    });
    let empty = with(graph(&[]), "/states", json!([]));
    let faults = fields
        .map(|field| format!("body.{field}: unknown_state"))
        .join(", ");
    refuses(&server, cases.chain([(empty, faults)]).collect::<Vec<_>>()).await;
}

#[both_engines]
async fn the_terminal_state_has_one_action_and_no_way_out(server: TestServer) {
    let fault = "body.terminal_state: terminal_state".to_owned();
    refuses(
        &server,
        [
            (
                with(graph(&[]), "/states/1/actions", json!(["a", "b"])),
                fault.clone(),
            ),
            (
                with(graph(&[]), "/states/1/exit_conditions", json!([to("start")])),
                fault.clone(),
            ),
            (with(graph(&[]), "/terminal_state", json!("start")), fault),
        ],
    )
    .await;
}

#[both_engines]
async fn states_have_names_of_their_own(server: TestServer) {
    let duplicate = "duplicate_state";
    refuses(
        &server,
        [
            (
                graph(&[action("end", &[])]),
                format!("body.states.2.name: {duplicate}"),
            ),
            (
                graph(&[
                    annotation("start", json!("end")),
                    annotation("end", json!("start")),
                ]),
                format!("body.states.2.name: {duplicate}, body.states.3.name: {duplicate}"),
            ),
            (
                graph(&[action("two words", &[])]),
                "body.states.2.name: string_pattern_mismatch".to_owned(),
            ),
            (
                graph(&[action("", &[])]),
                "body.states.2.name: string_pattern_mismatch".to_owned(),
            ),
        ],
    )
    .await;
}

#[both_engines]
async fn a_recall_state_asks_in_exactly_one_of_two_ways(server: TestServer) {
    let state = |queries, information| graph(&[recall("r", queries, information, json!("end"))]);
    let fault = "body.states.2.queries: recall_state".to_owned();
    refuses(
        &server,
        [
            (state(json!(["q"]), json!("i")), fault.clone()),
            (state(json!(null), json!(null)), fault),
            (
                state(json!([]), json!(null)),
                "body.states.2.queries: too_short".to_owned(),
            ),
            (
                state(json!(null), json!(" ")),
                "body.states.2.requested_information: string_too_short".to_owned(),
            ),
        ],
    )
    .await;
    let id = new_graph(server.admin(), "sound").await;
    for document in [state(json!(["q"]), json!(null)), state(json!(null), json!("i"))] {
        assert_eq!(add_version(server.admin(), &id, "", document).await.status, 201);
    }
}

#[both_engines]
async fn the_fields_of_states_have_bounds(server: TestServer) {
    let cases = [
        ("/states/0/actions", json!([]), "too_short"),
        ("/states/0/type", json!("dance"), "enum"),
        ("/states/0/skip_active_memory_retrieval", json!("no"), "type"),
        (
            "/states/2/audio_fillers",
            json!(["a", "b", "c", "d", "e", "f"]),
            "too_long",
        ),
        ("/states/2/audio_filler_triggered_after", json!(0), "greater_than"),
        (
            "/states/2/audio_filler_triggered_after",
            json!(10.5),
            "less_than_equal",
        ),
        ("/states/5/word_limit", json!(0), "greater_than"),
        ("/states/5/word_limit", json!(1.5), "type"),
        (
            "/states/6/designated_tool/tool_id",
            json!("x"),
            "string_pattern_mismatch",
        ),
        (
            "/states/6/designated_tool/result_persistence",
            json!("forever"),
            "enum",
        ),
        (
            "/references",
            json!({"two words": [UNKNOWN, 1]}),
            "string_pattern_mismatch",
        ),
    ];
    let references = [
        ("", json!([UNKNOWN]), "too_short"),
        ("", json!([UNKNOWN, 1, 2]), "too_long"),
        (".0", json!(["x", 1]), "string_pattern_mismatch"),
        (".1", json!([UNKNOWN, "latest"]), "type"),
    ];
    let references = references.map(|(place, reference, fault)| {
        let document = with(graph(&[]), "/references", json!({"other": reference}));
        (document, format!("body.references.other{place}: {fault}"))
    });
    let cases = cases.map(|(pointer, value, fault)| {
        let place = pointer.replace('/', ".");
        (
            with(graph_of_every_type(), pointer, value),
            format!("body{place}: {fault}"),
        )
    });
    refuses(&server, cases.into_iter().chain(references).collect::<Vec<_>>()).await;
}

#[both_engines]
async fn no_field_may_be_missing(server: TestServer) {
    let document = graph_of_every_type();
    let mut cases = Vec::new();
    for pointer in [
        "",
        "/states/0",
        "/states/0/exit_conditions/0",
        "/states/2",
        "/states/3",
        "/states/4",
    ] {
        for field in document.pointer(pointer).unwrap().as_object().unwrap().keys() {
            let mut incomplete = document.clone();
            incomplete
                .pointer_mut(pointer)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(field);
            cases.push((
                incomplete,
                format!("body{}.{field}: missing", pointer.replace('/', ".")),
            ));
        }
    }
    refuses(&server, cases).await;
}

#[both_engines]
async fn every_fault_is_told_at_once(server: TestServer) {
    let document = graph(&[
        annotation("x", json!("x")),
        recall("end", json!(null), json!(null), json!("end")),
    ]);
    let document = with(document, "/new_user_initial_state", json!("nowhere"));
    let faults = "body.states.3.name: duplicate_state, body.new_user_initial_state: unknown_state, \
        body.states.2.next_state: self_transition, body.states.3.queries: recall_state, \
        body.states.3.next_state: self_transition";
    refuses(&server, [(document, faults.to_owned())]).await;
}

#[both_engines]
async fn a_reference_to_a_living_version_is_accepted(server: TestServer) {
    let admin = server.admin();
    let (id, other) = (new_graph(admin, "g").await, new_graph(admin, "other").await);
    assert_eq!(add_version(admin, &other, "", graph(&[])).await.status, 201);
    let created = add_version(admin, &id, "", entering(&other, 1)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let earlier = add_version(admin, &id, "", entering(&id, 1)).await;
    assert_eq!(
        earlier.status, 201,
        "a graph may enter an earlier version of itself: {}",
        earlier.body
    );
    assert_eq!(admin.delete(&format!("{GRAPHS}/{other}/")).await.status, 200);
    let found = versions(admin, &id).await;
    assert_eq!(
        found[0]["references"],
        json!({"other": [other, 1]}),
        "what exists goes on"
    );
    assert_eq!(
        found[0]["states"][2]["exit_conditions"][0]["next_state"],
        json!(["other.start", "end"])
    );
}

#[both_engines]
async fn a_graph_comes_to_so_much_with_all_that_it_refers_to(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "long chain").await;
    assert_eq!(add_version(admin, &id, "", graph(&[])).await.status, 201);
    for version in 1..=50 {
        let created = add_version(admin, &id, "", entering(&id, version)).await;
        assert_eq!(created.status, 201, "{version}: {}", created.body);
    }
    for query in ["", "?dry_run=true"] {
        let refused = add_version(admin, &id, query, entering(&id, 51)).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        let told = refused.body["detail"].as_str().unwrap();
        assert!(
            told.starts_with(&format!(
                "references.other: with version 51 of context graph {id} and all"
            )),
            "{told}"
        );
    }
    assert_eq!(add_version(admin, &id, "", entering(&id, 50)).await.status, 201);

    let id = new_graph(admin, "large chain").await;
    // Larger than a request of the tests may be.
    let large = |document: Value| with(document, "/description", json!("x".repeat(4_194_304))).to_string();
    let caller = server.caller(Vec::new());
    let mut tx = server
        .app
        .store
        .write(&caller.organization, server.clock.now())
        .await
        .unwrap()
        .unwrap();
    for (version, document) in [(1, large(graph(&[]))), (2, large(entering(&id, 1)))] {
        let version = VersionNumber::try_from(version).unwrap();
        tx.insert_version(AssetKind::ContextGraph, &id, version, document, &caller.user)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let created = add_version(admin, &id, "", entering(&id, 1)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let refused = add_version(admin, &id, "", entering(&id, 2)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[both_engines]
async fn a_reference_to_anything_else_is_refused(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "g").await;
    let other = new_graph(admin, "other").await;
    let deprecated = new_graph(admin, "deprecated").await;
    let foreign = new_graph(server.stranger(), "foreign").await;
    for (client, id) in [
        (admin, &other),
        (admin, &deprecated),
        (server.stranger(), &foreign),
    ] {
        assert_eq!(add_version(client, id, "", graph(&[])).await.status, 201);
    }
    assert_eq!(admin.delete(&format!("{GRAPHS}/{deprecated}/")).await.status, 200);
    let unused = with(graph(&[]), "/references", json!({"other": [UNKNOWN, 1]}));
    for (document, text) in [
        (
            entering(UNKNOWN, 1),
            format!("references.other: there is no context graph {UNKNOWN}"),
        ),
        (
            unused,
            format!("references.other: there is no context graph {UNKNOWN}"),
        ),
        (
            entering(&foreign, 1),
            format!("references.other: there is no context graph {foreign}"),
        ),
        (
            entering(&deprecated, 1),
            format!("references.other: context graph {deprecated} is deprecated"),
        ),
        (
            entering(&other, 2),
            format!("references.other: context graph {other} has no version 2"),
        ),
        (
            entering(&other, 0),
            format!("references.other: context graph {other} has no version 0"),
        ),
        (
            entering(&other, -1),
            format!("references.other: context graph {other} has no version -1"),
        ),
        (
            entering(&id, 1),
            format!("references.other: context graph {id} has no version 1"),
        ),
        (
            referring(&other, 1, json!(["other.nowhere", "end"])),
            "states[2]: the graph that `other` refers to has no state `nowhere`".to_owned(),
        ),
    ] {
        for query in ["", "?dry_run=true"] {
            let refused = add_version(admin, &id, query, document.clone()).await;
            assert_eq!(refused.status, 400, "{text}");
            assert_eq!(refused.detail(), text);
        }
    }
    assert_eq!(versions(admin, &id).await, Vec::<Value>::new());
}

#[both_engines]
async fn tools_must_be_known_wherever_they_are_called(server: TestServer) {
    let id = new_graph(server.admin(), "g").await;
    for pointer in [
        "/states/0/action_tool_call_specs",
        "/states/0/exit_condition_tool_call_specs",
        "/states/2/tool_call_specs",
        "/states/5/tool_call_specs",
        "/states/6/tool_call_specs",
    ] {
        let document = |tool| {
            with(
                graph_of_every_type(),
                pointer,
                json!([tool_spec(KNOWN_TOOL), tool_spec(tool)]),
            )
        };
        for query in ["", "?dry_run=true"] {
            let refused = add_version(server.admin(), &id, query, document(UNKNOWN)).await;
            assert_eq!(refused.status, 404, "{pointer}");
            assert!(refused.detail().contains(UNKNOWN), "{}", refused.detail());
        }
        assert_eq!(
            add_version(server.admin(), &id, "", document(KNOWN_TOOL))
                .await
                .status,
            201
        );
    }
    let document = with(
        graph_of_every_type(),
        "/states/6/designated_tool/tool_id",
        json!(UNKNOWN),
    );
    assert_eq!(add_version(server.admin(), &id, "", document).await.status, 404);
}

#[both_engines]
async fn a_dry_run_answers_like_the_real_call_and_stores_nothing(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "g").await;
    let first = add_version(admin, &id, "", graph(&[])).await;
    for query in ["?dry_run=true", "?dry_run=1", "?dry_run=true&version=2"] {
        let tried = add_version(admin, &id, query, graph_of_every_type()).await;
        assert_eq!((tried.status.as_u16(), tried.sequence()), (201, None));
        assert_eq!(tried.body, Value::Null);
    }
    assert_eq!(versions(admin, &id).await.len(), 1);
    assert_eq!(
        add_version(admin, &id, "?dry_run=true&version=3", graph(&[]))
            .await
            .status,
        409
    );
    assert_eq!(
        add_version(admin, UNKNOWN, "?dry_run=true", graph(&[]))
            .await
            .status,
        404
    );
    assert_eq!(
        add_version(admin, "x", "?dry_run=true", graph(&[])).await.status,
        422
    );
    assert_eq!(
        add_version(admin, &id, "?dry_run=perhaps", graph(&[]))
            .await
            .status,
        422
    );
    assert_eq!(
        add_version(&admin.anonymous(), &id, "?dry_run=true", graph(&[]))
            .await
            .status,
        401
    );
    let user = server.user(DefaultRole::User).await;
    assert_eq!(
        add_version(&user, &id, "?dry_run=true", graph(&[])).await.status,
        403
    );
    assert_eq!(
        add_version(server.stranger(), &id, "?dry_run=true", graph(&[]))
            .await
            .status,
        404
    );
    assert_eq!(versions(admin, &id).await.len(), 1);
    // Adding the user was a write, too.
    let second = add_version(admin, &id, "?dry_run=false", graph(&[])).await;
    assert_eq!(second.body["version"], 2);
    assert_eq!(second.sequence(), first.sequence().map(|number| number + 2));
}
