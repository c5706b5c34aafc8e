//! Resolving a set: what is to run now.

use forge_testkit::{TestServer, both_engines, context_graph_version, version_set};
use serde_json::{Value, json};

use super::{add_agent_version, binding, delete, path, read, resolve, upsert};
use crate::support::assertions::assert_invalid;
use crate::support::models::{MODEL, with_model};

/// Returns the versions of the agent and the context graph that a set resolves to.
async fn resolved(server: &TestServer, service: &str, set: &str) -> (i64, i64) {
    let answer = resolve(server, service, set).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let number = |info: &str| answer.body[info][1].as_i64().unwrap();
    (
        number("agent_version_info"),
        number("service_hierarchical_state_machine_version_info"),
    )
}

async fn add_context_graph_version(server: &TestServer, graph: &str, description: &str) {
    let mut body = context_graph_version();
    body["description"] = json!(description);
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    assert_eq!(server.admin().post(&path, body).await.status, 201);
}

/// Returns the names of the sets that a list tells.
///
/// Returns a listed version without what the list says beside its content.
fn content(listed: &Value) -> Value {
    let mut content = listed.clone();
    content.as_object_mut().unwrap().remove("yanked").unwrap();
    content
}

#[both_engines]
async fn floating_follows_new_versions_at_once_and_pinned_does_not(server: TestServer) {
    let service = server.service(2).await;
    let (agent, graph) = binding(&server, &service).await;
    upsert(&server, &service, "test", version_set(2, 1)).await;
    upsert(&server, &service, "preview", version_set(1, None)).await;
    let all = async || {
        let mut all = Vec::new();
        for set in ["edge", "release", "test", "preview"] {
            all.push(resolved(&server, &service, set).await);
        }
        all
    };
    assert_eq!(all().await, [(2, 2), (2, 2), (2, 1), (1, 2)]);
    add_agent_version(&server, &agent, "M3").await;
    assert_eq!(all().await, [(3, 2), (3, 2), (2, 1), (1, 2)]);
    add_context_graph_version(&server, &graph, "The third one.").await;
    assert_eq!(all().await, [(3, 3), (3, 3), (2, 1), (1, 3)]);
    let release = read(&server, &service, "release").await;
    assert_eq!(
        (&release["revision"], &release["pins"]),
        (&json!(1), &version_set(None, None))
    );
    let resolved = json!({"agent_version_number": 3, "service_hierarchical_state_machine_version_number": 3});
    assert_eq!(release["resolved"], resolved);
    let test = read(&server, &service, "test").await;
    assert_eq!(
        test["behind"],
        json!({"agent": 1, "service_hierarchical_state_machine": 2})
    );
}

#[both_engines]
async fn resolving_names_exactly_what_to_run(server: TestServer) {
    let service = server.service(2).await;
    let (agent, graph) = binding(&server, &service).await;
    let pins = with_model(
        version_set(1, 2),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    upsert(&server, &service, "test", version_set(None, 2)).await;
    upsert(&server, &service, "test", pins.clone()).await;
    let answer = resolve(&server, &service, "test").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "name": "test",
            "agent_version_info": [agent, 1],
            "service_hierarchical_state_machine_version_info": [graph, 2],
            "llm_model_preferences": pins["llm_model_preferences"],
            "service_id": service,
            "revision": 2,
            "is_floating": false,
        })
    );
    assert_eq!(
        resolve(&server, &service, "release").await.body["is_floating"],
        json!(true)
    );
}

#[both_engines]
async fn resolving_tells_a_deleted_set_from_one_that_never_was(server: TestServer) {
    let service = server.service(1).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    upsert(&server, &service, "test", version_set(None, 1)).await;
    delete(&server, &service, "test").await;
    let gone = resolve(&server, &service, "test").await;
    assert_eq!((gone.status.as_u16(), &gone.body["revision"]), (410, &json!(3)));
    assert!(gone.detail().contains("`test`"), "{}", gone.detail());
    assert_eq!(resolve(&server, &service, "tset").await.status, 404);
    upsert(&server, &service, "test", version_set(1, 1)).await;
    assert_eq!(
        resolve(&server, &service, "test").await.body["revision"],
        json!(4)
    );
}

#[both_engines]
async fn resolving_gives_the_exact_documents_where_asked_to(server: TestServer) {
    let service = server.service(1).await;
    let (agent, graph) = binding(&server, &service).await;
    for number in 2..=3 {
        add_agent_version(&server, &agent, &format!("M{number}")).await;
        add_context_graph_version(&server, &graph, &format!("Number {number}.")).await;
    }
    upsert(&server, &service, "test", version_set(2, 3)).await;
    let graphs = format!("organization/service_hierarchical_state_machine/{graph}/version");
    for (set, agent_number, graph_number) in [("test", 2, 3), ("release", 3, 3)] {
        let answer = server
            .admin()
            .get(&format!("{}resolve?include=documents", path(&service, set)))
            .await;
        let listed = format!("organization/agent/{agent}/version?version={agent_number}");
        let listed = server.admin().get(&listed).await;
        assert_eq!(answer.body["agent"], content(&listed.body["agent_versions"][0]));
        assert_eq!(
            answer.body["agent"]["initials"],
            json!(format!("M{agent_number}"))
        );
        let listed = server
            .admin()
            .get(&format!("{graphs}?version={graph_number}"))
            .await;
        let listed = content(&listed.body["state_machine_versions"][0]);
        assert_eq!(answer.body["service_hierarchical_state_machine"], listed);
        let description = &answer.body["service_hierarchical_state_machine"]["description"];
        assert_eq!(*description, json!(format!("Number {graph_number}.")));
    }
}

#[both_engines]
async fn what_a_resolution_is_to_include_is_checked(server: TestServer) {
    let service = server.service(1).await;
    let path = format!("{}resolve", path(&service, "release"));
    for (query, fault) in [
        ("include=everything", "query.include.0: enum"),
        ("include=documents&include=x", "query.include.1: enum"),
        ("include=", "query.include.0: enum"),
        ("include=documents&include=documents", "query.include: unique"),
    ] {
        assert_invalid(&server.admin().get(&format!("{path}?{query}")).await, &[fault]);
    }
}
