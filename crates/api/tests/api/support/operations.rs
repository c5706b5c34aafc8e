//! The operations that are served.

use std::collections::BTreeMap;

use axum::http::Method;
use forge_testkit::TestServer;
use serde_json::Value;

pub(crate) fn classic() -> Value {
    serde_json::from_str(include_str!("../../../../contract/classic.json")).unwrap()
}

pub(crate) async fn served(server: &TestServer) -> Value {
    let answer = server.admin().anonymous().get("//v1/openapi.json").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.body
}

/// An operation of a document.
pub(crate) struct Operation<'d> {
    pub(crate) method: Method,
    pub(crate) path: &'d str,
    pub(crate) content: &'d Value,
}

/// Returns the operations of a document by id.
pub(crate) fn operations(document: &Value) -> BTreeMap<&str, Operation<'_>> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, content) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            let id = content["operationId"].as_str().unwrap();
            let operation = Operation {
                method,
                path,
                content,
            };
            assert!(operations.insert(id, operation).is_none(), "`{id}` occurs twice");
        }
    }
    operations
}

/// Returns `true` if a path is one of a template's; with or without a slash at its end.
pub(crate) fn fits(template: &str, path: &str) -> bool {
    let wanted: Vec<&str> = template.trim_end_matches('/').split('/').collect();
    let given: Vec<&str> = path.trim_start_matches("//").split('/').collect();
    let is_same = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
    wanted.len() == given.len() + 1 && wanted.iter().skip(1).zip(&given).all(is_same)
}
