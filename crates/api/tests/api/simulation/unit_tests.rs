//! Unit tests: creating, listing, searching, changing and deleting them.

use forge_testkit::both_engines;
use serde_json::json;

use super::{SETS, TESTS, World, create_test, names, set_body, with};
use crate::support::assertions::{assert_invalid, assert_refused};
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::change_number;
use crate::support::users::member;

#[both_engines]
async fn a_unit_test_is_created_and_listed(server: TestServer) {
    let world = World::new(&server).await;
    let id = world.test(&server, "greets").await;
    let listed = server.admin().get(TESTS).await;
    let test = &listed.body["simulation_unit_tests"][0];
    let expected = json!({
        "id": id, "org_id": server.admin().organization, "created_at": test["created_at"],
        "updated_at": test["created_at"], "name": "greets", "description": "Is it kind?", "service_id": world.service,
        "service_version_set_name": "test", "persona_id": world.persona, "scenario_id": world.scenario,
        "max_interactions": 5, "run_count": 1, "is_deleted": false, "tags": [{"key": "team", "value": "care"}],
        "success_criterions": [{
            "name": "is kind", "metric_id": world.metric,
            "criterion": {"type": "boolean", "expected_value": true},
        }],
        "creator": {"org_id": server.admin().organization, "user_id": server.admin().user_id},
        "updated_by": {"org_id": server.admin().organization, "user_id": server.admin().user_id},
    });
    assert_eq!(test, &expected);
    let values = json!({
        "creators": [test["creator"]], "tags": ["team"], "service_ids": [world.service],
        "persona_ids": [world.persona], "scenario_ids": [world.scenario], "metric_ids": [world.metric],
    });
    assert_eq!(listed.body["filter_values"], values);
    let taken = server.admin().post(TESTS, world.body("greets")).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    assert!(taken.detail().contains(&id), "{}", taken.detail());
}

#[both_engines]
async fn what_a_unit_test_names_has_to_be_there_and_to_fit(server: TestServer) {
    let world = World::new(&server).await;
    let before = change_number(&server).await;
    for (field, value) in [
        ("service_id", json!(UNKNOWN_ID)),
        ("service_version_set_name", json!("preview")),
        ("service_version_set_name", json!("no name of a set")),
        ("persona_id", json!(UNKNOWN_ID)),
        ("persona_id", json!(world.scenario)),
        ("scenario_id", json!(UNKNOWN_ID)),
        (
            "success_criterions",
            json!([{
                "name": "x", "metric_id": UNKNOWN_ID, "criterion": {"type": "boolean", "expected_value": true},
            }]),
        ),
    ] {
        let refused = server
            .admin()
            .post(TESTS, with(world.body("greets"), &json!({field: value})))
            .await;
        assert_eq!(refused.status, 404, "{field}: {}", refused.body);
    }
    let numerical = json!([{
        "name": "is kind", "metric_id": world.metric,
        "criterion": {"type": "numerical", "verb": ">=", "threshold": 3},
    }]);
    let refused = server
        .admin()
        .post(
            TESTS,
            with(world.body("greets"), &json!({"success_criterions": numerical})),
        )
        .await;
    assert_refused(&refused, &["`is kind` is numerical", "`kindness` are boolean"]);
    assert_eq!(
        server
            .admin()
            .post(
                &format!("service/{}/", world.service),
                json!({"is_active": false})
            )
            .await
            .status,
        200
    );
    let refused = server.admin().post(TESTS, world.body("greets")).await;
    assert_refused(&refused, &["is not active"]);
    assert_eq!(change_number(&server).await, before + 1);
    let faulty = with(
        world.body(" "),
        &json!({"max_interactions": 0, "success_criterions": []}),
    );
    let refused = server.admin().post(TESTS, faulty).await;
    assert_invalid(
        &refused,
        &[
            "body.name: string_too_short",
            "body.max_interactions: greater_than",
            "body.success_criterions: too_short",
        ],
    );
}

#[both_engines]
async fn a_unit_test_is_changed(server: TestServer) {
    let world = World::new(&server).await;
    let id = world.test(&server, "greets").await;
    let path = format!("{TESTS}{id}/");
    let change = json!({"description": "Is it very kind?", "run_count": 3, "service_version_set_name": "release", "tags": {}});
    let changed = server.admin().post(&path, change.clone()).await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    assert!(changed.sequence().is_some());
    let shown = server.admin().get(TESTS).await.body["simulation_unit_tests"][0].clone();
    assert_eq!(shown["description"], "Is it very kind?");
    assert_eq!(shown["run_count"], 3);
    assert_eq!(shown["service_version_set_name"], "release");
    assert_eq!(shown["tags"], json!([]));
    assert_eq!(shown["max_interactions"], 5);
    let again = server.admin().post(&path, change).await;
    assert_eq!((again.status.as_u16(), again.sequence()), (204, None));
    // Without its trailing slash, too.
    let other = server
        .admin()
        .post(path.trim_end_matches('/'), json!({"max_interactions": 7}))
        .await;
    assert_eq!(other.status, 204);
    for (change, status) in [
        (json!({"service_version_set_name": "preview"}), 404),
        (json!({"persona_id": UNKNOWN_ID}), 404),
        (json!({"run_count": 101}), 422),
        (json!({"run_count": 0}), 422),
    ] {
        let refused = server.admin().post(&path, change).await;
        assert_eq!(refused.status, status, "{}", refused.body);
    }
    assert_eq!(
        server
            .admin()
            .post(&format!("{TESTS}{UNKNOWN_ID}/"), json!({}))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn a_unit_test_is_deleted_unless_a_set_runs_it(server: TestServer) {
    let world = World::new(&server).await;
    let id = world.test(&server, "greets").await;
    let path = format!("{TESTS}{id}/");
    let set = world.set(&server, "smoke", &[(&id, 1)]).await;
    let refused = server.admin().delete(&path).await;
    assert_refused(&refused, &["`smoke`", &set]);
    assert_eq!(server.admin().delete(&format!("{SETS}{set}")).await.status, 204);
    assert_eq!(server.admin().delete(&path).await.status, 204);
    assert_eq!(server.admin().delete(&path).await.status, 404);
    assert_eq!(
        server
            .admin()
            .post(&path, json!({"max_interactions": 2}))
            .await
            .status,
        404
    );
    assert_eq!(
        server
            .admin()
            .post(SETS, set_body("other", &[(&id, 1)]))
            .await
            .status,
        404
    );
    // It stays in lists, and its name is free.
    for (query, count) in [("", 1), ("?is_deleted=true", 1), ("?is_deleted=false", 0)] {
        let listed = server.admin().get(&format!("{TESTS}{query}")).await;
        assert_eq!(
            listed.body["simulation_unit_tests"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    world.test(&server, "greets").await;
}

#[both_engines]
async fn unit_tests_are_filtered_sorted_and_paged(server: TestServer) {
    let world = World::new(&server).await;
    let first = world.test(&server, "first").await;
    server.clock.advance_seconds(1);
    create_test(
        &server,
        with(
            world.body("second"),
            &json!({"tags": {"team": null}, "service_version_set_name": "edge"}),
        ),
    )
    .await;
    server.clock.advance_seconds(1);
    world.test(&server, "third").await;
    server.clock.advance_seconds(1);
    assert_eq!(
        server
            .admin()
            .post(&format!("{TESTS}{first}/"), json!({"max_interactions": 9}))
            .await
            .status,
        204
    );
    let list = async |query: &str| {
        let listed = server.admin().get(&format!("{TESTS}?{query}")).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.body);
        names(&listed.body, "simulation_unit_tests")
    };
    let creator = format!("{},{}", server.admin().organization, server.admin().user_id);
    for (query, expected) in [
        (String::new(), vec!["first", "second", "third"]),
        ("sort_by=%2Bupdated_at".into(), vec!["second", "third", "first"]),
        ("sort_by=-updated_at".into(), vec!["first", "third", "second"]),
        (format!("id={first}"), vec!["first"]),
        ("tag=team:care".into(), vec!["first", "third"]),
        ("tag=team:".into(), vec!["second"]),
        ("tag=team:*&tag=other:*".into(), vec![]),
        (
            format!("service_id={}", world.service),
            vec!["first", "second", "third"],
        ),
        (format!("service_id={UNKNOWN_ID}"), vec![]),
        (
            format!("persona_id={}", world.persona),
            vec!["first", "second", "third"],
        ),
        (format!("scenario_id={UNKNOWN_ID}"), vec![]),
        (
            format!("metric_id={}&metric_id={UNKNOWN_ID}", world.metric),
            vec!["first", "second", "third"],
        ),
        (format!("metric_id={UNKNOWN_ID}"), vec![]),
        (format!("creator={creator}"), vec!["first", "second", "third"]),
        (format!("creator={},nobody", server.admin().organization), vec![]),
    ] {
        assert_eq!(list(&query).await, expected, "{query}");
    }
    for bad in ["creator=nobody", "sort_by=name", "tag=team", "limit=501"] {
        assert_eq!(
            server.admin().get(&format!("{TESTS}?{bad}")).await.status,
            422,
            "{bad}"
        );
    }
    let page = server
        .admin()
        .get(&format!("{TESTS}?limit=2&sort_by=-updated_at"))
        .await;
    assert_eq!(names(&page.body, "simulation_unit_tests"), ["first", "third"]);
    let token = page.body["continuation_token"].as_i64().unwrap();
    let next = server
        .admin()
        .get(&format!(
            "{TESTS}?limit=2&sort_by=-updated_at&continuation_token={token}"
        ))
        .await;
    assert_eq!(names(&next.body, "simulation_unit_tests"), ["second"]);
    assert_eq!(
        (&next.body["has_more"], &next.body["filter_values"]),
        (&json!(false), &json!(null))
    );
}

#[both_engines]
async fn unit_tests_are_searched_by_words(server: TestServer) {
    let world = World::new(&server).await;
    world.test(&server, "Greets warmly").await;
    let gone = world.test(&server, "greets coldly").await;
    assert_eq!(
        server.admin().delete(&format!("{TESTS}{gone}/")).await.status,
        204
    );
    let found = server
        .admin()
        .get(&format!("{TESTS}search/?query=KIND%20greets"))
        .await;
    assert_eq!(names(&found.body, "simulation_unit_tests"), ["Greets warmly"]);
    assert!(found.body["simulation_unit_tests"][0]["_id"].is_string());
    for query in [
        "query=coldly",
        "query=greets&tag=team:x",
        &format!("query=greets&metric_id={UNKNOWN_ID}"),
    ] {
        let found = server.admin().get(&format!("{TESTS}search/?{query}")).await;
        assert_eq!(found.body["simulation_unit_tests"], json!([]), "{query}");
    }
    assert_eq!(
        server
            .admin()
            .get(&format!("{TESTS}search/?query=%20"))
            .await
            .status,
        422
    );
}

#[both_engines]
async fn grants_on_unit_tests_can_be_narrowed_by_name(server: TestServer) {
    let world = World::new(&server).await;
    let (mine, other) = (
        world.test(&server, "mine").await,
        world.test(&server, "other").await,
    );
    let only_mine = equals("simulation_unit_test_name", "mine");
    create_role(
        server.admin(),
        "Tester",
        vec![
            grant("Simulation:GetSimulationUnitTest", &only_mine),
            grant("Simulation:ModifySimulationUnitTest", &only_mine),
            grant("Simulation:DeleteSimulationUnitTest", &only_mine),
            any("Conversation:CreateConversation"),
            any("Simulation:GetSimulationPersona"),
            any("Simulation:GetSimulationScenario"),
            any("Metric:GetMetric"),
        ],
    )
    .await;
    let tester = member(&server, "Tester").await;
    let listed = tester.get(&format!("{TESTS}?limit=1")).await;
    assert_eq!(names(&listed.body, "simulation_unit_tests"), ["mine"]);
    assert_eq!(listed.body["has_more"], false);
    let found = tester.get(&format!("{TESTS}search/?query=kind")).await;
    assert_eq!(names(&found.body, "simulation_unit_tests"), ["mine"]);
    assert_eq!(tester.post(TESTS, world.body("mine")).await.status, 403);
    assert_eq!(
        tester
            .post(&format!("{TESTS}{other}/"), json!({"max_interactions": 2}))
            .await
            .status,
        403
    );
    assert_eq!(tester.delete(&format!("{TESTS}{other}/")).await.status, 403);
    assert_eq!(
        tester
            .post(&format!("{TESTS}{mine}/"), json!({"max_interactions": 2}))
            .await
            .status,
        204
    );
    assert_eq!(tester.delete(&format!("{TESTS}{mine}/")).await.status, 204);
}
