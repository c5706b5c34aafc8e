//! Creating runs.

use forge_testkit::{TestServer, both_engines};
use serde_json::{Value, json};

use super::{carry_out, run_id, shown, start};
use crate::simulation::{RUNS, World};
use crate::support::ids::UNKNOWN_ID;

#[both_engines]
async fn a_run_can_try_another_set(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let body = |name: &str| json!({"simulation_unit_test_set_id": set, "service_version_set_name": name});
    for unknown in [
        body("preview"),
        body("no name of a set"),
        json!({"simulation_unit_test_set_id": set, "service_id": UNKNOWN_ID}),
        json!({"simulation_unit_test_set_id": UNKNOWN_ID}),
    ] {
        assert_eq!(server.admin().post(RUNS, unknown).await.status, 404);
    }
    let created = server.admin().post(RUNS, body("edge")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let spec = shown(&server, &run_id(&created)).await["unit_test_run_specs"][0].clone();
    assert_eq!(spec["service_version_set_name"], "edge");
    assert_eq!(
        (
            &spec["agent_version_info"][1],
            &spec["service_hierarchical_state_machine_version_info"][1]
        ),
        (&json!(2), &json!(2))
    );
}

#[both_engines]
async fn a_user_has_one_unfinished_run_of_a_set(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let first = start(&server, &set).await;
    let body = json!({"simulation_unit_test_set_id": set});
    let refused = server.admin().post(RUNS, body.clone()).await;
    assert_eq!(refused.status, 409);
    assert!(refused.detail().contains(&first), "{}", refused.detail());
    carry_out(&server).await;
    let together = futures_join(&server, &body).await;
    assert_eq!(
        together.iter().filter(|status| **status == 201).count(),
        1,
        "{together:?}"
    );
    assert_eq!(
        together.iter().filter(|status| **status == 409).count(),
        7,
        "{together:?}"
    );
}

/// Creates a run eight times at once, and returns the statuses.
async fn futures_join(server: &TestServer, body: &Value) -> Vec<u16> {
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (admin, body) = (server.admin().clone(), body.clone());
        writers.spawn(async move { admin.post(RUNS, body).await.status.as_u16() });
    }
    writers.join_all().await
}
