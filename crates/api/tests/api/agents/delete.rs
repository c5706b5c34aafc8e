//! Deleting agents and context graphs.

use axum::http::StatusCode;
use forge_testkit::{both_engines, service_body};
use serde_json::json;

use super::{AGENT, CONTEXT_GRAPH, KINDS, text};

#[both_engines]
async fn deletion_deprecates_once_and_keeps_the_versions(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 2).await;
        let deleted = server.admin().delete(&kind.one(&id)).await;
        assert_eq!((deleted.status, deleted.body), (StatusCode::OK, json!({})));
        let again = server.admin().delete(&kind.one(&id)).await;
        assert_eq!(again.status, 409);
        assert!(again.detail().contains(&id), "{}", again.detail());
        let expected = json!({"id": id, "name": "versioned", "deprecated": true, "latest_version": 2});
        assert_eq!(kind.rows(server.admin(), "").await, [expected]);
        assert_eq!(kind.numbers(server.admin(), &id, "").await, [1, 2]);
    }
}

#[both_engines]
async fn what_an_active_service_uses_is_not_deleted(server: TestServer) {
    let service = server.service(1).await;
    let found = server.admin().get(&format!("service/?id={service}")).await.body["services"][0].clone();
    for kind in KINDS {
        let id = text(&found[kind.id_field]);
        let refused = server.admin().delete(&kind.one(&id)).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.detail().contains(&format!("`{}`", text(&found["name"]))),
            "{}",
            refused.detail()
        );
        assert_eq!(kind.rows(server.admin(), "").await[0]["deprecated"], false);
    }
    let inactive = json!({"is_active": false});
    assert_eq!(
        server
            .admin()
            .post(&format!("service/{service}/"), inactive)
            .await
            .status,
        200
    );
    for kind in KINDS {
        let deleted = server
            .admin()
            .delete(&kind.one(&text(&found[kind.id_field])))
            .await;
        assert_eq!(
            deleted.status, 200,
            "an inactive service is no obstacle: {}",
            deleted.body
        );
    }
}

#[both_engines]
async fn of_many_services_that_use_it_the_refusal_names_five(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    for number in 1..=6 {
        server
            .admin()
            .post("service/", service_body(&format!("s{number}"), &agent, &graph))
            .await
            .id();
    }
    for (kind, id) in [(AGENT, &agent), (CONTEXT_GRAPH, &graph)] {
        let refused = server.admin().delete(&kind.one(id)).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.detail().contains("(`s1`, `s2`, `s3`, `s4`, `s5`, …)"),
            "{}",
            refused.detail()
        );
    }
}
