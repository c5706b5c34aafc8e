//! Sets of unit tests.

use forge_testkit::both_engines;
use serde_json::json;

use super::{SETS, World, names, set_body, with};
use crate::support::assertions::assert_invalid;
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::users::member;

#[both_engines]
async fn a_set_is_created_listed_changed_and_deleted(server: TestServer) {
    let world = World::new(&server).await;
    let (one, two) = (world.test(&server, "one").await, world.test(&server, "two").await);
    let id = world.set(&server, "smoke", &[(&one, 1), (&two, 2)]).await;
    let listed = server.admin().get(SETS).await;
    let set = &listed.body["simulation_unit_test_sets"][0];
    assert_eq!(set["id"], json!(id));
    assert_eq!(
        set["unit_test_runs"],
        json!([
            {"unit_test_id": one, "run_count": 1}, {"unit_test_id": two, "run_count": 2},
        ])
    );
    assert_eq!(set["tags"], json!([{"key": "when", "value": "night"}]));
    assert_eq!(
        (&set["last_triggered_run_id"], &set["is_deleted"]),
        (&json!(null), &json!(false))
    );
    assert_eq!(listed.body["filter_values"]["tags"], json!(["when"]));
    assert_eq!(
        listed.body["filter_values"]["unit_test_ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        server
            .admin()
            .post(SETS, set_body("smoke", &[(&one, 1)]))
            .await
            .status,
        409
    );

    let path = format!("{SETS}{id}");
    let changed = server
        .admin()
        .post(
            &path,
            json!({
                "name": "night", "description": {}, "unit_test_runs": [{"unit_test_id": two, "run_count": 4}],
            }),
        )
        .await;
    assert_eq!(changed.status, 204, "{}", changed.body);
    // With a trailing slash, too.
    assert_eq!(
        server
            .admin()
            .post(&format!("{path}/"), json!({"tags": {"when": null}}))
            .await
            .status,
        204
    );
    let set = server.admin().get(SETS).await.body["simulation_unit_test_sets"][0].clone();
    assert_eq!(
        (&set["name"], &set["description"]),
        (&json!("night"), &json!("What must not break."))
    );
    assert_eq!(
        set["unit_test_runs"],
        json!([{"unit_test_id": two, "run_count": 4}])
    );
    assert_eq!(
        server
            .admin()
            .post(&path, json!({"description": null}))
            .await
            .status,
        204
    );
    let set = server.admin().get(SETS).await.body["simulation_unit_test_sets"][0].clone();
    assert_eq!(set["description"], json!(null));
    let same = server.admin().post(&path, json!({"name": "night"})).await;
    assert_eq!((same.status.as_u16(), same.sequence()), (204, None));

    world.set(&server, "other", &[(&one, 1)]).await;
    assert_eq!(
        server.admin().post(&path, json!({"name": "other"})).await.status,
        409
    );
    let unknown = json!({"unit_test_runs": [{"unit_test_id": UNKNOWN_ID, "run_count": 1}]});
    assert_eq!(server.admin().post(&path, unknown).await.status, 404);
    assert_eq!(server.admin().delete(&path).await.status, 204);
    assert_eq!(server.admin().delete(&path).await.status, 404);
    assert_eq!(
        names(
            &server.admin().get(&format!("{SETS}?is_deleted=false")).await.body,
            "simulation_unit_test_sets"
        ),
        ["other"]
    );
    assert_eq!(
        names(
            &server
                .admin()
                .get(&format!("{SETS}?unit_test_id={two}"))
                .await
                .body,
            "simulation_unit_test_sets"
        ),
        ["night"]
    );
}

#[both_engines]
async fn a_set_holds_no_more_than_a_run_may(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "one").await;
    let refused = server
        .admin()
        .post(SETS, set_body("large", &[(&test, 1000), (&test, 1)]))
        .await;
    assert_invalid(&refused, &["body.unit_test_runs: too_many_conversations"]);
    let refused = server.admin().post(SETS, set_body("empty", &[])).await;
    assert_invalid(&refused, &["body.unit_test_runs: too_short"]);
    let refused = server.admin().post(SETS, set_body("none", &[(&test, 0)])).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        server
            .admin()
            .post(SETS, set_body("unknown", &[(UNKNOWN_ID, 1)]))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn sets_are_searched_and_seen_as_grants_say(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "one").await;
    world.set(&server, "night", &[(&test, 1)]).await;
    let created = server
        .admin()
        .post(
            SETS,
            with(set_body("day", &[(&test, 1)]), &json!({"description": null})),
        )
        .await;
    assert_eq!(created.status, 201);
    let search = async |query: &str| {
        names(
            &server.admin().get(&format!("{SETS}search/?{query}")).await.body,
            "simulation_unit_test_sets",
        )
    };
    assert_eq!(search("query=BREAK").await, ["night"]);
    assert_eq!(search("query=day").await, ["day"]);
    assert_eq!(
        search(&format!("query=y&unit_test_id={UNKNOWN_ID}")).await,
        Vec::<String>::new()
    );
    create_role(
        server.admin(),
        "Night-watch",
        vec![
            grant(
                "Simulation:GetSimulationUnitTestSet",
                &equals("simulation_unit_test_set_name", "night"),
            ),
            grant(
                "Simulation:ModifySimulationUnitTestSet",
                &equals("simulation_unit_test_set_name", "night"),
            ),
            any("Simulation:GetSimulationUnitTest"),
        ],
    )
    .await;
    let watch = member(&server, "Night-watch").await;
    assert_eq!(
        names(
            &watch.get(&format!("{SETS}?limit=1")).await.body,
            "simulation_unit_test_sets"
        ),
        ["night"]
    );
    let night = watch.get(SETS).await.body["simulation_unit_test_sets"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Nobody gives a thing a name out of their reach.
    assert_eq!(
        watch
            .post(&format!("{SETS}{night}"), json!({"name": "noon"}))
            .await
            .status,
        403
    );
    assert_eq!(
        watch
            .post(&format!("{SETS}{night}"), json!({"tags": {}}))
            .await
            .status,
        204
    );
    assert_eq!(watch.delete(&format!("{SETS}{night}")).await.status, 403);
}
