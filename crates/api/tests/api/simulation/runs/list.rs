//! The list of runs, and who sees what of it.

use forge_testkit::both_engines;
use serde_json::json;

use super::{carry_out, shown, start};
use crate::simulation::{RUNS, World};
use crate::support::grants::{create_role, equals, grant};
use crate::support::users::member;

#[both_engines]
async fn what_is_told_of_a_run_depends_on_grants(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let (day, night) = (
        world.set(&server, "day", &[(&test, 1)]).await,
        world.set(&server, "night", &[(&test, 1)]).await,
    );
    let (day, night) = (start(&server, &day).await, start(&server, &night).await);
    carry_out(&server).await;
    let see = |set: &str| {
        grant(
            "Simulation:GetSimulationUnitTestSetRun",
            &equals("simulation_unit_test_set_name", set),
        )
    };
    create_role(server.admin(), "Looks", vec![see("day")]).await;
    create_role(
        server.admin(),
        "Reads",
        vec![
            see("day"),
            grant("Simulation:GetSimulationUnitTestSet", &json!({})),
        ],
    )
    .await;
    create_role(
        server.admin(),
        "Knows",
        vec![
            see("day"),
            grant("Simulation:GetSimulationUnitTestSet", &json!({})),
            grant("Simulation:GetSimulationUnitTest", &json!({})),
        ],
    )
    .await;
    for (role, with_specs, with_parts) in [
        ("Looks", false, false),
        ("Reads", true, false),
        ("Knows", true, true),
    ] {
        let user = member(&server, role).await;
        let listed = user.get(&format!("{RUNS}?limit=1")).await;
        let runs = listed.body["simulation_unit_test_set_runs"].as_array().unwrap();
        assert_eq!(
            (runs.len(), &runs[0]["id"], &listed.body["has_more"]),
            (1, &json!(day), &json!(false)),
            "{role}"
        );
        let specs = runs[0]["unit_test_run_specs"].as_array().unwrap();
        assert_eq!(specs.len(), usize::from(with_specs), "{role}");
        if with_specs {
            assert_eq!(specs[0]["persona_version_info"].is_array(), with_parts, "{role}");
            assert_eq!(
                specs[0]["metrics_to_evaluate"].as_array().unwrap().len(),
                usize::from(with_parts)
            );
            let metrics = &runs[0]["unit_test_run_results"][0]["metric_evaluation_results"];
            assert_eq!(metrics.as_array().unwrap().len(), usize::from(with_parts));
        }
        assert_eq!(user.delete(&format!("{RUNS}{day}/")).await.status, 403);
        // A transcript tells of the context graph.
        assert_eq!(user.get(&format!("{RUNS}{day}/artifacts/")).await.status, 403);
        assert_eq!(user.get(&format!("{RUNS}{night}/artifacts/")).await.status, 403);
    }
}

#[both_engines]
async fn runs_are_filtered_sorted_and_paged(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let (one, two) = (
        world.set(&server, "one", &[(&test, 1)]).await,
        world.set(&server, "two", &[(&test, 1)]).await,
    );
    let first = start(&server, &one).await;
    carry_out(&server).await;
    server.clock.advance_seconds(10);
    let second = start(&server, &two).await;
    let list = async |query: &str| -> Vec<String> {
        let listed = server.admin().get(&format!("{RUNS}?{query}")).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.body);
        let runs = listed.body["simulation_unit_test_set_runs"].as_array().unwrap();
        runs.iter()
            .map(|run| run["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let created = shown(&server, &second).await["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    for (query, expected) in [
        (String::new(), vec![&first, &second]),
        ("sort_by=-created_at".into(), vec![&second, &first]),
        (format!("simulation_unit_test_set_id={two}"), vec![&second]),
        ("is_completed=true".into(), vec![&first]),
        ("is_completed=false".into(), vec![&second]),
        ("errored=true".into(), vec![]),
        ("failed_metrics=false".into(), vec![&first, &second]),
        (format!("created_after={created}"), vec![&second]),
        (format!("created_before={created}"), vec![&first, &second]),
        (format!("creator={},nobody", server.admin().organization), vec![]),
    ] {
        assert_eq!(
            list(&query).await,
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    let page = server
        .admin()
        .get(&format!("{RUNS}?limit=1&sort_by=-created_at"))
        .await;
    assert_eq!(
        page.body["filter_values"]["simulation_unit_test_set_ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let token = page.body["continuation_token"].as_i64().unwrap();
    assert_eq!(
        list(&format!("limit=1&sort_by=-created_at&continuation_token={token}")).await,
        [first]
    );
    assert_eq!(
        server.admin().get(&format!("{RUNS}?sort_by=id")).await.status,
        422
    );
    assert_eq!(
        server
            .admin()
            .get(&format!("{RUNS}?continuation_token=77"))
            .await
            .status,
        422
    );
}
