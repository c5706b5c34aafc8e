//! No operation overlooks what asks for safety: every one that is served is tried with the same mistakes.

use std::collections::BTreeSet;

use forge_contract::{Location, Operation, contract};
use forge_testkit::{TestResponse, TestServer, both_engines};
use serde_json::{Value, json};

use crate::support::examples::{Guarded, guarded, state};

/// Sends an operation's example with something more in its query, headers or body.
struct Try<'t> {
    server: &'t TestServer,
    guarded: &'t Guarded,
    operation: &'static Operation,
}

impl Try<'_> {
    async fn query(&self, more: &str) -> TestResponse {
        let mut changed = self.guarded.clone();
        let path = &mut changed.example.path;
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(more);
        changed.call(self.server.admin(), &[]).await
    }

    async fn body(&self, name: &str, value: Value) -> TestResponse {
        let mut changed = self.guarded.clone();
        let body = changed.example.body.get_or_insert_with(|| json!({}));
        body[name] = value;
        changed.call(self.server.admin(), &[]).await
    }

    async fn headers(&self, headers: &[(&str, &str)]) -> TestResponse {
        self.guarded.call(self.server.admin(), headers).await
    }

    #[track_caller]
    fn refuses(&self, answer: &TestResponse, fault: &str) {
        let faults = answer.faults();
        assert_eq!(
            answer.status, 422,
            "{} {fault}: {}",
            self.operation.id, answer.body
        );
        assert!(
            faults.iter().any(|found| found == fault),
            "{} {fault}: {}",
            self.operation.id,
            answer.body
        );
    }

    async fn refuses_unknown_and_misplaced_names(&self) {
        self.refuses(&self.query("dryRun=true").await, "query.dryRun: misplaced");
        // A form has texts, and what is read as text is refused just as well.
        self.refuses_in_body("Plan-Digest", "misplaced").await;
        if self.operation.is_extension() {
            let unknown = "query.no_such_parameter: unknown_name";
            self.refuses(&self.query("no_such_parameter=1").await, unknown);
            self.refuses_in_body("no_such_field", "unknown_name").await;
        }
    }

    async fn refuses_in_body(&self, name: &str, kind: &str) {
        if self.operation.method != "GET" {
            let answer = self.body(name, "1".into()).await;
            self.refuses(&answer, &format!("body.{name}: {kind}"));
        }
    }

    async fn refuses_what_is_given_twice(&self) {
        for parameter in &self.operation.parameters {
            let name = &parameter.name;
            match parameter.location {
                Location::Query if !parameter.is_list => {
                    let answer = self.query(&format!("{name}=1&{name}=1")).await;
                    self.refuses(&answer, &format!("query.{name}: duplicate"));
                }
                Location::Header if !["If-Match", "If-None-Match"].contains(&name.as_str()) => {
                    let answer = self.headers(&[(name, "1"), (name, "1")]).await;
                    self.refuses(&answer, &format!("header.{name}: duplicate"));
                }
                _ => {}
            }
        }
        for name in ["Forge-Min-Sequence", "Forge-Actor-Kind"] {
            let answer = self.headers(&[(name, "1"), (name, "1")]).await;
            self.refuses(&answer, &format!("header.{name}: duplicate"));
        }
    }

    async fn refuses_conditions_that_it_does_not_know(&self) {
        let is_read = |name: &str| self.operation.reads_header(name);
        if !is_read("Idempotency-Key") {
            let answer = self.headers(&[("Idempotency-Key", "k")]).await;
            self.refuses(&answer, "header.Idempotency-Key: unknown_name");
        }
        for (name, value) in [("If-Match", "\"1\""), ("If-None-Match", "*")] {
            if self.operation.method != "GET" && !is_read(name) {
                let answer = self.headers(&[(name, value)]).await;
                self.refuses(&answer, &format!("header.{name}: unknown_name"));
            }
        }
    }
}

#[both_engines]
async fn nothing_that_asks_for_safety_is_overlooked_by_any_operation(server: TestServer) {
    let all = Box::pin(guarded(&server)).await;
    let before = state(&server).await;
    for guarded in &all {
        let operation = contract().operation(&guarded.id).unwrap();
        let attempt = Try {
            server: &server,
            guarded,
            operation,
        };
        attempt.refuses_unknown_and_misplaced_names().await;
        attempt.refuses_what_is_given_twice().await;
        attempt.refuses_conditions_that_it_does_not_know().await;
    }
    assert_eq!(state(&server).await, before, "what was refused changed nothing");
}

#[both_engines]
async fn what_needs_no_credentials_overlooks_nothing_either(server: TestServer) {
    let anonymous = server.admin().anonymous();
    let run = "simulation/unit_test_set_run/0123456789abcdef01234567/artifacts/download?token=t";
    for (path, fault) in [
        ("organization/?dryRun=1".to_owned(), "query.dryRun: misplaced"),
        (format!("{run}&dry_run=1"), "query.dry_run: misplaced"),
        (
            format!("{run}&no_such_parameter=1"),
            "query.no_such_parameter: unknown_name",
        ),
        (format!("{run}&token=t"), "query.token: duplicate"),
    ] {
        assert_eq!(anonymous.get(&path).await.faults(), [fault], "{path}");
    }
    let sign_in = async |query: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("x-api-key", "k"), ("x-api-key-id", "i"), ("x-user-id", "u")];
        headers.extend(more);
        let path = format!("user/signin_with_api_key{query}");
        anonymous
            .send_raw("POST".parse().unwrap(), &path, &headers, None, Vec::new())
            .await
            .faults()
    };
    assert_eq!(sign_in("?dry_run=1", &[]).await, ["query.dry_run: misplaced"]);
    assert_eq!(
        sign_in("", &[("x-user-id", "u")]).await,
        ["header.x-user-id: duplicate"]
    );
    assert_eq!(
        sign_in("", &[("idempotency-key", "k")]).await,
        ["header.Idempotency-Key: unknown_name"]
    );
}

#[both_engines]
async fn a_post_under_a_key_is_done_once_and_answered_as_the_first_time(server: TestServer) {
    let mut replayed = 0;
    for guarded in &Box::pin(guarded(&server)).await {
        let operation = contract().operation(&guarded.id).unwrap();
        if !operation.reads_header("Idempotency-Key") {
            let is_named = operation.method != "POST" || operation.not_replayed.is_some();
            assert!(is_named, "{} neither takes a key nor says why not", guarded.id);
            continue;
        }
        let key = [("Idempotency-Key", "the same for all")];
        let first = guarded.call(server.admin(), &key).await;
        assert!(first.status.is_success(), "{}: {}", guarded.id, first.body);
        let before = state(&server).await;
        let again = guarded.call(server.admin(), &key).await;
        assert_eq!(
            (
                again.status,
                &again.body,
                again.sequence(),
                again.headers.get("content-type")
            ),
            (
                first.status,
                &first.body,
                first.sequence(),
                first.headers.get("content-type")
            ),
            "{}",
            guarded.id
        );
        assert_eq!(state(&server).await, before, "{}", guarded.id);
        let mut other = guarded.clone();
        if let Some(body) = &mut other.example.body {
            *body = changed(&guarded.id, body);
            let reused = other.call(server.admin(), &key).await;
            assert_eq!(
                reused.faults(),
                ["header.Idempotency-Key: idempotency_key_reused"],
                "{}",
                guarded.id
            );
        }
        replayed += 1;
    }
    assert!(replayed > 30, "{replayed}");
}

#[test]
fn the_documentation_names_every_post_that_takes_no_key() {
    let text = include_str!("../../../../docs/api.md");
    let (_, text) = text.split_once("These do not, and refuse it:").unwrap();
    let (table, _) = text.split_once("PUT and DELETE need no key").unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let documented: BTreeSet<&str> = rows.filter(|first| *first != "operation").collect();
    let named = contract()
        .operations()
        .filter(|operation| operation.not_replayed.is_some());
    assert_eq!(documented, named.map(|operation| operation.id.as_str()).collect());
}

/// Returns another body that the operation reads as well.
fn changed(id: &str, body: &Value) -> Value {
    let mut body = body.clone();
    match id {
        "yank-agent-version" | "yank-service-hierarchical-state-machine-version" => {
            body["reason"] = json!("other");
        }
        "promote-version-set" | "roll-back-version-set" | "promote-version-sets" => {
            body["message"] = json!("other");
        }
        // Classic ignores it; it is another request none the less.
        _ => body["other"] = json!(1),
    }
    body
}
