//! Agents, and what context graphs have in common with them: a name, numbered versions, and an end.
//!
//! Whatever holds for both kinds is tested on both. What only graphs have is in `context_graphs`.

mod content;
mod create;
mod delete;
mod list;
mod operations;
mod versions;

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, agent_version, context_graph_version};
use serde_json::{Value, json};

/// An id that nothing has.
const UNKNOWN: &str = "ffffffffffffffffffffffff";

/// What the API calls the things that agents and context graphs have in common.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    name_field: &'static str,
    id_field: &'static str,
    list: &'static str,
    version_list: &'static str,
    limits: [i64; 2],
    version: fn() -> Value,
}

const AGENT: Kind = Kind {
    path: "organization/agent",
    name_field: "agent_name",
    id_field: "agent_id",
    list: "agents",
    version_list: "agent_versions",
    limits: [1, 20],
    version: agent_version,
};

const CONTEXT_GRAPH: Kind = Kind {
    path: "organization/service_hierarchical_state_machine",
    name_field: "state_machine_name",
    id_field: "service_hierarchical_state_machine_id",
    list: "service_hierarchical_state_machines",
    version_list: "state_machine_versions",
    limits: [0, 50],
    version: context_graph_version,
};

const KINDS: [Kind; 2] = [AGENT, CONTEXT_GRAPH];

impl Kind {
    fn one(&self, id: &str) -> String {
        format!("{}/{id}/", self.path)
    }

    fn versions(&self, id: &str, query: &str) -> String {
        format!("{}/{id}/version?{query}", self.path)
    }

    async fn create(&self, client: &TestClient, name: &str) -> TestResponse {
        client.post(self.path, json!({self.name_field: name})).await
    }

    async fn create_all(&self, client: &TestClient, names: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.create(client, name).await.id());
        }
        ids
    }

    async fn add_version(&self, client: &TestClient, id: &str) -> TestResponse {
        client.post(&self.one(id), (self.version)()).await
    }

    async fn with_versions(&self, client: &TestClient, count: usize) -> String {
        let id = self.create(client, "versioned").await.id();
        for _ in 0..count {
            assert_eq!(self.add_version(client, &id).await.status, 201);
        }
        id
    }

    async fn rows(&self, client: &TestClient, query: &str) -> Vec<Value> {
        let page = client.get(&format!("{}?{query}", self.path)).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        page.body[self.list].as_array().unwrap().clone()
    }

    async fn names(&self, client: &TestClient, query: &str) -> Vec<String> {
        self.rows(client, query)
            .await
            .iter()
            .map(|row| text(&row["name"]))
            .collect()
    }

    async fn numbers(&self, client: &TestClient, id: &str, query: &str) -> Vec<i64> {
        let page = client.get(&self.versions(id, query)).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        page.body[self.version_list]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect()
    }

    /// Every operation on one agent or graph.
    fn operations_on(&self, id: &str) -> [(Method, String, Option<Value>); 3] {
        [
            (Method::POST, self.one(id), Some((self.version)())),
            (Method::GET, self.versions(id, ""), None),
            (Method::DELETE, self.one(id), None),
        ]
    }

    /// Every operation.
    fn operations(&self, id: &str) -> Vec<(Method, String, Option<Value>)> {
        let mut operations = vec![
            (
                Method::POST,
                self.path.to_owned(),
                Some(json!({self.name_field: "new"})),
            ),
            (Method::GET, self.path.to_owned(), None),
        ];
        operations.extend(self.operations_on(id));
        operations
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(version: &Value) -> i64 {
    version["version"].as_i64().unwrap()
}

/// Reads a list page by page and returns the rows of each page.
async fn pages(client: &TestClient, path: &str, list: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut token = json!(0);
    while !token.is_null() {
        let page = client.get(&format!("{path}&continuation_token={token}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        pages.push(page.body[list].as_array().unwrap().clone());
        token = page.body["continuation_token"].clone();
        assert_eq!(page.body["has_more"], !token.is_null());
        assert!(pages.len() < 100, "paging ends");
    }
    pages
}
