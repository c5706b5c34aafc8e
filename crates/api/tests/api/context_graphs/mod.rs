//! The contents of context graphs: what makes a version sound, and trying one without storing it.
//!
//! Names, lists, version numbers and deletion are in `agents`.

mod dry_run;
mod fields;
mod references;
mod states;
mod tools;

use forge_testkit::{TestClient, TestResponse, TestServer};
use serde_json::{Value, json};

use crate::support::graphs::{action, graph, to};

const GRAPHS: &str = "organization/service_hierarchical_state_machine";

/// An id that nothing has.
const UNKNOWN: &str = "ffffffffffffffffffffffff";

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
