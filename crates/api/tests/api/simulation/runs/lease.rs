//! Leases of the conversations of a run, and servers that lose them.

use std::time::Duration;

use forge_app::simulations::unit_test_set_runs::work_off;
use forge_domain::Clock as _;
use forge_domain::access::DefaultRole;
use forge_domain::lease::Term;
use forge_domain::simulation::{Turns, UnitTestRunKey};
use forge_store::UnitTestRunLease;
use forge_testkit::{TestServer, both_engines};
use serde_json::json;

use super::{carry_out, run_id, shown, start};
use crate::simulation::{RUNS, World};
use crate::support::organization::organization;

/// Returns the conversation whose turn it is.
async fn next_to_do(server: &TestServer, turns: &mut Turns) -> Option<UnitTestRunKey> {
    let mut tx = server.app.store.read().await.unwrap();
    let now = server.clock.now();
    // Other tests have theirs in the same database.
    let only = organization(server);
    let runs = tx.list_unfinished_runs(Some(&only), now).await.unwrap();
    let next = turns.next(&runs)?;
    Some(UnitTestRunKey {
        organization: next.organization.clone(),
        run_id: next.run_id,
        number: next.to_do()?,
    })
}

fn named(key: &UnitTestRunKey, name: &str) -> UnitTestRunLease {
    UnitTestRunLease {
        key: key.clone(),
        name: name.to_owned(),
    }
}

/// Takes a conversation for half a minute; tells whether nobody else has it.
async fn claim(server: &TestServer, key: &UnitTestRunKey, lease: &str) -> bool {
    let term = Term::new(server.clock.now(), Duration::from_secs(30));
    let mut tx = server.app.store.write_run(&key.organization).await.unwrap();
    let is_claimed = tx.acquire_unit_test_run(&named(key, lease), term).await.unwrap();
    tx.commit().await.unwrap();
    is_claimed
}

#[both_engines]
async fn what_is_held_is_given_up_when_its_run_is_cancelled(database: TestDatabase) {
    // The persona thinks for longer than anybody waits before it answers the agent.
    let slow = json!([{"interaction": "simulate-user", "contains": "you said", "answer": "{\"message\": null}", "delay_ms": 50_000}]);
    let server = TestServer::scripted(database.engine, slow).await;
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let (app, organization) = (server.app.clone(), organization(&server));
    let begun = std::time::Instant::now();
    let holding = tokio::spawn(async move { work_off(&app, &organization, 1).await });
    let conversations = async || server.admin().get("conversation/").await.body["conversations"].clone();
    while conversations().await[0]["num_messages"].as_i64() < Some(2) {
        assert!(begun.elapsed().as_secs() < 30);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.admin().delete(&format!("{RUNS}{run}/")).await.status, 204);
    holding.await.unwrap().unwrap();
    assert!(begun.elapsed().as_secs() < 40, "the persona was waited for");
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["unit_test_run_results"][0]["passed"]),
        (&json!("cancelled"), &json!(0))
    );
    assert_eq!(conversations().await[0]["is_finished"], true);
}

#[both_engines]
async fn what_a_lost_server_held_is_begun_anew(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
    assert!(claim(&server, &key, "lost").await);
    // Nobody else takes it while it is believed to be held.
    assert!(!claim(&server, &key, "other").await);
    assert_eq!(next_to_do(&server, &mut Turns::default()).await, None);
    carry_out(&server).await;
    assert_eq!(shown(&server, &run).await["status"], "running");
    server.clock.advance_seconds(31);
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["unit_test_run_results"][0]["passed"]),
        (&json!("completed"), &json!(1))
    );
    // The one that was lost comes back and finds that it is not its own any more.
    let until = server.clock.now().plus_seconds(30);
    let mut tx = server.app.store.write_run(&key.organization).await.unwrap();
    let renewed = tx.renew_unit_test_run(&named(&key, "lost"), until).await;
    assert!(!renewed.unwrap());
}

#[both_engines]
async fn what_was_created_or_held_while_a_clock_was_ahead_is_held_at_once(server: TestServer) {
    const AHEAD: i64 = 1800;
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 3)]).await;
    server.clock.advance_seconds(AHEAD);
    let run = start(&server, &set).await;
    let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
    assert!(claim(&server, &key, "lost").await);
    server.clock.advance_seconds(-AHEAD);
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["errored"]),
        (&json!("completed"), &json!(false)),
        "{run:#}"
    );
}

#[both_engines]
async fn whoever_comes_later_does_not_wait_for_all_of_anothers_run(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let long = world.set(&server, "long", &[(&test, 9)]).await;
    let short = world.set(&server, "short", &[(&test, 2)]).await;
    let long = start(&server, &long).await;
    let mut turns = Turns::default();
    let mut held = Vec::new();
    let mut hold = async |held: &mut Vec<String>| {
        let key = next_to_do(&server, &mut turns).await.unwrap();
        assert!(claim(&server, &key, "held").await);
        held.push(key.run_id.to_string());
    };
    for _ in 0..4 {
        hold(&mut held).await;
    }
    let other = server.user(DefaultRole::Administrator).await;
    let created = other
        .post(RUNS, json!({"simulation_unit_test_set_id": short}))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let short = run_id(&created);
    for _ in 0..3 {
        hold(&mut held).await;
    }
    let expected = [&long, &long, &long, &long, &short, &short, &long];
    assert_eq!(held.iter().collect::<Vec<_>>(), expected);
}

#[both_engines]
async fn what_stops_servers_again_and_again_is_given_up(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    for _ in 0..3 {
        let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
        assert!(claim(&server, &key, "lost").await);
        server.clock.advance_seconds(31);
    }
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["errored"]),
        (&json!("completed"), &json!(true))
    );
    assert!(
        run["unit_test_run_results"][0]["run_errors"][0]
            .as_str()
            .unwrap()
            .contains("3 attempts")
    );
}
