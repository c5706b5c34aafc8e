//! Requests that are too large are refused before anything is done for them.

use forge_testkit::both_engines;
use serde_json::{Map, Value, json};

use super::{SOON, admin, assert_small, assert_status, many_preferences};
use crate::support::organization::organization;

#[both_engines]
async fn a_large_set_that_is_refused_waits_for_nobody_who_writes(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let (organization, now) = (organization(&server), forge_domain::Clock::now(&*server.clock));
    let writing = server.app.store.write(&organization, now).await.unwrap().unwrap();
    let path = format!("service/{service}/version_sets/test/");
    let call = admin.put(&path, many_preferences("n", "none"));
    let answer = tokio::time::timeout(SOON, call).await.unwrap();
    assert_status(&answer, 400);
    drop(writing);
}

#[both_engines]
async fn more_preferences_than_a_set_may_have_are_refused_wherever_they_are_sent(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let preferences: Map<String, Value> = (0..1001)
        .map(|n| (n.to_string(), json!({"llm_name": "none"})))
        .collect();
    let set = json!({"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": preferences});
    let put = json!({"version_set": set});
    let refused = admin
        .put(&format!("service/{service}/version_sets/test/?dry_run=true"), put)
        .await;
    assert_eq!(
        refused.faults(),
        ["body.version_set.llm_model_preferences: too_long"]
    );
    let mut body = forge_testkit::service_body("New", &server.agent(1).await, &server.context_graph(1).await);
    body["release_version_set"] = set;
    let refused = admin.post("service/", body).await;
    assert_eq!(
        refused.faults(),
        ["body.release_version_set.llm_model_preferences: too_long"]
    );
}

#[both_engines]
async fn plans_that_are_too_large_together_are_refused_and_nothing_is_done(server: TestServer) {
    let admin = admin(&server);
    let model = server
        .app
        .catalogues
        .models
        .descriptions()
        .next()
        .unwrap()
        .name
        .clone();
    let mut promotions = Vec::new();
    for _ in 0..5 {
        let service = server.service(1).await;
        let path = format!("service/{service}/version_sets/test/");
        assert_status(&admin.put(&path, many_preferences("n", &model)).await, 204);
        promotions.push(json!({"service_id": service, "source": "test", "target": "preview"}));
    }
    for dry_run in [true, false] {
        let refused = admin
            .post("promotion", json!({"promotions": promotions, "dry_run": dry_run}))
            .await;
        assert_eq!(refused.faults(), ["body.promotions: too_long"]);
    }
    let applied = admin
        .post("promotion", json!({"promotions": promotions[..2]}))
        .await;
    assert_eq!(applied.body["applied"], true, "{}", applied.body);
}

#[both_engines]
async fn contents_that_are_too_large_together_are_read_by_themselves(server: TestServer) {
    let (admin, agent, graph) = (
        admin(&server),
        server.agent(1).await,
        server.context_graph(1).await,
    );
    let service = admin
        .post("service/", forge_testkit::service_body("Large", &agent, &graph))
        .await
        .id();
    let mut version = forge_testkit::agent_version();
    version["background"] = json!("b".repeat(2_500_000));
    assert_status(
        &admin.post(&format!("organization/agent/{agent}/"), version).await,
        201,
    );
    let mut version = forge_testkit::context_graph_version();
    version["global_action_guidelines"] = json!(["g".repeat(2_500_000)]);
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    assert_status(&admin.post(&path, version).await, 201);
    let path = format!("service/{service}/version_sets/edge/resolve");
    assert_eq!(admin.get(&path).await.status, 200);
    let refused = admin.get(&format!("{path}?include=documents")).await;
    assert_eq!(refused.status, 400, "{}", refused.status);
    assert!(
        refused.detail().contains("without `include=documents`"),
        "{}",
        refused.detail()
    );
}

#[both_engines]
async fn a_version_whose_states_share_a_name_is_refused_briefly(server: TestServer) {
    let graph = server.context_graph(0).await;
    let mut version = forge_testkit::context_graph_version();
    let states = version["states"].as_array().unwrap().clone();
    version["states"] = states.iter().cycle().take(3000).cloned().collect();
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    let answer = admin(&server).post(&path, version).await;
    assert_eq!(answer.status, 422);
    assert_small(&answer);
    assert_eq!(answer.faults().len(), 51);
}
