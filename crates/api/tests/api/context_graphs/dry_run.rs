//! Trying a version of a graph without storing it.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::Value;

use super::{UNKNOWN, add_version, new_graph, versions};
use crate::support::graphs::{graph, graph_of_every_type};

#[both_engines]
async fn a_dry_run_answers_like_the_real_call_and_stores_nothing(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "g").await;
    let first = add_version(admin, &id, "", graph(&[])).await;
    for query in ["?dry_run=true", "?dry_run=1", "?dry_run=true&version=2"] {
        let tried = add_version(admin, &id, query, graph_of_every_type()).await;
        assert_eq!((tried.status.as_u16(), tried.sequence()), (201, None));
        assert_eq!(tried.body, Value::Null);
    }
    assert_eq!(versions(admin, &id).await.len(), 1);
    assert_eq!(
        add_version(admin, &id, "?dry_run=true&version=3", graph(&[]))
            .await
            .status,
        409
    );
    assert_eq!(
        add_version(admin, UNKNOWN, "?dry_run=true", graph(&[]))
            .await
            .status,
        404
    );
    assert_eq!(
        add_version(admin, "x", "?dry_run=true", graph(&[])).await.status,
        422
    );
    assert_eq!(
        add_version(admin, &id, "?dry_run=perhaps", graph(&[]))
            .await
            .status,
        422
    );
    assert_eq!(
        add_version(&admin.anonymous(), &id, "?dry_run=true", graph(&[]))
            .await
            .status,
        401
    );
    let user = server.user(DefaultRole::User).await;
    assert_eq!(
        add_version(&user, &id, "?dry_run=true", graph(&[])).await.status,
        403
    );
    assert_eq!(
        add_version(server.stranger(), &id, "?dry_run=true", graph(&[]))
            .await
            .status,
        404
    );
    assert_eq!(versions(admin, &id).await.len(), 1);
    // Adding the user was a write, too.
    let second = add_version(admin, &id, "?dry_run=false", graph(&[])).await;
    assert_eq!(second.body["version"], 2);
    assert_eq!(second.sequence(), first.sequence().map(|number| number + 2));
}
