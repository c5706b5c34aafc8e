//! One value, however it is written.

use axum::http::Method;
use forge_testkit::{TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::put;
use crate::support::releases::Release;

/// Returns what a set pins, with parameters of a model; they are given as text, so that a number stays as it is
/// written.
fn with_params(params: &str) -> Value {
    let mut set = version_set(1, 1);
    let params: Value = serde_json::from_str(params).unwrap();
    set["llm_model_preferences"] =
        json!({"engage-user": {"llm_name": "openai_gpt-4.1-2025-04-14", "params": params}});
    set
}

fn now(server: &TestServer) -> i64 {
    use forge_domain::Clock as _;
    server.clock.now().as_millis()
}

/// Returns a moment as a query takes it, so many seconds after another one.
fn moment(millis: i64, seconds: i64) -> String {
    forge_wire::rfc3339(forge_domain::Timestamp::from_millis(millis + seconds * 1000))
}

#[both_engines]
async fn a_number_written_otherwise_is_no_change(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let (one, float) = (
        with_params(r#"{"temperature": 1}"#),
        with_params(r#"{"temperature": 1.0}"#),
    );
    assert!(put(&release, "test", &one).await.sequence().is_some());
    let again = put(&release, "test", &float).await;
    assert_eq!((again.status.as_u16(), again.sequence()), (204, None));
    put(&release, "preview", &float).await;
    let promoted = release.promote("preview", "test").await;
    assert_eq!(
        (&promoted.body["applied"], &promoted.body["plan"]["changes"]),
        (&json!(false), &json!([]))
    );
    let diff = release
        .client
        .get(&format!("{}/diff?base=test&head=preview", release.sets()))
        .await;
    assert_eq!(diff.body["is_empty"], true, "{}", diff.body);
    // Who plans with one and applies with the other applies the plan that they saw.
    let path = release.set("candidate");
    let plan = release
        .client
        .put(&format!("{path}?dry_run=true"), json!({"version_set": one}))
        .await;
    let digest = plan.body["digest"].as_str().unwrap();
    let applied = release
        .client
        .put(
            &format!("{path}?plan_digest={digest}"),
            json!({"version_set": float}),
        )
        .await;
    assert_eq!(applied.status, 204, "{}", applied.body);
    // Beyond 2^53, a float is another number than the integer beside it.
    put(&release, "test", &with_params(r#"{"seed": 9007199254740993}"#)).await;
    let other = put(&release, "test", &with_params(r#"{"seed": 9007199254740992.0}"#)).await;
    assert!(other.sequence().is_some(), "{}", other.body);
}

#[both_engines]
async fn a_moment_that_is_known_is_not_to_come(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let path = format!("{}/test/resolve", release.sets());
    let at = async |moment: &str| release.client.get(&format!("{path}?at={moment}")).await;
    let start = now(&server);
    // Another server's clock is ahead by more than clocks may differ.
    server.clock.advance_seconds(60);
    release.put("test", version_set(1, 1)).await;
    server.clock.advance_seconds(-60);
    let never = at(&moment(start, 0)).await;
    assert_eq!(never.status, 404);
    assert_eq!(
        never.detail(),
        "the service had no version set `test` at that moment"
    );
    assert_eq!(at(&moment(start, 60)).await.status, 200);
    assert_eq!(at(&moment(start, 61)).await.faults(), ["query.at: in_the_future"]);
    // A caller's clock may be ahead, too: the latest is what is known of that moment.
    server.clock.advance_seconds(120);
    assert_eq!(at(&moment(start, 120 + 30)).await.status, 200);
    assert_eq!(
        at(&moment(start, 120 + 31)).await.faults(),
        ["query.at: in_the_future"]
    );
}

#[both_engines]
async fn a_time_is_understood_or_answered_with_the_one_that_is_meant(server: TestServer) {
    let release = Release::new(&server, 1).await;
    server.clock.advance_seconds(1800);
    let path = format!("{}/release/resolve", release.sets());
    let at = async |moment: &str| release.client.get(&format!("{path}?at={moment}")).await;
    // In a query, a plus is a blank.
    for offset in ["+01:00", "%2B01:00", "%2001:00"] {
        let answer = at(&format!("2026-11-23T13:30:00{offset}")).await;
        assert_eq!(answer.status, 200, "{offset}: {}", answer.body);
    }
    for (text, meant) in [
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("2026-11-23%2013:00:00", "2026-11-23T13:00:00Z"),
        ("1795435200", "2026-11-23T12:00:00.000Z"),
    ] {
        let answer = at(text).await;
        assert_eq!(answer.faults(), ["query.at: format"], "{text}");
        let msg = answer.body["detail"][0]["msg"].as_str().unwrap();
        assert!(msg.ends_with(&format!("did you mean {meant}?")), "{msg}");
    }
}

#[both_engines]
async fn a_body_is_read_in_utf_8_and_kept_as_it_is(server: TestServer) {
    let admin = server.admin();
    let send = async |bytes: Vec<u8>| {
        let json = Some("application/json; charset=utf-8");
        admin
            .send_raw(Method::POST, "organization/agent", &[], json, bytes)
            .await
    };
    let marked = [b"\xef\xbb\xbf".as_slice(), br#"{"agent_name": "Mira"}"#].concat();
    assert_eq!(send(marked).await.status, 201);
    let utf16: Vec<u8> = "{\"agent_name\": \"Ada\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let answer = send(utf16).await;
    assert_eq!(answer.faults(), ["body: json_invalid"]);
    assert!(
        answer.body["detail"][0]["msg"]
            .as_str()
            .unwrap()
            .contains("UTF-16"),
        "{}",
        answer.body
    );
    let huge = br#"{"agent_name": "Ada", "other": [18446744073709551616]}"#;
    assert_eq!(send(huge.to_vec()).await.faults(), ["body.other.0: json_refused"]);
}
