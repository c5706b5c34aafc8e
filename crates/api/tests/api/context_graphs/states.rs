//! The states of a graph and the ways between them.

use forge_testkit::{KNOWN_TOOL, both_engines, context_graph_version};
use serde_json::{Value, json};

use super::{UNKNOWN, add_version, new_graph, referring, refuses, versions, with};
use crate::support::graphs::{
    action, annotation, decision, graph, graph_of_every_type, recall, reflection, to, tool_call,
};

/// Creates a state that leads to a place.
type MakeState = fn(Value) -> Value;

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
