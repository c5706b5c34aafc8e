//! What live unit tests use stays: version sets, services, personas, scenarios and metrics.

use forge_domain::SetName;
use forge_testkit::{both_engines, version_set};
use serde_json::json;
use tokio::task::JoinSet;

use super::{TESTS, World};
use crate::support::assertions::assert_refused;
use crate::support::organization::{change_number, organization};

#[both_engines]
async fn a_set_that_a_live_unit_test_names_is_not_deleted(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "greets").await;
    let path = format!("service/{}/version_sets/test/", world.service);
    let before = change_number(&server).await;
    let refused = server.admin().delete(&path).await;
    assert_refused(&refused, &["version set `test`", "`greets`", &test]);
    assert_eq!(refused.body["plan"]["blockers"][0]["code"], "used_by_unit_tests");
    let planned = server.admin().delete(&format!("{path}?dry_run=true")).await;
    assert_eq!(planned.body["blockers"][0]["code"], "used_by_unit_tests");
    assert_eq!(change_number(&server).await, before);
    // Those who see sets are told which tests name them.
    let shown = server.admin().get(&path).await;
    assert_eq!(shown.body["unit_tests"], json!([test]));
    let health = server
        .admin()
        .get(&format!("service/{}/health", world.service))
        .await;
    let sets = health.body["version_sets"].as_array().unwrap();
    let named = sets.iter().find(|set| set["name"] == "test").unwrap();
    assert_eq!(named["unit_tests"], json!([test]));
    let services = server
        .admin()
        .get(&format!("service/?id={}", world.service))
        .await;
    let agent = services.body["services"][0]["agent_id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (version, tests) in [(1, vec![&test]), (2, vec![])] {
        let path = format!("organization/agent/{agent}/version/{version}/references");
        assert_eq!(
            server.admin().get(&path).await.body["unit_tests"],
            json!(tests),
            "{version}"
        );
    }
    let refused = server
        .admin()
        .post(
            &format!("service/{}/", world.service),
            json!({"is_active": false}),
        )
        .await;
    assert_refused(&refused, &[&world.service, "`greets`"]);
    assert_eq!(
        server.admin().delete(&format!("{TESTS}{test}/")).await.status,
        204
    );
    assert_eq!(server.admin().get(&path).await.body["unit_tests"], json!([]));
    assert_eq!(server.admin().delete(&path).await.status, 204);
    let deactivated = server
        .admin()
        .post(
            &format!("service/{}/", world.service),
            json!({"is_active": false}),
        )
        .await;
    assert_eq!(deactivated.status, 200, "{}", deactivated.body);
}

#[both_engines]
async fn what_a_live_unit_test_is_made_of_is_not_deleted(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "greets").await;
    let parts = [
        (format!("simulation/persona/{}/", world.persona), 204),
        (format!("simulation/scenario/{}/", world.scenario), 204),
        (format!("metric/{}/", world.metric), 200),
    ];
    for (path, _) in &parts {
        let refused = server.admin().delete(path).await;
        assert_refused(&refused, &["`greets`", &test]);
    }
    assert_eq!(
        server.admin().delete(&format!("{TESTS}{test}/")).await.status,
        204
    );
    for (path, status) in &parts {
        let deleted = server.admin().delete(path).await;
        assert_eq!(deleted.status, *status, "{path}: {}", deleted.body);
    }
}

#[both_engines]
async fn a_live_unit_test_never_outlives_its_set(server: TestServer) {
    let world = World::new(&server).await;
    let path = format!("service/{}/version_sets/test/", world.service);
    for round in 0..6 {
        let set = json!({"version_set": version_set(1, 1 + round % 2)});
        assert_eq!(server.admin().put(&path, set).await.status, 204);
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let (admin, path) = (server.admin().clone(), path.clone());
            let body = world.body(&format!("round {round}, writer {writer}"));
            writers.spawn(async move {
                if writer % 2 == 0 {
                    ("create", admin.post(TESTS, body).await.status.as_u16())
                } else {
                    ("delete", admin.delete(&path).await.status.as_u16())
                }
            });
        }
        let done = writers.join_all().await;
        let count = |what: &str, status: u16| done.iter().filter(|done| **done == (what, status)).count();
        let (created, deleted) = (count("create", 201), count("delete", 204));
        // Either the set went first, and no test came; or a test came first, and the set stays.
        assert_eq!(created + count("create", 404), 4, "{done:?}");
        assert_eq!(
            deleted + count("delete", 400) + count("delete", 404),
            4,
            "{done:?}"
        );
        assert_eq!(deleted, usize::from(created == 0), "{done:?}");
        let (organization, name) = (organization(&server), "test".parse::<SetName>().unwrap());
        let service = world.service.parse().unwrap();
        let mut tx = server.app.store.read().await.unwrap();
        let set = tx.find_set(&organization, service, &name).await.unwrap().unwrap();
        let tests = tx
            .list_unit_tests_of_service(&organization, service)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(tests.len(), created);
        assert_eq!(set.is_deleted, tests.is_empty());
        for (_, test) in tests {
            assert_eq!(
                server
                    .admin()
                    .delete(&format!("{TESTS}{}/", test.id))
                    .await
                    .status,
                204
            );
        }
    }
}
