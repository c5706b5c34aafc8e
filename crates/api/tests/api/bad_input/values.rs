//! Values in bodies that no field can have.

use forge_testkit::{both_engines, service_body, version_set};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::{assert_refused, refuses_bodies, state, targets};

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
