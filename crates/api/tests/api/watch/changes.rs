//! Which changes a watcher is told of.

use forge_testkit::{agent_version, both_engines, limits};
use serde_json::json;

use super::{Stream, forgetful, put};

#[both_engines]
async fn a_change_is_told_as_it_happens(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let mut stream = Stream::of(admin).await;
    let sequence = put(admin, &service, "preview", 1).await;
    let path = format!("service/{service}/version_sets/release/promote");
    let promoted = admin.post(&path, json!({"source": "preview"})).await;
    let change = stream.change().await;
    assert_eq!(change.id, Some(sequence));
    assert_eq!(
        change.data["events"],
        json!([{
            "action": "create",
            "object": {"kind": "version_set", "id": format!("{service}/preview")},
            "actor": server.admin_actor(),
            "service_id": service,
            "version_set_name": "preview",
            "revision": 1,
        }])
    );
    let change = stream.change().await;
    assert_eq!(
        (change.id, &change.data["events"][0]["action"]),
        (promoted.sequence(), &json!("promote"))
    );
    assert_eq!(change.data["events"][0]["revision"], json!(2));
}

#[both_engines]
async fn a_change_of_several_services_is_told_once(server: TestServer) {
    let admin = server.admin();
    let services = [server.service(1).await, server.service(1).await];
    for service in &services {
        put(admin, service, "preview", 1).await;
    }
    let mut stream = Stream::of(admin).await;
    let promotions = services
        .each_ref()
        .map(|service| json!({"service_id": service, "source": "preview", "target": "release"}));
    let done = admin.post("promotion", json!({"promotions": promotions})).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let change = stream.change().await;
    assert_eq!(change.id, done.sequence());
    assert_eq!(change.data["events"].as_array().unwrap().len(), 2);
}

#[both_engines]
async fn whoever_comes_back_is_told_what_they_missed(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let mut sequences = Vec::new();
    for round in 0..6 {
        sequences.push(put(admin, &service, "test", 1 + round % 2).await);
    }
    for router in [admin.router.clone(), forgetful(&server, limits())] {
        let last = sequences[1].to_string();
        let by_header = Stream::open(&router, admin, "", Some(&last)).await.unwrap();
        let by_query = Stream::open(&router, admin, &format!("?after={last}"), None)
            .await
            .unwrap();
        for mut stream in [by_header, by_query] {
            for sequence in &sequences[2..] {
                assert_eq!(stream.change().await.id, Some(*sequence));
            }
        }
    }
}

#[both_engines]
async fn a_place_where_nobody_can_have_been_is_refused(server: TestServer) {
    let admin = server.admin();
    for (last, fault) in [("999999", "in_the_future"), ("x", "invalid"), ("-1", "invalid")] {
        let (status, body) = Stream::open(&admin.router, admin, "", Some(last))
            .await
            .err()
            .unwrap();
        assert_eq!(
            (status.as_u16(), &body["detail"][0]["type"]),
            (422, &json!(fault)),
            "{last}"
        );
    }
}

#[both_engines]
async fn only_what_concerns_the_services_asked_for_is_told(server: TestServer) {
    let admin = server.admin();
    let (mine, other) = (server.service(1).await, server.service(1).await);
    let agent_of = async |service: &str| {
        let found = admin.get(&format!("service/?id={service}")).await;
        found.body["services"][0]["agent_id"].as_str().unwrap().to_owned()
    };
    let query = format!("?service_id={mine}");
    let mut stream = Stream::open(&admin.router, admin, &query, None).await.unwrap();
    put(admin, &other, "test", 1).await;
    let version = |initials: &str| {
        let mut version = agent_version();
        version["initials"] = json!(initials);
        version
    };
    let theirs = agent_of(&other).await;
    admin
        .post(&format!("organization/agent/{theirs}/"), version("XY"))
        .await;
    let ours = agent_of(&mine).await;
    let created = admin
        .post(&format!("organization/agent/{ours}/"), version("XY"))
        .await;
    let sequence = put(admin, &mine, "test", 1).await;
    let change = stream.change().await;
    assert_eq!(
        change.id,
        created.sequence(),
        "a new version of its agent concerns a service: edge means it"
    );
    assert_eq!(change.data["events"][0]["action"], json!("create_version"));
    assert_eq!(stream.change().await.id, Some(sequence));
}
