//! Two servers on one database.

use std::sync::Arc;

use axum::http::Method;
use forge_app::snapshot::follow;
use forge_app::{App, Environment, OpenMode, Store};
use forge_domain::access::DefaultRole;
use forge_testkit::{Engine, TestClient, TestDatabase, TestServer};
use serde_json::{Value, json};

use super::{SOON, eventually, put, resolve, resolved_agent, sets, with_sequence};
use crate::support::organization::{create_in, organization_body};

/// Returns another server on the same database, and a client of it with the credentials of the first server's.
async fn second_server(server: &TestServer, database: &TestDatabase) -> (App, TestClient) {
    let environment = Environment {
        snapshots: Arc::default(),
        ..Environment::clone(&server.app)
    };
    let store = Store::open(&database.url, OpenMode::MustExist).await.unwrap();
    let app = App::new(store, environment);
    let router = forge_api::Router::new(app.clone(), forge_testkit::limits());
    let client = TestClient {
        router,
        ..server.admin().clone()
    };
    (app, client)
}

/// Two servers on one database, each with a store of its own.
struct TwoServers {
    server: TestServer,
    app: App,
    other: TestClient,
    /// It is gone as soon as nothing holds it.
    _database: TestDatabase,
}

impl TwoServers {
    /// Returns `None` if there is no database that two servers can share.
    async fn start() -> Option<Self> {
        if !Engine::Postgres.is_available() {
            return None;
        }
        let database = TestDatabase::start(Engine::Postgres).await;
        let server = TestServer::alone(&database).await;
        let (app, other) = second_server(&server, &database).await;
        Some(Self {
            server,
            app,
            other,
            _database: database,
        })
    }

    async fn close(self) {
        self.app.store.close().await;
        self.server.app.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_hears_of_a_change() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers {
        server, app, other, ..
    } = &two;
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(resolved_agent(other, &service, "release").await, 2);
    let following = {
        let app = app.clone();
        tokio::spawn(async move { follow(&app, SOON).await })
    };
    // It does not look by itself again before the test is over: what it learns, it has heard.
    eventually(
        async || {
            put(admin, &service, "release", 1).await;
            put(admin, &service, "release", 2).await;
            put(admin, &service, "release", 1).await;
            resolve(other, &service, "release").await
        },
        |answer| answer.body["agent_version_info"][1] == json!(1),
    )
    .await;
    following.abort();
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_that_end_with_a_role_end_on_every_server() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers {
        server, app, other, ..
    } = &two;
    let user = server.user(DefaultRole::Administrator).await;
    let given = json!({"user_id": user.user_id, "duration": "P1D", "tags": {}, "justification": "to help out",
        "permission_grant": {"permission_name": "Organization:GetAuditEvent", "conditions": {}}});
    assert_eq!(
        server
            .admin()
            .post("role/temporary_permission_grant/", given)
            .await
            .status,
        201
    );
    let through = |router: &forge_api::Router| TestClient {
        router: router.clone(),
        ..user.clone()
    };
    let elsewhere = through(&other.router);
    let head = async || elsewhere.get("audit_event/head").await;
    let following = {
        let app = app.clone();
        tokio::spawn(async move { follow(&app, SOON).await })
    };
    eventually(head, |answer| answer.status == 200).await;
    let assigned = json!({"user_id": user.user_id});
    assert_eq!(
        server
            .admin()
            .post("role/DefaultUserRole/assign", assigned)
            .await
            .status,
        200
    );
    eventually(head, |answer| answer.status == 403).await;
    following.abort();
    // One that is started later knows it as well.
    let environment = Environment {
        snapshots: Arc::default(),
        ..Environment::clone(app)
    };
    let later = App::new(app.store.clone(), environment);
    let later = through(&forge_api::Router::new(later, forge_testkit::limits()));
    assert_eq!(later.get("audit_event/head").await.status, 403);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_shows_a_change_that_the_reader_knows_of_at_once() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(resolved_agent(other, &service, "release").await, 2);
    for agent in [1, 2, 1, 2] {
        let sequence = put(admin, &service, "release", agent).await.sequence().unwrap();
        let path = format!("{}/release/resolve", sets(&service));
        let answer = with_sequence(other, &path, &sequence.to_string()).await;
        assert_eq!(
            answer.body["agent_version_info"][1],
            json!(agent),
            "{}",
            answer.body
        );
    }
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_user_can_sign_in_at_another_server_at_once() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let service = server.service(1).await;
    assert_eq!(resolve(other, &service, "release").await.status, 200);
    let user = server.user(DefaultRole::Administrator).await;
    let [_, key, secret] = &server.credentials;
    let headers = [
        ("x-user-id", user.user_id.as_str()),
        ("x-api-key-id", key),
        ("x-api-key", secret),
    ];
    let path = "user/signin_with_api_key";
    let session = other
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(session.status, 200, "{}", session.body);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_a_new_user_is_recognised_by_another_server_at_once() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let service = server.service(1).await;
    assert_eq!(resolve(other, &service, "release").await.status, 200);
    let user = server.user(DefaultRole::Administrator).await;
    let there = other.with_token(user.token.as_deref().unwrap());
    assert_eq!(resolve(&there, &service, "release").await.status, 200);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_was_taken_away_is_not_used_on_another_server() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let (admin, service) = (server.admin(), server.service(2).await);
    let user = server.user(DefaultRole::Administrator).await;
    let there = other.with_token(user.token.as_deref().unwrap());
    assert_eq!(put(&there, &service, "release", 1).await.status, 204);
    let deleted = admin.delete(&format!("user/{}", user.user_id)).await;
    assert!(deleted.status.is_success(), "{}", deleted.body);
    // The other server has not heard of it.
    let refused = put(&there, &service, "release", 2).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
    assert_eq!(resolved_agent(admin, &service, "release").await, 1);
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_deleted_or_demoted_elsewhere_founds_no_organization() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let (admin, service) = (server.admin(), server.service(2).await);
    let found = async |there: &TestClient, id: &str| {
        create_in(there, Some("default"), id, &organization_body(id)).await
    };
    for (id, is_deleted) in [("one-more", true), ("yet-another", false)] {
        let user = server.user(DefaultRole::SuperAdministrator).await;
        let there = other.with_token(user.token.as_deref().unwrap());
        assert_eq!(put(&there, &service, "release", 1).await.status, 204);
        let gone = if is_deleted {
            admin.delete(&format!("user/{}", user.user_id)).await
        } else {
            admin
                .post("role/DefaultUserRole/assign", json!({"user_id": user.user_id}))
                .await
        };
        assert!(gone.status.is_success(), "{}", gone.body);
        // The other server has not heard of it.
        let refused = found(&there, id).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
        let made = found(other, id).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    two.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_gained_rights_elsewhere_is_not_refused_for_it() {
    let Some(two) = TwoServers::start().await else {
        return;
    };
    let TwoServers { server, other, .. } = &two;
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(put(other, &service, "release", 1).await.status, 204);
    // Somebody else's rights change: the caller's own are looked at again and found the same.
    let added: Value = server.user(DefaultRole::User).await.user_id.into();
    assert!(added.is_string());
    let key = admin
        .post(
            "organization/api_key/",
            json!({
                "duration": "P1D", "role_name": "DefaultAdministratorRole", "name": null,
            }),
        )
        .await;
    assert_eq!(key.status, 201, "{}", key.body);
    assert_eq!(put(other, &service, "release", 2).await.status, 204);
    two.close().await;
}
