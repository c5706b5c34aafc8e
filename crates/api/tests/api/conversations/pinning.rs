//! A conversation goes on with what it started with, whatever happens to the set, its versions and the server.

use std::sync::Arc;

use forge_app::{App, Environment, OpenMode, Store};
use forge_testkit::{Engine, TestClient, TestDatabase, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::{create, finish, listed, say};

/// A conversation in a service whose `test` pins agent 1 and graph 1, of two versions each.
struct Pinned {
    client: TestClient,
    service: String,
    conversation: String,
    info: Value,
}

/// The second version of the graph calls its states otherwise: what an interaction says shows which one it walks.
async fn pinned(server: &TestServer) -> Pinned {
    let client = server.admin().clone();
    let agent = server.agent(2).await;
    let graph = server.context_graph(1).await;
    let text = forge_testkit::context_graph_version().to_string();
    let other = serde_json::from_str(&text.replace("welcome_patient", "greet_patient")).unwrap();
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    assert_eq!(client.post(&path, other).await.status, 201);
    let body = forge_testkit::service_body(&format!("Care {graph}"), &agent, &graph);
    let service = client.post("service/", body).await.id();
    let model = json!({"engage-user": {"llm_name": "openai_gpt-5.5-2026-04-23", "params": {}}});
    put(
        &client,
        &service,
        "test",
        json!({"agent_version_number": 1,
        "service_hierarchical_state_machine_version_number": 1, "llm_model_preferences": model}),
    )
    .await;
    let started = create(&client, &service, json!({"service_version_set_name": "test"})).await;
    assert_eq!(started.message(), "Hello from welcome_patient.");
    let conversation = started.conversation();
    let info = listed(&client, &conversation).await.unwrap()["version_set_info"].clone();
    assert_eq!(
        info,
        json!({
            "name": "test", "revision": 1, "agent_version_info": [agent, 1],
            "service_hierarchical_state_machine_version_info": [graph, 1], "llm_model_preferences": model,
        })
    );
    Pinned {
        client,
        service,
        conversation,
        info,
    }
}

async fn put(client: &TestClient, service: &str, set: &str, pins: Value) {
    let path = format!("service/{service}/version_sets/{set}/");
    let answer = client.put(&path, json!({"version_set": pins})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

impl Pinned {
    /// Talks on, and looks whether everything is as it was at the beginning.
    async fn goes_on(&self) {
        self.goes_on_for(&self.client).await;
    }

    async fn goes_on_for(&self, client: &TestClient) {
        let told = say(client, &self.conversation, "Still there?").await;
        assert_eq!(told.message(), "In welcome_patient, you said: Still there?");
        let row = listed(client, &self.conversation).await.unwrap();
        assert_eq!(row["version_set_info"], self.info);
        let path = format!(
            "conversation/{}/interaction/{}/insights",
            self.conversation,
            told.interaction()
        );
        let insights = client.get(&path).await.body;
        assert_eq!(insights["current_state_name"], "welcome_patient");
        let calls = insights["model_calls"].as_array().unwrap();
        let spoken = calls
            .iter()
            .find(|call| call["interaction"] == "engage-user")
            .unwrap();
        assert_eq!(spoken["model"], "openai_gpt-5.5-2026-04-23");
    }

    fn sets(&self) -> String {
        format!("service/{}/version_sets", self.service)
    }

    fn id(&self, field: &str) -> String {
        self.info[field][0].as_str().unwrap().to_owned()
    }
}

#[both_engines]
async fn a_promotion_into_its_set(server: TestServer) {
    let pinned = pinned(&server).await;
    put(&pinned.client, &pinned.service, "preview", version_set(2, 2)).await;
    let path = format!("{}/test/promote", pinned.sets());
    let promoted = pinned.client.post(&path, json!({"source": "preview"})).await;
    assert_eq!(promoted.status, 200, "{}", promoted.body);
    pinned.goes_on().await;
    finish(&pinned.client, &pinned.conversation).await;
    let next = create(
        &pinned.client,
        &pinned.service,
        json!({"service_version_set_name": "test"}),
    )
    .await;
    let row = listed(&pinned.client, &next.conversation()).await.unwrap();
    assert_eq!(
        row["version_set_info"]["revision"], 2,
        "the next one starts with the new versions"
    );
    assert!(
        say(&pinned.client, &next.conversation(), "x")
            .await
            .message()
            .contains("greet_patient")
    );
}

#[both_engines]
async fn a_rollback_of_its_set(server: TestServer) {
    let pinned = pinned(&server).await;
    put(&pinned.client, &pinned.service, "test", version_set(2, 2)).await;
    let second = server
        .user(forge_domain::access::DefaultRole::Administrator)
        .await;
    let later = create(
        &second,
        &pinned.service,
        json!({"service_version_set_name": "test"}),
    )
    .await
    .conversation();
    let rolled_back = pinned
        .client
        .post(&format!("{}/test/rollback", pinned.sets()), json!({}))
        .await;
    assert_eq!(rolled_back.status, 200, "{}", rolled_back.body);
    pinned.goes_on().await;
    assert!(
        say(&second, &later, "x")
            .await
            .message()
            .contains("greet_patient"),
        "what was undone runs on, too"
    );
}

#[both_engines]
async fn the_deletion_of_its_set(server: TestServer) {
    let pinned = pinned(&server).await;
    assert_eq!(
        pinned
            .client
            .delete(&format!("{}/test/", pinned.sets()))
            .await
            .status,
        204
    );
    pinned.goes_on().await;
}

#[both_engines]
async fn the_deactivation_of_its_service_and_the_deprecation_of_its_agent_and_graph(server: TestServer) {
    let pinned = pinned(&server).await;
    let service = format!("service/{}/", pinned.service);
    assert_eq!(
        pinned
            .client
            .post(&service, json!({"is_active": false}))
            .await
            .status,
        200
    );
    let agent = format!("organization/agent/{}/", pinned.id("agent_version_info"));
    let graph = format!(
        "organization/service_hierarchical_state_machine/{}/",
        pinned.id("service_hierarchical_state_machine_version_info")
    );
    for path in [agent, graph] {
        let deprecated = pinned.client.delete(&path).await;
        assert_eq!(deprecated.status, 200, "{}", deprecated.body);
    }
    pinned.goes_on().await;
}

#[both_engines]
async fn a_yank_of_its_versions(server: TestServer) {
    let pinned = pinned(&server).await;
    let agent = format!("organization/agent/{}", pinned.id("agent_version_info"));
    let graph = format!(
        "organization/service_hierarchical_state_machine/{}",
        pinned.id("service_hierarchical_state_machine_version_info")
    );
    for asset in [agent, graph] {
        let yanked = pinned
            .client
            .post(
                &format!("{asset}/version/1/yank"),
                json!({"reason": "It is rude."}),
            )
            .await;
        assert_eq!(yanked.status, 200, "{}", yanked.body);
        assert_eq!(yanked.body["references"]["running_conversations"], 1);
    }
    pinned.goes_on().await;
}

#[both_engines]
async fn a_new_version_where_its_set_floats(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({"service_version_set_name": "edge"}))
        .await
        .conversation();
    let info = listed(admin, &id).await.unwrap()["version_set_info"].clone();
    let agent = info["agent_version_info"][0].as_str().unwrap();
    let path = format!("organization/agent/{agent}/");
    assert_eq!(
        admin.post(&path, forge_testkit::agent_version()).await.status,
        201
    );
    assert_eq!(say(admin, &id, "x").await.status, 200);
    assert_eq!(listed(admin, &id).await.unwrap()["version_set_info"], info);
}

#[both_engines]
async fn a_restart_of_the_server(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let pinned = pinned(&server).await;
    put(&pinned.client, &pinned.service, "test", version_set(2, 2)).await;
    server.app.store.close().await;
    let again = restarted(server, pinned, &database).await;
    again.goes_on().await;
}

#[both_engines]
async fn running_conversations_are_counted_by_revision(server: TestServer) {
    let pinned = pinned(&server).await;
    let client = &pinned.client;
    put(client, &pinned.service, "test", version_set(1, 2)).await;
    let second = server
        .user(forge_domain::access::DefaultRole::Administrator)
        .await;
    let later = create(
        &second,
        &pinned.service,
        json!({"service_version_set_name": "test"}),
    )
    .await
    .conversation();
    let running = async || {
        let set = client.get(&format!("{}/test/", pinned.sets())).await.body;
        let health = client
            .get(&format!("service/{}/health", pinned.service))
            .await
            .body;
        let sets = health["version_sets"].as_array().unwrap().iter();
        let test = sets
            .filter(|set| set["name"] == "test")
            .map(|set| set["running_revisions"].clone());
        let agent = pinned.id("agent_version_info");
        let references = client
            .get(&format!("organization/agent/{agent}/version/1/references"))
            .await
            .body;
        (
            set["running_conversations"].clone(),
            test.collect::<Vec<_>>(),
            references["running_revisions"].clone(),
        )
    };
    let one = |revision: i64| json!({"revision": revision, "running_conversations": 1});
    let of = |revision: i64| {
        json!({"service_id": pinned.service, "version_set_name": "test",
        "revision": revision, "running_conversations": 1})
    };
    assert_eq!(
        running().await,
        (json!(2), vec![json!([one(1), one(2)])], json!([of(1), of(2)]))
    );
    let listed = client.get(&format!("{}/", pinned.sets())).await.body;
    let release = listed["version_sets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|set| set["name"] == "release");
    assert_eq!(release.unwrap()["running_conversations"], 0);
    finish(client, &pinned.conversation).await;
    assert_eq!(running().await, (json!(1), vec![json!([one(2)])], json!([of(2)])));
    client.delete(&format!("conversation/{later}/")).await;
    assert_eq!(running().await, (json!(0), vec![json!([])], json!([])));
}

/// Returns the same conversation on a server that was started after the first one was gone.
async fn restarted(server: TestServer, pinned: Pinned, database: &TestDatabase) -> Pinned {
    let environment = Environment {
        snapshots: Arc::default(),
        ..Environment::clone(&server.app)
    };
    let TestClient {
        router,
        organization,
        user_id,
        token,
    } = pinned.client;
    drop(router);
    drop(server);
    let store = Store::open(&database.url, OpenMode::MustExist).await.unwrap();
    let app = App::new(store, environment);
    let router = forge_api::Router::new(app, forge_testkit::limits());
    Pinned {
        client: TestClient {
            router,
            organization,
            user_id,
            token,
        },
        ..pinned
    }
}

/// Returns a client of another server on the same database.
async fn beside(server: &TestServer, database: &TestDatabase) -> TestClient {
    let environment = Environment {
        snapshots: Arc::default(),
        ..Environment::clone(&server.app)
    };
    let store = Store::open(&database.url, OpenMode::MustExist).await.unwrap();
    let app = App::new(store, environment);
    TestClient {
        router: forge_api::Router::new(app, forge_testkit::limits()),
        ..server.admin().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_on_the_same_database() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let database = TestDatabase::start(Engine::Postgres).await;
    let server = TestServer::alone(&database).await;
    let pinned = pinned(&server).await;
    let other = beside(&server, &database).await;
    pinned.goes_on_for(&other).await;
    put(&other, &pinned.service, "test", version_set(2, 2)).await;
    pinned.goes_on().await;
    pinned.goes_on_for(&other).await;
    let one = say(&pinned.client, &pinned.conversation, "a");
    let two = say(&other, &pinned.conversation, "b");
    let (one, two) = tokio::join!(one, two);
    assert!([one.status, two.status].contains(&axum::http::StatusCode::OK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_server_has_put_in_force_is_what_the_next_one_begins_with() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let database = TestDatabase::start(Engine::Postgres).await;
    let server = TestServer::alone(&database).await;
    let pinned = pinned(&server).await;
    let other = beside(&server, &database).await;
    // The other server knows what the set means, and hears of no change: nothing tells it.
    pinned.goes_on_for(&other).await;
    assert_eq!(finish(&other, &pinned.conversation).await.status, 204);
    put(&pinned.client, &pinned.service, "test", version_set(2, 2)).await;
    let test = json!({"service_version_set_name": "test"});
    let started = create(&other, &pinned.service, test).await;
    let row = listed(&other, &started.conversation()).await.unwrap();
    assert_eq!(row["version_set_info"]["revision"], 2);
    assert_eq!(started.message(), "Hello from greet_patient.");
}
