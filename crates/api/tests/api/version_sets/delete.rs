//! Deleting sets, and their return.

use forge_testkit::{both_engines, version_set};
use serde_json::json;

use super::{delete, get, names, read, resolve, upsert};
use crate::support::assertions::assert_refused;
use crate::support::organization::change_number;
use crate::support::revisions::{actions, history};

#[both_engines]
async fn a_set_is_deleted_once(server: TestServer) {
    let service = server.service(1).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    let before = change_number(&server).await;
    let deleted = delete(&server, &service, "test").await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.sequence()),
        (204, Some(before + 1))
    );
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
    assert_eq!(get(&server, &service, "test").await.status, 404);
    let again = delete(&server, &service, "test").await;
    assert_eq!((again.status.as_u16(), again.sequence()), (404, None));
    assert_eq!(change_number(&server).await, before + 1);
    assert_eq!(actions(&server, &service, "test").await, ["create", "delete"]);
}

#[both_engines]
async fn a_set_that_is_not_there_cannot_be_deleted_or_read_whatever_its_name(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    let long = "x".repeat(500);
    for name in [
        "test",
        "Release",
        "a.b",
        "%20",
        "%C3%A9",
        "a%2Fb",
        "%20release%20",
        &long,
    ] {
        assert_eq!(delete(&server, &service, name).await.status, 404, "{name}");
        assert_eq!(get(&server, &service, name).await.status, 404, "{name}");
        assert_eq!(resolve(&server, &service, name).await.status, 404, "{name}");
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn edge_and_release_are_never_deleted(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    for set in ["edge", "release"] {
        let told = format!("`{set}` belongs to every service and cannot be deleted");
        assert_refused(&delete(&server, &service, set).await, &[&told]);
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
}

#[both_engines]
async fn a_set_that_comes_back_goes_on_counting_its_revisions(server: TestServer) {
    let service = server.service(2).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    upsert(&server, &service, "test", version_set(2, 2)).await;
    assert_eq!(delete(&server, &service, "test").await.status, 204);
    // The same pins as before the deletion are a new revision all the same.
    upsert(&server, &service, "test", version_set(2, 2)).await;
    assert_eq!(read(&server, &service, "test").await["revision"], json!(4));
    assert_eq!(delete(&server, &service, "test").await.status, 204);
    upsert(&server, &service, "test", version_set(None, None)).await;
    let expected = ["create", "update", "delete", "create", "delete", "create"];
    assert_eq!(actions(&server, &service, "test").await, expected);
    let revisions = history(&server, &service, "test").await;
    assert_eq!(
        revisions
            .iter()
            .map(|revision| revision.revision)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    let changes: Vec<i64> = revisions.iter().map(|revision| revision.change_number).collect();
    assert!(changes.is_sorted_by(|left, right| left < right), "{changes:?}");
}
