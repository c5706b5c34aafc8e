//! An example of each operation: a request that succeeds with the right credentials.

mod access;
pub(crate) mod conversations;
mod items;
mod simulations;
mod version_sets;

use std::collections::BTreeMap;

use axum::http::Method;
use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, context_graph_version, form, service_body,
    version_set,
};
use serde_json::{Value, json};

use crate::support::examples::access::examples_of_access;
use crate::support::examples::conversations::examples_of_conversations;
use crate::support::examples::items::{
    examples_of_behavior_sets_and_metrics, examples_of_personas_and_scenarios,
};
use crate::support::examples::simulations::examples_of_simulations;
use crate::support::examples::version_sets::{add_sets, examples_of_release, examples_of_versions};
use crate::support::operations::{fits, operations, served};
use crate::support::organization::organization;

/// The operations that anybody may call, and why.
pub(crate) const PUBLIC: &[(&str, &str)] = &[
    (
        "download-simulation-unit-test-set-run-artifacts",
        "takes a link instead of a token",
    ),
    ("get-liveness", "tells nothing of any organization"),
    ("get-openapi", "tells nothing of any organization"),
    (
        "get-organization",
        "a sign-in page shows the name; the rest is for those who may see it",
    ),
    ("get-readiness", "tells nothing of any organization"),
    ("sign-in-with-api-key", "takes an API key instead of a token"),
];

/// A request that succeeds with the right credentials; whatever it names is there.
#[derive(Clone)]
pub(crate) struct Example {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// The operation whose example is sent as a form.
pub(crate) const FORM: &str = "interact-with-conversation";

/// Returns an example of every operation that is not public.
pub(crate) async fn examples(server: &TestServer) -> BTreeMap<&'static str, Example> {
    let (agent, graph) = (server.agent(2).await, server.context_graph(2).await);
    let (unused_agent, unused_graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    let sets = format!("service/{service}/version_sets");
    add_sets(server, &sets).await;
    let graphs = "organization/service_hierarchical_state_machine";
    let other = json!({"version_set": version_set(2, None)});
    [
        (
            "create-agent",
            "organization/agent".to_owned(),
            Some(json!({"agent_name": "Mira"})),
        ),
        ("get-agents", "organization/agent".to_owned(), None),
        (
            "create-agent-version",
            format!("organization/agent/{agent}/"),
            Some(agent_version()),
        ),
        (
            "get-agent-versions",
            format!("organization/agent/{agent}/version"),
            None,
        ),
        (
            "delete-agent",
            format!("organization/agent/{unused_agent}/"),
            None,
        ),
        (
            "create-service-hierarchical-state-machine",
            graphs.to_owned(),
            Some(json!({"state_machine_name": "Care"})),
        ),
        ("get-service-hierarchical-state-machines", graphs.to_owned(), None),
        (
            "create-service-hierarchical-state-machine-version",
            format!("{graphs}/{graph}/"),
            Some(context_graph_version()),
        ),
        (
            "get-service-hierarchical-state-machine-versions",
            format!("{graphs}/{graph}/version"),
            None,
        ),
        (
            "delete-service-hierarchical-state-machine",
            format!("{graphs}/{unused_graph}/"),
            None,
        ),
        ("get-services", "service/".to_owned(), None),
        (
            "create-service",
            "service/".to_owned(),
            Some(service_body("Sales", &agent, &graph)),
        ),
        (
            "update-service",
            format!("service/{service}/"),
            Some(json!({"description": "Changed."})),
        ),
        (
            "upsert-service-version-set",
            format!("{sets}/preview/"),
            Some(other),
        ),
        ("delete-service-version-set", format!("{sets}/test/"), None),
        ("get-version-sets", format!("{sets}/"), None),
        ("get-version-set", format!("{sets}/release/"), None),
        (
            "resolve-version-set",
            format!("{sets}/release/resolve?include=documents"),
            None,
        ),
        ("get-models", "admin/get_models/".to_owned(), None),
        ("watch-organization", "watch".to_owned(), None),
        ("get-audit-events", "audit_event/".to_owned(), None),
        ("get-audit-head", "audit_event/head".to_owned(), None),
        ("export-audit-events", "audit_event/export".to_owned(), None),
    ]
    .into_iter()
    .chain(examples_of_release(&sets, &service))
    .chain(examples_of_versions(
        (&agent, &graph),
        (&unused_agent, &unused_graph),
    ))
    .chain(examples_of_access(server).await)
    .chain(examples_of_behavior_sets_and_metrics(server).await)
    .chain(examples_of_personas_and_scenarios(server).await)
    .chain(Box::pin(examples_of_simulations(server)).await)
    .chain(examples_of_conversations(server, &service, (&agent, &graph)).await)
    .map(|(id, path, body)| (id, Example { path, body }))
    .collect()
}

/// What the served document says about an operation that is not public.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) example: Example,
}

impl Guarded {
    pub(crate) async fn call(&self, client: &TestClient, headers: &[(&str, &str)]) -> TestResponse {
        let json = self.example.body.as_ref();
        let (content_type, body) = match json {
            Some(fields) if self.id == FORM => {
                let fields = fields.as_object().unwrap().iter();
                let fields: Vec<_> = fields
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                    .collect();
                let (content_type, body) = form(&fields);
                (Some(content_type), body)
            }
            Some(body) => (Some("application/json".to_owned()), body.to_string().into_bytes()),
            None => (None, Vec::new()),
        };
        let (method, path) = (self.method.clone(), &self.example.path);
        let mut headers = headers.to_vec();
        if path.starts_with("//") {
            // The path names an organization that is not there yet, so the client's own is in a header.
            headers.push(("x-mongo-cluster-name", "default"));
            if headers.iter().all(|(name, _)| *name != "x-org-id") {
                headers.push(("x-org-id", &client.organization));
            }
        }
        client
            .send_raw(method, path, &headers, content_type.as_deref(), body)
            .await
    }

    /// Returns `true` if the request names anything by its id.
    pub(crate) fn names_something(&self) -> bool {
        const IN_BODY: [&str; 7] = [
            "create-api-key",
            "create-conversation",
            "create-invited-user",
            "create-service",
            "create-temporary-permission-grant",
            "evaluate-metrics",
            "promote-version-sets",
        ];
        self.path.matches('{').count() > 1 || IN_BODY.contains(&self.id.as_str())
    }
}

/// Returns every operation that is not public, with its example.
pub(crate) async fn guarded(server: &TestServer) -> Vec<Guarded> {
    let document = served(server).await;
    let mut examples = Box::pin(examples(server)).await;
    let mut guarded = Vec::new();
    for (id, operation) in operations(&document) {
        let security = operation.content.get("security").unwrap_or(&document["security"]);
        let is_public = security
            .as_array()
            .unwrap()
            .iter()
            .all(|scheme| scheme.get("Bearer-Authorization").is_none());
        let is_listed = PUBLIC.iter().any(|(public, _)| *public == id);
        assert_eq!(
            is_public, is_listed,
            "`{id}` is public in only one of the document and the list"
        );
        if !is_public {
            let example = examples
                .remove(id)
                .unwrap_or_else(|| panic!("`{id}` has no example request"));
            let path = example.path.split('?').next().unwrap();
            let path = if path.starts_with("//") {
                path.to_owned()
            } else {
                format!("//v1/{}/{path}", server.admin().organization)
            };
            assert!(
                fits(operation.path, path.trim_end_matches('/')),
                "`{id}` is not at {path}"
            );
            let (id, path) = (id.to_owned(), operation.path.to_owned());
            guarded.push(Guarded {
                id,
                method: operation.method,
                path,
                example,
            });
        }
    }
    assert!(examples.is_empty(), "no longer served: {:?}", examples.keys());
    guarded
}

/// Returns everything that a write would move: the change numbers and the lengths of the audit logs.
pub(crate) async fn state(server: &TestServer) -> Vec<(i64, usize)> {
    let mut state = Vec::new();
    for organization in [
        organization(server),
        server.stranger().organization.parse().unwrap(),
    ] {
        let mut tx = server.app.store.read().await.unwrap();
        let change_number = tx
            .find_organization(&organization)
            .await
            .unwrap()
            .unwrap()
            .change_number;
        let events = tx
            .list_audit_events(&organization, 0, 10_000)
            .await
            .unwrap()
            .into_rows()
            .len();
        state.push((change_number, events));
    }
    state
}
