//! What only scenarios have.

use forge_app::items::find_latest;
use forge_domain::simulation::ScenarioDetails;
use forge_testkit::both_engines;
use serde_json::json;

use crate::support::assertions::assert_invalid_at;
use crate::support::items::{SCENARIO, scenario_version};
use crate::support::organization::organization;

#[both_engines]
async fn a_scenario_may_say_when_it_takes_place(server: TestServer) {
    let id = SCENARIO.named(&server, "Refund").await;
    let path = format!("simulation/scenario/{id}/version/");
    let mut body = scenario_version();
    body["conversation_starts_at"] = json!("2027-01-01T01:00:00+01:00");
    body["initial_message_type"] = json!("skip");
    assert_eq!(server.admin().post(&path, body.clone()).await.status, 201);
    let listed = server.admin().get(&path).await;
    let versions = &listed.body["simulation_scenario_versions"];
    assert_eq!(versions[0]["conversation_starts_at"], json!(null));
    assert_eq!(versions[1]["conversation_starts_at"], "2027-01-01T00:00:00.000Z");
    assert_eq!(versions[1]["initial_message_type"], "skip");
    let mut tx = server.app.store.read().await.unwrap();
    let (item, document) =
        find_latest::<ScenarioDetails>(&server.app, &mut tx, &organization(&server), id.parse().unwrap())
            .await
            .unwrap();
    assert_eq!(
        (item.latest_version.get(), document.objective.as_str()),
        (2, "Get the money back.")
    );
    drop(tx);
    for (field, value) in [
        ("conversation_starts_at", json!("tomorrow")),
        ("conversation_starts_at", json!("2027-01-01T00:00:00")),
        ("initial_message_type", json!("song")),
        ("objective", json!(" ")),
    ] {
        let mut body = scenario_version();
        body[field] = value;
        assert_invalid_at(&server.admin().post(&path, body).await, &format!("body.{field}"));
    }
}

#[both_engines]
async fn deleted_scenarios_are_listed_unless_one_says_otherwise(server: TestServer) {
    let id = SCENARIO.named(&server, "Refund").await;
    assert_eq!(
        server
            .admin()
            .delete(&format!("simulation/scenario/{id}/"))
            .await
            .status,
        204
    );
    assert_eq!(SCENARIO.names(&server, "").await, ["Refund"]);
    assert_eq!(
        SCENARIO.names(&server, "?is_deleted=false").await,
        Vec::<String>::new()
    );
    assert_eq!(SCENARIO.shown(&server, &id).await["is_deleted"], true);
}
