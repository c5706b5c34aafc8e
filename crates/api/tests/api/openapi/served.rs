//! The document tells exactly what is served.

use std::collections::BTreeSet;

use axum::http::Method;
use forge_contract::contract;
use forge_testkit::{TestServer, both_engines};

use super::ids;
use crate::support::ids::UNKNOWN_ID;
use crate::support::operations::{fits, operations, served};

/// Returns a path with the organization and ids that nothing has, as a test client takes it.
fn example_path(server: &TestServer, template: &str) -> String {
    let fill = |segment: &str| match segment {
        "{organization}" => server.admin().organization.clone(),
        segment if segment.starts_with('{') => UNKNOWN_ID.to_owned(),
        segment => segment.to_owned(),
    };
    format!("/{}", template.split('/').map(fill).collect::<Vec<_>>().join("/"))
}

#[both_engines]
async fn the_document_tells_exactly_the_operations_that_are_served(server: TestServer) {
    let document = served(&server).await;
    assert_eq!(ids(&document), forge_api::served_operations());
    for (id, operation) in operations(&document) {
        let path = example_path(&server, operation.path);
        let answer = server
            .admin()
            .anonymous()
            .send(operation.method, &path, None)
            .await;
        // Without credentials or a body, only what needs neither says more.
        let expected = match id {
            "sign-in-with-api-key" | "download-simulation-unit-test-set-run-artifacts" => 422,
            "get-organization" | "get-openapi" | "get-liveness" | "get-readiness" => 200,
            _ => 401,
        };
        assert_eq!(answer.status, expected, "{id}");
    }
}

#[both_engines]
async fn what_the_document_does_not_tell_is_not_served(server: TestServer) {
    let document = served(&server).await;
    let path_of = |template: &str| example_path(&server, template.trim_end_matches('/'));
    let paths = document["paths"].as_object().unwrap().keys();
    let paths: BTreeSet<String> = paths.map(|path| path_of(path)).collect();
    for path in &paths {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::TRACE,
        ] {
            // The test client knows what the contract has there, served or not.
            let mut operations = contract().operations();
            if !operations.any(|operation| operation.method == method.as_str() && fits(&operation.path, path))
            {
                let answer = server.admin().send(method.clone(), path, None).await;
                assert_eq!(answer.status, 405, "{method} {path}");
            }
        }
    }
    for operation in contract().operations() {
        let path = path_of(&operation.path);
        if !paths.contains(&path) && operation.statuses.contains(&404) {
            let method = operation.method.parse().unwrap();
            let answer = server.admin().send(method, &path, None).await;
            assert_eq!(answer.status, 404, "{}", operation.id);
            assert!(
                answer.detail().starts_with("there is no such path"),
                "{}",
                operation.id
            );
        }
    }
}
