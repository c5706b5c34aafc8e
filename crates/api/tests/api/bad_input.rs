//! Requests that nobody should send: each is refused in JSON, says what is wrong, and changes nothing.

use axum::http::Method;
use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, both_engines, service_body, version_set,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::support::graphs::graph_of_every_type;

/// The largest body that test servers admit, in bytes.
const LIMIT: usize = 256 * 1024;

/// An operation that reads a body.
struct Target {
    method: Method,
    path: String,
    /// A body that it accepts.
    body: Value,
}

impl Target {
    fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body,
        }
    }

    async fn send(&self, client: &TestClient, body: impl Into<Vec<u8>>) -> TestResponse {
        self.send_as(client, Some("application/json"), body).await
    }

    async fn send_as(
        &self,
        client: &TestClient,
        content_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        client
            .send_raw(self.method.clone(), &self.path, &[], content_type, body.into())
            .await
    }

    /// Returns the accepted body with something before its first field.
    fn body_after(&self, fields: &[u8]) -> Vec<u8> {
        [b"{", fields, b",", &self.body.to_string().as_bytes()[1..]].concat()
    }

    /// Returns the accepted body with blanks behind it, so that it has a certain length.
    fn padded(&self, length: usize) -> Vec<u8> {
        let mut body = self.body.to_string().into_bytes();
        body.resize(length, b' ');
        body
    }
}

/// Every operation that reads a body.
///
/// Each body is accepted once, in any order.
async fn targets(server: &TestServer) -> Vec<Target> {
    const GRAPHS: &str = "organization/service_hierarchical_state_machine";
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server
        .admin()
        .post("service/", service_body("a service", &agent, &graph))
        .await
        .id();
    let mut document = graph_of_every_type();
    document["references"] = json!({"other": [graph, 1]});
    let mut set = version_set(1, 1);
    set["llm_model_preferences"] =
        json!({"somewhere": {"llm_name": "openai_gpt-5.2-2025-12-11", "params": {}}});
    let mut new_service = service_body("another service", &agent, &graph);
    new_service["tags"] = json!({"team": "care"});
    new_service["keyterms"] = json!(["tooth"]);
    let mut update = new_service.clone();
    update["name"] = json!("a renamed service");
    new_service["release_version_set"] = set.clone();
    let path = format!("service/{service}/version_sets/test/");
    vec![
        Target::post("organization/agent", json!({"agent_name": "new"})),
        Target::post(format!("organization/agent/{agent}/"), agent_version()),
        Target::post(GRAPHS, json!({"state_machine_name": "new"})),
        Target::post(format!("{GRAPHS}/{graph}/"), document),
        Target::post("service/", new_service),
        Target::post(format!("service/{service}/"), update),
        Target {
            method: Method::PUT,
            path,
            body: json!({"version_set": set}),
        },
    ]
}

/// Everything that the requests of this file could change.
async fn state(server: &TestServer) -> Vec<Value> {
    let organization = server.admin().organization.parse().unwrap();
    let found = server
        .app
        .store
        .read()
        .await
        .unwrap()
        .find_organization(&organization)
        .await
        .unwrap();
    let mut state = vec![json!(found.unwrap().change_number)];
    for path in [
        "organization/agent",
        "organization/service_hierarchical_state_machine",
        "service/",
    ] {
        state.push(server.admin().get(path).await.body);
    }
    state
}

/// Asserts that an answer is a refusal that a client can read.
#[track_caller]
fn assert_refused(answer: &TestResponse, status: u16, request: &str) {
    assert_eq!(answer.status, status, "{request}: {}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.sequence(), None);
    let is_told = if status == 422 {
        !answer.faults().is_empty()
    } else {
        !answer.detail().is_empty()
    };
    assert!(is_told, "{request}: {}", answer.body);
}

/// Sends each operation every body that the function makes for it, and asserts that each is refused with the
/// fault that stands beside it and that nothing changed.
async fn refuses_bodies(server: &TestServer, bodies: impl Fn(&Target) -> Vec<(Vec<u8>, String)>) {
    let targets = targets(server).await;
    let before = state(server).await;
    for target in &targets {
        for (body, fault) in bodies(target) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            let answer = target.send(server.admin(), body).await;
            assert_refused(&answer, 422, &format!("{} {shown}", target.path));
            assert!(
                answer.faults().contains(&fault),
                "{fault} of {shown}: {}",
                answer.body
            );
        }
    }
    assert_eq!(state(server).await, before);
}

/// Returns a pointer to every value inside a value, and to the value itself.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, value)| (index.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let inner = inner.into_iter().flat_map(|(step, value)| {
        places(value)
            .into_iter()
            .map(move |rest| format!("/{step}{rest}"))
    });
    std::iter::once(String::new()).chain(inner).collect()
}

/// Returns any JSON, of moderate size.
fn any_json() -> impl Strategy<Value = Value> {
    let text = || vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
        "[a-f0-9]{24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6).prop_map(Value::from_iter),
        ]
    })
}

#[both_engines]
async fn the_bodies_of_these_tests_are_sound_even_with_fields_that_nobody_knows(server: TestServer) {
    for target in targets(&server).await {
        let body = target.body_after(br#""unheard_of": {"a": [null, "b"]}"#);
        let answer = target.send(server.admin(), body).await;
        assert!(answer.status.is_success(), "{}: {}", target.path, answer.body);
        assert!(answer.sequence().is_some());
    }
}

#[both_engines]
async fn a_body_that_is_no_json_is_refused(server: TestServer) {
    refuses_bodies(&server, |target| {
        let body = target.body.to_string();
        let texts = [
            (&body[..body.len() - 1], "body"),
            (&body[..1], "body"),
            (" ", "body"),
            ("no JSON", "body"),
            ("agent_name=Mira", "body"),
            ("{'single': 'quotes'}", "body"),
            ("{\"a\": 1,}", "body"),
            ("NaN", "body"),
            ("{\"a\": 1e999}", "body.a"),
            ("{\"a\": \"\\ud800\"}", "body.a"),
            ("{\"a\": \"\0\"}", "body.a"),
            ("{\"a\": \"\n\"}", "body.a"),
            (&format!("{body}{body}"), "body"),
            (&format!("{body}x"), "body"),
            (&format!("\u{feff}\u{feff}{body}"), "body"),
        ];
        let mut cases: Vec<_> = texts
            .iter()
            .map(|(text, place)| (text.as_bytes().to_vec(), *place))
            .collect();
        cases.push((target.body_after(b"\"a\": \"\xff\""), "body.a"));
        cases.push((target.body_after(b"\"a\": \"\xed\xa0\x80\""), "body.a"));
        cases.push((target.body_after(b"\"\xff\": 1"), "body"));
        cases
            .into_iter()
            .map(|(body, place)| (body, format!("{place}: json_invalid")))
            .collect()
    })
    .await;
}

#[both_engines]
async fn an_empty_body_is_refused_where_one_is_required(server: TestServer) {
    refuses_bodies(&server, |_| vec![(Vec::new(), "body: missing".to_owned())]).await;
}

#[both_engines]
async fn a_body_that_is_no_object_is_refused(server: TestServer) {
    refuses_bodies(&server, |target| {
        let bodies = [
            json!([]),
            json!([target.body]),
            json!("text"),
            json!(7),
            json!(true),
            json!(null),
        ];
        bodies
            .map(|body| (body.to_string().into_bytes(), "body: type".to_owned()))
            .into()
    })
    .await;
}

#[both_engines]
async fn what_two_readers_could_read_differently_is_refused(server: TestServer) {
    refuses_bodies(&server, |target| {
        let (first, value) = target.body.as_object().unwrap().iter().next().unwrap();
        [
            (format!("\"{first}\": {value}"), format!("body.{first}")),
            (r#""x": 1, "x": 1"#.to_owned(), "body.x".to_owned()),
            (
                r#""x": [{}, {"y": {"z": 1, "z": 2}}]"#.to_owned(),
                "body.x.1.y.z".to_owned(),
            ),
            (r#""x": 1, "\u0078": 2"#.to_owned(), "body.x".to_owned()),
        ]
        .map(|(fields, place)| {
            (
                target.body_after(fields.as_bytes()),
                format!("{place}: json_refused"),
            )
        })
        .into()
    })
    .await;
}

#[both_engines]
async fn what_no_database_could_store_is_refused(server: TestServer) {
    refuses_bodies(&server, |target| {
        [
            (r#""x": "a\u0000b""#, "body.x"),
            (r#""x": [1, {"y": "\u0000"}]"#, "body.x.1.y"),
            (r#""\u0000": 1"#, "body.\0"),
            (r#""x": {"a\u0000b": 1}"#, "body.x.a\0b"),
        ]
        .map(|(fields, place)| {
            (
                target.body_after(fields.as_bytes()),
                format!("{place}: json_refused"),
            )
        })
        .into()
    })
    .await;
}

#[both_engines]
async fn a_value_of_another_type_is_refused_wherever_it_stands(server: TestServer) {
    let targets = targets(&server).await;
    let before = state(&server).await;
    for target in &targets {
        for place in places(&target.body) {
            let value = target.body.pointer(&place).unwrap();
            for other in [json!("text"), json!(7.5), json!(true), json!([]), json!({})] {
                if value.is_null() || std::mem::discriminant(value) == std::mem::discriminant(&other) {
                    continue;
                }
                let mut body = target.body.clone();
                *body.pointer_mut(&place).unwrap() = other.clone();
                let answer = target.send(server.admin(), body.to_string()).await;
                assert_refused(&answer, 422, &format!("{}: {place} is {other}", target.path));
                let loc = format!("body{}", place.replace('/', "."));
                assert!(
                    answer.faults().iter().any(|fault| fault.starts_with(&loc)),
                    "{loc}: {}",
                    answer.body
                );
            }
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn a_value_outside_its_list_or_length_is_refused(server: TestServer) {
    let long = "a".repeat(257);
    refuses_bodies(&server, |target| {
        let mut cases = Vec::new();
        for (place, value, fault) in [
            ("/agent_name", json!(long), "string_too_long"),
            ("/state_machine_name", json!(long), "string_too_long"),
            ("/initials", json!("MIRA"), "string_too_long"),
            ("/identity/default_spoken_language", json!("klingon"), "enum"),
            ("/states/0/type", json!("dance"), "enum"),
            (
                "/states/6/designated_tool/result_persistence",
                json!("forever"),
                "enum",
            ),
            ("/terminal_state", json!("the end"), "string_pattern_mismatch"),
            ("/agent_id", json!("ABCDEF"), "string_pattern_mismatch"),
            ("/name", json!(" "), "string_too_short"),
            ("/keyterms", json!(vec!["tooth"; 21]), "too_long"),
            ("/keyterms/0", json!("Tooth!"), "string_pattern_mismatch"),
            ("/version_set/agent_version_number", json!(1.5), "type"),
        ] {
            let mut body = target.body.clone();
            if let Some(found) = body.pointer_mut(place) {
                *found = value;
                cases.push((
                    body.to_string().into(),
                    format!("body{}: {fault}", place.replace('/', ".")),
                ));
            }
        }
        assert!(!cases.is_empty(), "{}", target.path);
        cases
    })
    .await;
    let set = json!({"version_set": version_set(1, 1)});
    let service = server.service(1).await;
    for name in [
        "a".repeat(41),
        "two%20words".to_owned(),
        "%C3%A9".to_owned(),
        "a.b".to_owned(),
    ] {
        let answer = server
            .admin()
            .put(&format!("service/{service}/version_sets/{name}/"), set.clone())
            .await;
        assert_refused(&answer, 422, &name);
        assert!(
            answer.faults()[0].starts_with("path.version_set_name: "),
            "{}",
            answer.body
        );
    }
}

#[both_engines]
async fn whole_numbers_out_of_range_are_refused(server: TestServer) {
    refuses_bodies(&server, |target| {
        if !target.path.contains("version_sets") {
            return Vec::new();
        }
        let numbers = [
            "9223372036854775808",
            "-9223372036854775809",
            "1e300",
            "18446744073709551616",
        ];
        let body = |number: &str| {
            let text = target.body.to_string();
            text.replace(
                "\"agent_version_number\":1,",
                &format!("\"agent_version_number\":{number},"),
            )
            .into()
        };
        let place = "body.version_set.agent_version_number";
        // What no integer can hold is told before anybody asks what it is for.
        let kind = |number: &str| match number {
            "-9223372036854775809" | "18446744073709551616" => "json_refused",
            _ => "int_range",
        };
        numbers
            .map(|number| (body(number), format!("{place}: {}", kind(number))))
            .into()
    })
    .await;
}

#[both_engines]
async fn a_body_beyond_the_limit_is_refused_and_one_at_the_limit_is_not(server: TestServer) {
    let targets = targets(&server).await;
    let before = state(&server).await;
    for target in &targets {
        for length in [LIMIT + 1, 4 * LIMIT] {
            let answer = target.send(server.admin(), target.padded(length)).await;
            assert_refused(&answer, 413, &target.path);
            assert!(answer.detail().contains("262144"), "{}", answer.detail());
        }
        let anonymous = target
            .send(&server.admin().anonymous(), target.padded(LIMIT + 1))
            .await;
        assert_refused(&anonymous, 401, &target.path);
    }
    assert_eq!(state(&server).await, before);
    for target in &targets {
        let answer = target.send(server.admin(), target.padded(LIMIT)).await;
        assert!(answer.status.is_success(), "{}: {}", target.path, answer.body);
    }
}

#[both_engines]
async fn a_body_of_another_content_type_is_refused(server: TestServer) {
    let targets = targets(&server).await;
    let before = state(&server).await;
    for target in &targets {
        for content_type in [
            "text/plain",
            "text/json",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonx",
            "application",
            "json",
            "",
        ] {
            let answer = target
                .send_as(server.admin(), Some(content_type), target.body.to_string())
                .await;
            assert_refused(&answer, 422, content_type);
            assert_eq!(answer.faults(), ["body: content_type"]);
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn json_may_be_declared_in_several_ways_or_not_at_all(server: TestServer) {
    for (number, content_type) in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("Application/JSON ;charset=UTF-8"),
        Some("application/merge-patch+json"),
    ]
    .into_iter()
    .enumerate()
    {
        let target = Target::post(
            "organization/agent",
            json!({"agent_name": format!("agent {number}")}),
        );
        let answer = target
            .send_as(server.admin(), content_type, target.body.to_string())
            .await;
        assert_eq!(answer.status, 201, "{content_type:?}: {}", answer.body);
    }
}

#[both_engines]
async fn depth_has_a_limit(server: TestServer) {
    let targets = targets(&server).await;
    let nested = |depth: usize| format!("\"deep\": {}{}", "[".repeat(depth), "]".repeat(depth));
    let before = state(&server).await;
    for target in &targets {
        for depth in [200, 100_000] {
            let answer = target
                .send(server.admin(), target.body_after(nested(depth).as_bytes()))
                .await;
            assert_refused(&answer, 422, &target.path);
            assert!(answer.faults()[0].ends_with(": json_invalid"), "{}", answer.body);
        }
    }
    assert_eq!(state(&server).await, before);
    for target in &targets {
        let answer = target
            .send(server.admin(), target.body_after(nested(100).as_bytes()))
            .await;
        assert!(answer.status.is_success(), "{}: {}", target.path, answer.body);
    }
}

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

#[both_engines]
async fn a_name_as_long_as_it_may_be_is_kept_and_found_again(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    // Characters without a pattern: a database cannot compress them.
    let scattered = |n: u32| char::from_u32(0x4e00 + n.wrapping_mul(2_654_435_761) % 20_000).unwrap();
    let name: String = (0..1_024).map(scattered).collect();
    let created = server
        .admin()
        .post("service/", service_body(&name, &agent, &graph))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let again = server
        .admin()
        .post("service/", service_body(&name, &agent, &graph))
        .await;
    assert_eq!(again.status, 409);
}

#[both_engines]
async fn no_json_whatsoever_breaks_the_server(server: TestServer) {
    let targets = targets(&server).await;
    let places: Vec<Vec<String>> = targets.iter().map(|target| places(&target.body)).collect();
    let handle = Handle::current();
    let config = Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&(any::<Index>(), any_json()), |(place, value)| {
        for (target, places) in targets.iter().zip(&places) {
            let mut spoilt = target.body.clone();
            *spoilt.pointer_mut(&places[place.index(places.len())]).unwrap() = value.clone();
            for body in [&value, &spoilt] {
                let answer =
                    block_in_place(|| handle.block_on(target.send(server.admin(), body.to_string())));
                let status = answer.status.as_u16();
                let is_sound = [200, 201, 204, 400, 404, 409, 413, 422].contains(&status);
                prop_assert!(is_sound, "{} answered {status} to {body}", target.path);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
