//! The database is away, or has gone back.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use forge_app::snapshot::follow;
use forge_testkit::{TestServer, both_engines};

use super::{SOON, add_agent_version, elsewhere, eventually, put, resolve, resolved_agent, sets};

#[both_engines]
async fn while_the_database_is_away_what_runs_is_still_told(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (admin, service) = (server.admin(), server.service(1).await);
    let before = resolve(admin, &service, "release").await;
    assert_eq!(before.headers.get("warning"), None);
    let with_documents = format!("{}/release/resolve?include=documents", sets(&service));
    let contents = admin.get(&with_documents).await;
    let app = server.app.clone();
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });

    server.app.store.close().await;
    let stale = eventually(
        async || resolve(admin, &service, "release").await,
        |answer| answer.headers.contains_key("warning"),
    )
    .await;
    assert_eq!((stale.status.as_u16(), &stale.body), (200, &before.body));
    assert_eq!(stale.headers["etag"], before.headers["etag"]);
    assert!(stale.headers["warning"].to_str().unwrap().starts_with("110 "));
    let stale = admin.get(&with_documents).await;
    assert_eq!((stale.status.as_u16(), &stale.body), (200, &contents.body));
    assert!(stale.headers.contains_key("warning"));
    server.clock.advance_seconds(90);
    let older = resolve(admin, &service, "release").await;
    assert_eq!(older.headers["age"], "90");

    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-user-id", user.as_str()),
        ("x-api-key-id", key),
        ("x-api-key", secret),
    ];
    let path = "user/signin_with_api_key";
    let session = admin
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(session.status, 200, "{}", session.body);
    let fresh = admin.with_token(session.body["id_token"].as_str().unwrap());
    assert_eq!(resolve(&fresh, &service, "release").await.status, 200);

    for write in [
        put(admin, &service, "test", 1).await,
        add_agent_version(admin, &"0".repeat(24)).await,
    ] {
        assert_eq!(write.status, 503, "{}", write.body);
        assert!(write.headers.contains_key("retry-after"));
    }
    assert_eq!(admin.get(&format!("{}/", sets(&service))).await.status, 503);
    assert_eq!(admin.get("//readyz").await.status, 503);
    following.abort();
}

#[both_engines]
async fn what_is_written_after_the_database_has_gone_back_is_what_runs(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(2).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(put(client, &service, "test", 2).await.status, 204);
    for agent in [1, 2, 1, 2] {
        assert_eq!(put(client, &service, "preview", agent).await.status, 204);
    }
    assert_eq!(resolved_agent(client, &service, "test").await, 2);
    // A backup, or a standby that had not heard of everything.
    database
        .tamper("UPDATE organization SET change_number = change_number - 4 WHERE change_number > 6")
        .await;
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    assert_eq!(put(client, &service, "test", 2).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 2);
    // Also where nobody writes: it is looked for.
    database
        .tamper("UPDATE organization SET change_number = change_number - 4 WHERE change_number > 6")
        .await;
    let app = server.app.clone();
    let before = Arc::as_ptr(&app.store.watermarks().of(&client.organization.parse().unwrap())) as usize;
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });
    let (store, organization) = (server.app.store.clone(), client.organization.parse().unwrap());
    let is_new = async || {
        while Arc::as_ptr(&store.watermarks().of(&organization)) as usize == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, is_new()).await.unwrap();
    following.abort();
}

#[both_engines]
async fn another_history_with_the_same_or_higher_numbers_is_read_anew(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(2).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    // A standby took over that had not heard of the last change, and others were made there.
    elsewhere(&database, "test", 2).await;
    let app = server.app.clone();
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });
    let answer = eventually(
        async || resolve(client, &service, "test").await,
        |answer| answer.body["agent_version_info"][1] == 2,
    );
    answer.await;
    following.abort();
    // Also where it is further ahead by the time anybody looks.
    elsewhere(&database, "test", 1).await;
    assert_eq!(put(client, &service, "preview", 2).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
}
