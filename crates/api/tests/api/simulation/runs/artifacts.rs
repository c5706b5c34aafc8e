//! Downloading what a run left.

use forge_testkit::both_engines;
use serde_json::json;

use super::{carry_out, start};
use crate::simulation::{RUNS, World};
use crate::support::assertions::assert_refused;
use crate::support::ids::UNKNOWN_ID;

#[both_engines]
async fn artifacts_are_downloaded_by_a_link_that_ends(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let path = format!("{RUNS}{run}/artifacts/");
    assert_refused(&server.admin().get(&path).await, &[&run, "in progress"]);
    carry_out(&server).await;
    let link = server.admin().get(&path).await;
    assert_eq!(link.status, 200, "{}", link.body);
    let url = link.body["presigned_url"].as_str().unwrap();
    let (_, download) = url
        .split_once(&format!("/v1/{}/", server.admin().organization))
        .unwrap();
    let anybody = forge_testkit::TestClient {
        token: None,
        ..server.admin().clone()
    };
    let artifacts = anybody.get(download).await;
    assert_eq!(artifacts.status, 200, "{}", artifacts.body);
    let conversation = &artifacts.body["conversations"][0];
    assert_eq!(
        (&conversation["unit_test_name"], &conversation["state"]),
        (&json!("kind"), &json!("judged"))
    );
    assert!(
        conversation["messages"].as_array().unwrap().len() >= 2,
        "{conversation:#}"
    );
    assert_eq!(conversation["verdicts"][0]["passed"], true);
    assert_ne!(conversation["verdicts"][0]["justification"], "");
    // It is of this run and of this organization only.
    let other = download.replace(&run, UNKNOWN_ID);
    assert_eq!(anybody.get(&other).await.status, 401);
    let stranger = forge_testkit::TestClient {
        token: None,
        ..server.stranger().clone()
    };
    assert_eq!(stranger.get(download).await.status, 401);
    assert_eq!(anybody.get(&download[..download.len() - 4]).await.status, 401);
    server.clock.advance_seconds(3601);
    assert_eq!(anybody.get(download).await.status, 401);
}
