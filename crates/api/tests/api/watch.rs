//! Following the changes of an organization.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use forge_api::Limits;
use forge_app::App;
use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestServer, agent_version, both_engines, limits, version_set};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::grants::any;
use crate::support::items::{persona, scenario};
use crate::support::users::user_with;

/// How long a message may take that has to come.
const SOON: Duration = Duration::from_secs(20);

/// A message of the stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    id: Option<i64>,
    event: Option<String>,
    data: Value,
}

/// Somebody who follows.
struct Stream {
    body: Body,
    unread: String,
}

impl Stream {
    async fn open(
        router: &Router,
        client: &TestClient,
        query: &str,
        last: Option<&str>,
    ) -> Result<Self, (StatusCode, Value)> {
        let mut request = Request::get(format!("/v1/{}/watch{query}", client.organization));
        if let Some(token) = &client.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            let bytes = body.collect().await.unwrap().to_bytes();
            return Err((parts.status, serde_json::from_slice(&bytes).unwrap()));
        }
        assert_eq!(parts.headers["content-type"], "text/event-stream");
        Ok(Self {
            body,
            unread: String::new(),
        })
    }

    /// Opens a stream of everything that the client may see from now on.
    async fn of(client: &TestClient) -> Self {
        Self::open(&client.router, client, "", None).await.unwrap()
    }

    /// Returns the next block of the stream, comments included; nothing when the stream is over.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let block = block.to_owned();
                let rest = rest.to_owned();
                self.unread = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Returns the next line, that of a comment too.
    async fn line(&mut self) -> String {
        loop {
            if let Some((line, rest)) = self.unread.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.unread = rest;
                return line;
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap();
            let data = frame.unwrap().unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Returns the next message that tells of something; nothing when the stream is over.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.message().await?;
            if message.event.as_deref() != Some("progress") {
                return Some(message);
            }
        }
    }

    /// Returns the next message with content; nothing when the stream is over.
    async fn message(&mut self) -> Option<Message> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
            };
            if let Some(data) = field("data") {
                return Some(Message {
                    id: field("id").map(|id| id.parse().unwrap()),
                    event: field("event"),
                    data: serde_json::from_str(&data).unwrap(),
                });
            }
        }
    }

    async fn change(&mut self) -> Message {
        let message = self.next().await.unwrap();
        assert_eq!(message.event.as_deref(), Some("change"), "{message:?}");
        assert_eq!(message.id, message.data["sequence"].as_i64());
        message
    }
}

async fn put(client: &TestClient, service: &str, set: &str, agent: i64) -> i64 {
    let body = json!({"version_set": version_set(agent, 1)});
    let answer = client
        .put(&format!("service/{service}/version_sets/{set}/"), body)
        .await;
    answer
        .sequence()
        .unwrap_or_else(|| panic!("{} {}", answer.status, answer.body))
}

/// Returns the same server without what it has in memory.
fn forgetful(server: &TestServer, limits: Limits) -> Router {
    let app = App {
        snapshots: std::sync::Arc::default(),
        ..server.app.clone()
    };
    forge_api::router(app, limits)
}

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

#[both_engines]
async fn only_what_the_watcher_may_see_is_told_as_of_each_change(server: TestServer) {
    let admin = server.admin();
    let (seen, hidden) = (server.service(2).await, server.service(2).await);
    let grants = |service: &str| {
        json!([{
            "permission_name": "Service:GetVersionSet",
            "conditions": {"service_id": {"type": "Equals", "value": service}},
        }])
    };
    let role = json!({
        "role_name": "Watcher", "description": "d", "frontend_view": "client", "inherited_from": null,
        "permission_grants": grants(&seen),
    });
    assert_eq!(admin.post("role/", role).await.status, 201);
    let watcher = server.user(DefaultRole::User).await;
    let assigned = admin
        .post("role/Watcher/assign", json!({"user_id": watcher.user_id}))
        .await;
    assert!(assigned.status.is_success(), "{}", assigned.body);

    let mut stream = Stream::of(&watcher).await;
    put(admin, &hidden, "test", 1).await;
    let first = put(admin, &seen, "test", 1).await;
    assert_eq!(stream.change().await.id, Some(first));
    let modified = admin
        .post("role/Watcher", json!({"permission_grants": grants(&hidden)}))
        .await;
    assert!(modified.status.is_success(), "{}", modified.body);
    put(admin, &seen, "test", 2).await;
    let second = put(admin, &hidden, "test", 2).await;
    assert_eq!(stream.change().await.id, Some(second));
    let modified = admin.post("role/Watcher", json!({"permission_grants": []})).await;
    assert!(modified.status.is_success(), "{}", modified.body);
    let end = stream.next().await.unwrap();
    assert_eq!(end.event.as_deref(), Some("end"), "{end:?}");
    assert_eq!(stream.next().await, None);
}

#[both_engines]
async fn changes_of_items_are_told_to_those_who_may_read_them(server: TestServer) {
    // Nobody watches who may not see any set.
    let grants = ["Service:GetVersionSet", "Simulation:GetSimulationPersona"].map(any);
    let watcher = user_with(&server, "Watcher", grants.to_vec()).await;
    let mut stream = Stream::of(&watcher).await;
    scenario(&server, "Refund").await;
    let persona = persona(&server, "Ada").await;
    let told = stream.change().await;
    assert!(told.data.to_string().contains(&persona), "{told:?}");
    assert!(told.data.to_string().contains("simulation_persona"), "{told:?}");
}

#[both_engines]
async fn a_stream_ends_with_its_token(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let mut stream = Stream::open(&router, server.admin(), "", None).await.unwrap();
    server.clock.advance_seconds(3601);
    let end = stream.next().await.unwrap();
    assert_eq!(end.event.as_deref(), Some("end"));
    assert!(
        end.data["reason"].as_str().unwrap().contains("sign in again"),
        "{end:?}"
    );
    assert_eq!(stream.next().await, None);
}

#[both_engines]
async fn every_message_has_content_and_tells_how_far_the_reader_is(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let (service, other) = (server.service(2).await, server.service(1).await);
    let query = format!("?service_id={other}");
    let mut stream = Stream::open(&router, server.admin(), &query, None).await.unwrap();
    let begun = stream.message().await.unwrap();
    assert_eq!(
        (begun.event.as_deref(), &begun.data["sequence"]),
        (Some("progress"), &json!(begun.id.unwrap()))
    );
    // What is not told moves the place all the same.
    for agent in [1, 2] {
        let last = put(server.admin(), &service, "test", agent).await;
        let block = stream.block().await.unwrap();
        let lines: Vec<&str> = block.lines().skip_while(|line| line.starts_with(':')).collect();
        let data = format!("data: {{\"sequence\":{last}}}");
        assert_eq!(lines, [&*format!("id: {last}"), "event: progress", &*data]);
    }
    let mut again = Stream::open(
        &router,
        server.admin(),
        &query,
        Some(&begun.id.unwrap().to_string()),
    )
    .await
    .unwrap();
    assert_eq!(again.message().await.unwrap().id, begun.id);
    let told = put(server.admin(), &other, "test", 1).await;
    assert_eq!(again.change().await.id, Some(told));
}

#[both_engines]
async fn a_silent_stream_gives_signs_of_life_that_end_no_message(server: TestServer) {
    let quick = Limits {
        heartbeat: Duration::from_millis(20),
        ..limits()
    };
    let router = server.router_with(quick);
    let mut stream = Stream::open(&router, server.admin(), "", None).await.unwrap();
    stream.block().await.unwrap();
    for _ in 0..2 {
        assert!(stream.line().await.starts_with(": "));
    }
}

#[both_engines]
async fn a_slow_reader_is_cut_off(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let impatient = Limits {
        write_timeout: Duration::from_millis(50),
        ..limits()
    };
    let router = server.router_with(impatient);
    let mut stream = Stream::open(&router, admin, "", None).await.unwrap();
    let mut told = vec![stream.message().await.unwrap().id.unwrap()];
    let mut last = 0;
    for round in 0..40 {
        last = put(admin, &service, "test", 1 + round % 2).await;
        // Each change by itself: those that come together are told in one message.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    while let Some(message) = stream.next().await {
        told.push(message.id.unwrap());
    }
    let reached = *told.last().unwrap();
    assert!(
        reached < last,
        "what the reader did not take is not kept: {told:?}, {last}"
    );
    // And nothing is lost by it.
    let mut stream = Stream::open(&router, admin, "", Some(&reached.to_string()))
        .await
        .unwrap();
    assert_eq!(stream.change().await.id, Some(reached + 1));
}

#[both_engines]
async fn whoever_missed_much_is_told_it_part_by_part(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let first = put(admin, &service, "test", 1).await;
    let mut last = first;
    for round in 1..300 {
        last = put(admin, &service, "test", 1 + round % 2).await;
    }
    // From the database, and from memory.
    for router in [forgetful(&server, limits()), admin.router.clone()] {
        let query = format!("?after={}", first - 1);
        let mut stream = Stream::open(&router, admin, &query, None).await.unwrap();
        let mut told = Vec::new();
        while told.last() != Some(&last) {
            let frame = tokio::time::timeout(SOON, stream.body.frame()).await.unwrap();
            let part = String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap();
            assert!(part.len() < 80_000, "{}", part.len());
            let is_change = |block: &&str| block.contains("event: change");
            let id = |block: &str| block.strip_prefix("id: ")?.lines().next()?.parse::<i64>().ok();
            told.extend(part.split("\n\n").filter(is_change).filter_map(id));
        }
        assert_eq!(told, (first..=last).collect::<Vec<_>>());
    }
}

#[both_engines]
async fn a_user_follows_with_so_many_streams_and_no_more(server: TestServer) {
    let admin = server.admin();
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(Stream::of(admin).await);
    }
    let Err((status, body)) = Stream::open(&admin.router, admin, "", None).await else {
        panic!("one more was opened");
    };
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        body["detail"].as_str().unwrap().contains("too many streams"),
        "{body}"
    );
    let other = server.user(DefaultRole::Administrator).await;
    Stream::of(&other).await;
    streams.pop();
    // Its server notices soon.
    let again = async {
        while Stream::open(&admin.router, admin, "", None).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, again).await.unwrap();
}

#[both_engines]
async fn under_concurrent_writes_no_change_is_missed_or_told_twice(server: TestServer) {
    const WRITERS: i64 = 6;
    const WRITES: i64 = 25;
    let (admin, service) = (server.admin().clone(), server.service(2).await);
    let mut stream = Stream::of(&admin).await;
    let first = put(&admin, &service, "test", 1).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (admin, service) = (admin.clone(), service.clone());
            tokio::spawn(async move {
                for round in 0..WRITES {
                    put(&admin, &service, &format!("personal-{writer}"), 1 + round % 2).await;
                }
            })
        })
        .collect();
    let last = first + WRITERS * WRITES;
    let mut told = Vec::new();
    while told.last() != Some(&last) {
        // The reader loses its connection every now and then, and comes back.
        if told.len() % 17 == 16 {
            let seen = told.last().map(i64::to_string);
            stream = Stream::open(&admin.router, &admin, "", seen.as_deref())
                .await
                .unwrap();
        }
        told.push(stream.change().await.id.unwrap());
    }
    assert_eq!(told, (first..=last).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap();
    }
}
