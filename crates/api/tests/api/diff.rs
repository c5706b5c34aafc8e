//! What differs between two sets, two revisions, or a mix.

use axum::http::Method;
use forge_app::version_sets::diff;
use forge_app::{AppError, Caller};
use forge_testkit::{TestResponse, TestServer, both_engines, context_graph_version, version_set};
use serde_json::{Value, json};

use crate::support::assertions::assert_forbidden;
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::MODEL;

const GET: &str = "Service:GetVersionSet";

const AGENT: &str = "Organization:GetAgent";

const GRAPH: &str = "Organization:GetServiceHierarchicalStateMachine";

/// A service, with its agent and its graph.
struct Compare<'s> {
    server: &'s TestServer,
    service: String,
    agent: String,
    graph: String,
}

impl<'s> Compare<'s> {
    async fn new(server: &'s TestServer) -> Self {
        let service = server.service(1).await;
        let found = server.admin().get(&format!("service/?id={service}")).await;
        let id = |field: &str| found.body["services"][0][field].as_str().unwrap().to_owned();
        let (agent, graph) = (id("agent_id"), id("service_hierarchical_state_machine_id"));
        Self {
            server,
            service,
            agent,
            graph,
        }
    }

    fn sets(&self) -> String {
        format!("service/{}/version_sets", self.service)
    }

    async fn put(&self, set: &str, pins: Value) {
        let path = format!("{}/{set}/", self.sets());
        let answer = self.server.admin().put(&path, json!({"version_set": pins})).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    async fn delete(&self, set: &str) {
        let answer = self
            .server
            .admin()
            .delete(&format!("{}/{set}/", self.sets()))
            .await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    async fn add_agent_version(&self, change: Value) {
        let path = format!("organization/agent/{}/", self.agent);
        assert_eq!(self.server.admin().post(&path, change).await.status, 201);
    }

    async fn add_graph_version(&self, graph: Value) {
        let path = format!("organization/service_hierarchical_state_machine/{}/", self.graph);
        let answer = self.server.admin().post(&path, graph).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    async fn ask(&self, base: &str, head: &str) -> TestResponse {
        let path = format!("{}/diff?base={base}&head={head}", self.sets());
        self.server.admin().get(&path).await
    }

    async fn diff(&self, base: &str, head: &str) -> Value {
        let answer = self.ask(base, head).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Compares as somebody with these grants only.
    async fn diff_as(&self, grants: &[(&str, Value)], base: &str, head: &str) -> Result<bool, AppError> {
        let grants = grants
            .iter()
            .map(|(permission, conditions)| parsed_grant(permission, conditions.clone()));
        let caller: Caller = self.server.caller(grants.collect());
        let (service, base, head) = (
            self.service.parse().unwrap(),
            base.parse().unwrap(),
            head.parse().unwrap(),
        );
        let found = diff::compare(
            forge_app::Ctx::new(&self.server.app, &caller),
            service,
            &base,
            &head,
        )
        .await?;
        Ok(found.diff.is_empty())
    }
}

/// Returns which numbers a side pins and means, of the agent.
fn agent_of(side: &Value) -> (Option<i64>, Option<i64>) {
    let number = |part: &str| side[part]["agent_version_number"].as_i64();
    (number("pins"), number("resolved"))
}

fn fields(changes: &Value) -> Vec<&str> {
    let changes = changes.as_array().unwrap().iter();
    changes.map(|change| change["field"].as_str().unwrap()).collect()
}

#[both_engines]
async fn nothing_is_told_where_nothing_differs(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare.put("test", version_set(1, 1)).await;
    let body = compare.diff("test", "test@1").await;
    let side = json!({"name": "test", "revision": 1, "pins": version_set(1, 1),
        "resolved": {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1},
        "agent_id": compare.agent, "service_hierarchical_state_machine_id": compare.graph});
    assert_eq!(
        body,
        json!({"base": side, "head": side, "is_empty": true, "pins": [],
        "llm_model_preferences": [], "agent": null, "service_hierarchical_state_machine": null})
    );
    // What floats is compared by what it means: `edge` runs the same as the pinned set.
    let body = compare.diff("test", "edge").await;
    assert_eq!(
        (&body["is_empty"], agent_of(&body["head"])),
        (&json!(true), (None, Some(1)))
    );
}

#[both_engines]
async fn versions_models_and_contents_are_told(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare
        .add_agent_version(json!({"background": "A new past.\nIn two lines."}))
        .await;
    let mut graph = context_graph_version();
    // Nothing leads to the recall state any more.
    let exits = graph["states"][0]["exit_conditions"].as_array_mut().unwrap();
    let gone = exits.remove(0);
    let name = gone["next_state"].as_str().unwrap().to_owned();
    compare.add_graph_version(graph).await;
    compare.put("test", version_set(1, 1)).await;
    let mut pins = version_set(2, None);
    pins["llm_model_preferences"] = json!({"decide": {"llm_name": MODEL, "params": {}}});
    compare.put("preview", pins).await;

    let body = compare.diff("test", "preview").await;
    assert_eq!(body["is_empty"], false);
    assert_eq!(
        body["pins"],
        json!([{"field": "agent_version_number", "from": 1, "to": 2},
        {"field": "service_hierarchical_state_machine_version_number", "from": 1, "to": 2}])
    );
    assert_eq!(
        body["llm_model_preferences"],
        json!([{"interaction": "decide", "field": null, "from": null,
        "to": {"llm_name": MODEL, "params": {}}}])
    );
    assert_eq!(fields(&body["agent"]["changes"]), ["background"]);
    let lines = body["agent"]["changes"][0]["hunks"][0]["lines"]
        .as_array()
        .unwrap();
    assert_eq!(
        lines.last().unwrap(),
        &json!({"op": "added", "value": "In two lines."})
    );
    let graph = &body["service_hierarchical_state_machine"];
    assert_eq!(graph["states_changed"][0]["name"], "welcome_patient");
    assert_eq!(
        fields(&graph["states_changed"][0]["changes"]),
        ["exit_conditions"]
    );
    assert_eq!(
        graph["transitions_removed"],
        json!([{"from": "welcome_patient", "to": name, "jump_back": null}])
    );
    assert!(
        graph["states_unreachable"]
            .as_array()
            .unwrap()
            .contains(&json!(name)),
        "{graph}"
    );
    for nothing in [
        "states_added",
        "states_removed",
        "transitions_added",
        "tools_added",
        "tools_removed",
        "changes",
    ] {
        assert_eq!(graph[nothing], json!([]), "{nothing}");
    }

    let back = compare.diff("preview", "test").await;
    let graph = &back["service_hierarchical_state_machine"];
    assert_eq!(
        graph["transitions_added"],
        json!([{"from": "welcome_patient", "to": name, "jump_back": null}])
    );
    assert_eq!(graph["states_unreachable"], json!([]));
}

#[both_engines]
async fn a_version_that_repeats_its_predecessor_differs_in_its_number_only(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare.add_agent_version(json!({})).await;
    compare.put("test", version_set(1, 1)).await;
    let body = compare.diff("test", "edge").await;
    assert_eq!(fields(&body["pins"]), ["agent_version_number"]);
    assert_eq!((&body["is_empty"], &body["agent"]), (&json!(false), &Value::Null));
}

#[both_engines]
async fn a_revision_means_what_it_meant_when_it_was_replaced(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare.put("test", version_set(None, 1)).await;
    compare.add_agent_version(json!({"initials": "B"})).await;
    compare.put("test", version_set(1, 1)).await;
    compare.add_agent_version(json!({"initials": "C"})).await;
    // While it was in force, the first revision came to mean version 2; it never meant 3.
    let body = compare.diff("test@1", "test").await;
    assert_eq!(agent_of(&body["base"]), (None, Some(2)));
    assert_eq!(
        body["pins"],
        json!([{"field": "agent_version_number", "from": 2, "to": 1}])
    );
    // A set that floats means what is the latest now, also if its present revision is named.
    compare.put("test", version_set(None, 1)).await;
    for head in ["test", "test@3"] {
        let body = compare.diff("test@1", head).await;
        assert_eq!(agent_of(&body["head"]), (None, Some(3)), "{head}");
        assert_eq!(
            body["pins"],
            json!([{"field": "agent_version_number", "from": 2, "to": 3}])
        );
    }
}

#[both_engines]
async fn revisions_of_a_deleted_set_can_be_compared(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare.add_agent_version(json!({"initials": "B"})).await;
    compare.put("test", version_set(1, 1)).await;
    compare.put("test", version_set(None, 1)).await;
    compare.delete("test").await;
    compare.add_agent_version(json!({"initials": "C"})).await;
    let body = compare.diff("test@1", "test@2").await;
    assert_eq!(
        body["pins"],
        json!([{"field": "agent_version_number", "from": 1, "to": 2}])
    );
    let gone = compare.ask("test", "release").await;
    assert_eq!(gone.status, 404);
    assert!(gone.detail().contains("`test@2`"), "{}", gone.detail());
    for nothing in ["test@3", "test@4", "release@9"] {
        let answer = compare.ask("release", nothing).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
        assert!(
            answer.detail().starts_with(&format!("`{nothing}` pins nothing")),
            "{}",
            answer.detail()
        );
    }
    // What comes back is compared with what was there before.
    compare.put("test", version_set(2, 1)).await;
    assert_eq!(compare.diff("test@2", "test").await["is_empty"], true);
}

#[both_engines]
async fn another_agent_of_the_service_is_told(server: TestServer) {
    let compare = Compare::new(&server).await;
    compare.put("test", version_set(1, 1)).await;
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let body = json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph});
    assert_eq!(
        server
            .admin()
            .post(&format!("service/{}/", compare.service), body)
            .await
            .status,
        200
    );
    let body = compare.diff("test@1", "test").await;
    assert_eq!(
        body["pins"],
        json!([
            {"field": "agent_id", "from": compare.agent, "to": agent},
            {"field": "service_hierarchical_state_machine_id", "from": compare.graph, "to": graph},
        ])
    );
    // Both agents and both graphs have the same content, though.
    assert_eq!((&body["is_empty"], &body["agent"]), (&json!(false), &Value::Null));
    assert_eq!(compare.diff("test@2", "test").await["is_empty"], true);
}

#[both_engines]
async fn what_names_no_set_is_refused(server: TestServer) {
    let compare = Compare::new(&server).await;
    for (base, head, faults) in [
        ("a%20b", "release", vec!["query.base: invalid"]),
        ("release", "release@0", vec!["query.head: invalid"]),
        ("release", "release@x", vec!["query.head: invalid"]),
        (
            "",
            "",
            vec!["query.base: string_too_short", "query.head: string_too_short"],
        ),
    ] {
        assert_eq!(compare.ask(base, head).await.faults(), faults);
    }
    let answer = server.admin().get(&format!("{}/diff", compare.sets())).await;
    assert_eq!(answer.faults(), ["query.base: missing", "query.head: missing"]);
    let answer = compare.ask("release", "nothing").await;
    assert_eq!(
        (answer.status.as_u16(), answer.detail()),
        (404, "the service has no version set `nothing`")
    );
    let path = format!("service/{UNKNOWN_ID}/version_sets/diff?base=edge&head=release");
    assert_eq!(server.admin().get(&path).await.status, 404);
}

#[both_engines]
async fn both_sets_and_all_contents_must_be_readable(server: TestServer) {
    let compare = Compare::new(&server).await;
    let other = server.agent(1).await;
    let body = json!({"agent_id": other});
    assert_eq!(
        server
            .admin()
            .post(&format!("service/{}/", compare.service), body)
            .await
            .status,
        200
    );
    let all = || json!({});
    let one = |attribute: &str, value: &str| json!({attribute: {"type": "Equals", "value": value}});
    let only = one("version_set_name", "release");
    for (base, head) in [("release", "edge"), ("edge", "release"), ("release", "never-was")] {
        let grants = [(GET, only.clone()), (AGENT, all()), (GRAPH, all())];
        assert_forbidden(compare.diff_as(&grants, base, head).await, GET);
    }
    let grants = [(GET, only), (AGENT, all()), (GRAPH, all())];
    assert!(compare.diff_as(&grants, "release", "release").await.unwrap());
    // Also where the contents are the same and none is told.
    assert_forbidden(
        compare
            .diff_as(&[(GET, all()), (GRAPH, all())], "edge", "edge")
            .await,
        AGENT,
    );
    assert_forbidden(
        compare
            .diff_as(&[(GET, all()), (AGENT, all())], "edge", "edge")
            .await,
        GRAPH,
    );
    assert_forbidden(
        compare
            .diff_as(&[(AGENT, all()), (GRAPH, all())], "edge", "edge")
            .await,
        GET,
    );
    // The agent that the service had before is another one to read.
    let now = [(GET, all()), (AGENT, one("agent_id", &other)), (GRAPH, all())];
    assert!(compare.diff_as(&now, "edge", "release").await.unwrap());
    assert_forbidden(compare.diff_as(&now, "edge@1", "edge").await, AGENT);
    assert_forbidden(compare.diff_as(&now, "edge", "edge@1").await, AGENT);
}

#[both_engines]
async fn a_set_may_be_called_diff(server: TestServer) {
    let compare = Compare::new(&server).await;
    let (admin, path) = (server.admin(), format!("{}/diff", compare.sets()));
    // With a slash at its end the path is the set's, as for every other set.
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&format!("{path}/"), body.clone()).await.status, 204);
    let answer = admin.get(&format!("{path}/")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["name"]),
        (200, &json!("diff"))
    );
    let mistaken = admin.get(&format!("{path}/?base=edge&head=diff")).await;
    assert_eq!(
        mistaken.faults(),
        ["query.base: unknown_name", "query.head: unknown_name"]
    );
    assert_eq!(admin.get(&format!("{path}/resolve")).await.body["name"], "diff");
    // Without it, only a GET compares.
    let answer = admin.get(&format!("{path}?base=diff&head=edge")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["is_empty"]),
        (200, &json!(true))
    );
    let body = json!({"version_set": version_set(None, 1)});
    assert_eq!(admin.put(&path, body).await.status, 204);
    assert_eq!(
        admin.get(&format!("{path}/history")).await.body["revisions"][0]["revision"],
        2
    );
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&format!("{path}/")).await.status, 404);
    let answer = admin.send(Method::POST, &path, Some(json!({}))).await;
    assert_eq!(answer.status, 405);
}
