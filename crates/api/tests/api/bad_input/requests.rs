//! Paths, queries and methods that mean nothing.

use axum::http::Method;
use forge_testkit::{agent_version, both_engines, version_set};
use serde_json::json;

use super::{assert_refused, state};

#[both_engines]
async fn paths_and_queries_that_are_no_text_are_refused(server: TestServer) {
    let (agent, service) = (server.agent(1).await, server.service(1).await);
    let before = state(&server).await;
    for bad in ["%FF", "%00", "a%00b", "%C3%28", "%ED%A0%80"] {
        for path in [
            format!("organization/agent?id={bad}"),
            format!("organization/agent?limit={bad}"),
            format!("organization/agent?deprecated={bad}"),
            format!("organization/agent/{bad}/version"),
            format!("organization/agent/{agent}/version?version={bad}"),
            format!("organization/agent/{agent}/version?sort_by={bad}"),
            format!("organization/service_hierarchical_state_machine/{bad}/version"),
            format!("service/?tags={bad}"),
            format!("service/?sort_by={bad}"),
            format!("service/{service}/version_sets/{bad}/"),
            format!("service/{service}/version_sets/{bad}/resolve"),
        ] {
            assert_refused(&server.admin().get(&path).await, 422, &path);
        }
        let set = json!({"version_set": version_set(1, 1)});
        for (method, path, body) in [
            (
                Method::POST,
                format!("organization/agent/{bad}/"),
                agent_version(),
            ),
            (
                Method::POST,
                format!("organization/agent/{agent}/?version={bad}"),
                agent_version(),
            ),
            (
                Method::POST,
                format!("service/{bad}/"),
                json!({"description": "d"}),
            ),
            (
                Method::PUT,
                format!("service/{service}/version_sets/{bad}/"),
                set.clone(),
            ),
            (Method::PUT, format!("service/{bad}/version_sets/test/"), set),
            (
                Method::DELETE,
                format!("service/{service}/version_sets/{bad}/"),
                json!({}),
            ),
            (Method::DELETE, format!("organization/agent/{bad}/"), json!({})),
        ] {
            let answer = server.admin().send(method.clone(), &path, Some(body)).await;
            assert_refused(&answer, 422, &format!("{method} {path}"));
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn a_path_that_no_operation_has_is_not_found(server: TestServer) {
    let service = server.service(1).await;
    for client in [server.admin(), &server.admin().anonymous()] {
        for path in [
            "//",
            "//nothing",
            "//v1",
            "//v1/",
            "//v1/openapi.yaml",
            "//v2/openapi.json",
            "",
            "nothing",
            "organization//agent",
            "organization/agents",
            "ORGANIZATION/agent",
            "..%2f..%2fetc%2fpasswd",
            "%00",
            &format!("service/{service}/nothing"),
            &format!("service/{service}/version_sets/test/nothing"),
        ] {
            for method in [Method::GET, Method::POST] {
                let answer = client.send(method.clone(), path, None).await;
                assert_refused(&answer, 404, &format!("{method} {path}"));
            }
        }
    }
}

#[both_engines]
async fn a_method_that_a_path_does_not_know_is_not_allowed(server: TestServer) {
    let (agent, service) = (server.agent(1).await, server.service(1).await);
    let before = state(&server).await;
    for (method, path, allowed) in [
        (Method::PUT, "organization/agent".to_owned(), "GET,HEAD,POST"),
        (Method::PATCH, "organization/agent/".to_owned(), "GET,HEAD,POST"),
        (Method::DELETE, "organization/agent".to_owned(), "GET,HEAD,POST"),
        (Method::GET, format!("organization/agent/{agent}/"), "DELETE,POST"),
        (
            Method::POST,
            format!("organization/agent/{agent}/version"),
            "GET,HEAD",
        ),
        (Method::PATCH, format!("service/{service}/"), "POST"),
        (
            Method::POST,
            format!("service/{service}/version_sets/test/"),
            "DELETE,GET,HEAD,PUT",
        ),
        (
            Method::POST,
            format!("service/{service}/version_sets/diff"),
            "DELETE,GET,HEAD,PUT",
        ),
        (
            Method::POST,
            format!("service/{service}/version_sets/diff/"),
            "DELETE,GET,HEAD,PUT",
        ),
        (Method::GET, "user/signin_with_api_key".to_owned(), "POST"),
        (Method::POST, "admin/get_models/".to_owned(), "GET,HEAD"),
        (Method::POST, "//v1/openapi.json".to_owned(), "GET,HEAD"),
    ] {
        let answer = server.admin().send(method.clone(), &path, Some(json!({}))).await;
        assert_refused(&answer, 405, &format!("{method} {path}"));
        let mut found: Vec<&str> = answer.headers["allow"].to_str().unwrap().split(',').collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{method} {path}");
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn parameters_that_nobody_knows_are_ignored(server: TestServer) {
    for query in ["unheard=of", "bad=%FF", "&&=", "LIMIT=0"] {
        let answer = server.admin().get(&format!("organization/agent?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    }
    let created = server
        .admin()
        .post("organization/agent?unheard=of", json!({"agent_name": "a"}))
        .await;
    assert_eq!(created.status, 201);
}
