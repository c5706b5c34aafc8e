//! The fields of states and of graphs.

use forge_testkit::both_engines;
use serde_json::json;

use super::{UNKNOWN, refuses, with};
use crate::support::graphs::{annotation, graph, graph_of_every_type, recall};

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
