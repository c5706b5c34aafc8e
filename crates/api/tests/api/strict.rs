//! What somebody asked for not to happen does not happen, wherever and however they wrote it.

use axum::http::Method;
use forge_testkit::{TestResponse, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use crate::support::examples::state;
use crate::support::releases::{Release, assert_applied};

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

async fn put(release: &Release, set: &str, pins: &Value) -> TestResponse {
    release
        .client
        .put(&release.set(set), json!({"version_set": pins}))
        .await
}

async fn with_header(release: &Release, method: Method, path: &str, header: (&str, &str)) -> TestResponse {
    let body = match method {
        Method::PUT => json!({"version_set": version_set(2, 2)}),
        Method::POST if path.ends_with("promote") => json!({"source": "preview"}),
        Method::POST => json!({}),
        _ => Value::Null,
    };
    release.send(method, path, &[header], body).await
}

#[both_engines]
async fn what_asks_for_safety_in_a_header_is_not_overlooked(server: TestServer) {
    let service = server.service(2).await;
    let path = format!("service/{service}/version_sets/test/");
    let put = json!({"version_set": version_set(1, 1)});
    assert_eq!(server.admin().put(&path, put).await.status, 204);
    let promote = format!("service/{service}/version_sets/release/promote");
    let body = serde_json::to_vec(&json!({"source": "test"})).unwrap();
    for name in [
        "forge-dry-run",
        "dry-run",
        "forge-plan-digest",
        "forge-if-match",
        "x-if-match",
        "if_match",
        "if-unmodified-since",
        "x-idempotency-key",
        "forge-min-sequences",
    ] {
        let headers = [(name, "1"), ("content-type", "application/json")];
        let told = server
            .admin()
            .send_raw(Method::POST, &promote, &headers, None, body.clone())
            .await;
        assert_eq!(told.status, 422, "{name}: {}", told.body);
    }
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "dry_run=true"),
        ("text/plain", "dry run, please"),
    ] {
        let headers = [("content-type", kind)];
        let told = server
            .admin()
            .send_raw(Method::DELETE, &path, &headers, None, body.into())
            .await;
        assert_eq!(told.status, 422, "{kind}: {}", told.body);
    }
}

#[both_engines]
async fn a_dry_run_that_became_a_part_of_a_message_is_not_overlooked(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    let before = state(&server).await;
    let (sets, preview) = (release.sets(), release.set("preview"));
    for query in [
        "message=x?dry_run=true",
        "message=x%26dry_run=true",
        "message=?plan_digest=0",
        "message=x%3Flift_hold=1",
    ] {
        let fault = ["query.message: misplaced"];
        let put = format!("{preview}?{query}");
        assert_eq!(
            release
                .client
                .put(&put, json!({"version_set": version_set(1, 1)}))
                .await
                .faults(),
            fault,
            "{query}"
        );
        assert_eq!(release.client.delete(&put).await.faults(), fault, "{query}");
        for (call, body) in [("promote", json!({"source": "preview"})), ("rollback", json!({}))] {
            let path = format!("{sets}/release/{call}?{query}");
            assert_eq!(release.client.post(&path, body).await.faults(), fault, "{path}");
        }
    }
    assert_eq!(state(&server).await, before);
    // As programs write a text in a query.
    let path = format!("{preview}?message=Why?+Tried+%3Fdry_run%3Dtrue+%26+more.");
    assert_eq!(
        release
            .client
            .put(&path, json!({"version_set": version_set(1, 1)}))
            .await
            .status,
        204
    );
}

#[both_engines]
async fn a_dry_run_and_a_digest_count_in_the_query_and_in_the_body_alike(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    release.release(3).await;
    let (sets, preview) = (release.sets(), release.set("preview"));
    let (promote, rollback) = (
        format!("{sets}/release/promote"),
        format!("{sets}/release/rollback"),
    );
    let source = json!({"source": "preview"});
    let with = |base: &Value, name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    let pins = json!({"version_set": version_set(1, 1)});
    let many =
        json!({"promotions": [{"service_id": release.service, "source": "edge", "target": "preview"}]});
    let post = Method::POST;
    let before = state(&server).await;
    for (method, path, body, expected) in [
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            source.clone(),
            "plan",
        ),
        (
            post.clone(),
            promote.clone(),
            with(&source, "dryRun", json!(true)),
            "body.dryRun: misplaced",
        ),
        (
            post.clone(),
            format!("{promote}?plan_digest=0000"),
            source.clone(),
            "409",
        ),
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            with(&source, "dry_run", json!(false)),
            "query.dry_run: contradiction",
        ),
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            with(&source, "dry_run", json!(true)),
            "plan",
        ),
        (
            post.clone(),
            format!("{rollback}?dry_run=true"),
            Value::Null,
            "plan",
        ),
        (
            post.clone(),
            format!("{rollback}?plan_digest=0000"),
            json!({}),
            "409",
        ),
        (
            post.clone(),
            format!("{rollback}?dry-run=true"),
            json!({}),
            "query.dry-run: misplaced",
        ),
        (
            post.clone(),
            "promotion?dry_run=true".to_owned(),
            many.clone(),
            "plan",
        ),
        (
            post.clone(),
            "promotion?plan_digest=0000".to_owned(),
            many.clone(),
            "409",
        ),
        (
            post,
            "promotion?freeze=true".to_owned(),
            many,
            "query.freeze: misplaced",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "dry_run", json!(true)),
            "plan",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "plan_digest", json!("0000")),
            "409",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "freeze", json!(true)),
            "body.freeze: misplaced",
        ),
        (
            Method::PUT,
            format!("{preview}?dryRun=true"),
            pins.clone(),
            "query.dryRun: misplaced",
        ),
        (
            Method::PUT,
            format!("{preview}?dry_run=true&dry_run=false"),
            pins.clone(),
            "query.dry_run: duplicate",
        ),
        (
            Method::PUT,
            format!("{preview}?dry_run=false"),
            with(&pins, "dry_run", json!(true)),
            "body.dry_run: contradiction",
        ),
        (Method::DELETE, preview.clone(), json!({"dry_run": true}), "plan"),
        (
            Method::DELETE,
            preview.clone(),
            json!({"plan_digest": "0000"}),
            "409",
        ),
        (
            Method::DELETE,
            preview.clone(),
            json!({"dryRun": true}),
            "body.dryRun: misplaced",
        ),
        (
            Method::DELETE,
            format!("{sets}/release/hold?dry_run=true"),
            Value::Null,
            "query.dry_run: misplaced",
        ),
        (
            Method::DELETE,
            format!("{sets}/release/hold"),
            json!({"dry_run": true}),
            "body.dry_run: misplaced",
        ),
    ] {
        let answer = release.send(method.clone(), &path, &[], body.clone()).await;
        let told = (answer.status.as_u16(), answer.body.get("applied"));
        let context = format!("{method} {path} {body}: {told:?} {}", answer.body);
        match expected {
            "plan" => assert!(answer.status == 200 && told.1 != Some(&json!(true)), "{context}"),
            "409" => assert_eq!(told.0, 409, "{context}"),
            fault => assert_eq!(answer.faults(), [fault], "{context}"),
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn terms_in_either_place_do_what_they_say(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let sets = release.sets();
    let promote = format!("{sets}/release/promote?lift_hold=true&freeze=false&message={{why}}");
    release.put("preview", version_set(None, 1)).await;
    let plan = release
        .client
        .post(&format!("{promote}&dry_run=1"), json!({"source": "preview"}))
        .await;
    let digest = plan.body["plan"]["digest"].as_str().unwrap().to_owned();
    let path = format!("{promote}&plan_digest={digest}");
    assert_applied(&release.client.post(&path, json!({"source": "preview"})).await, 4);
    let newest = &release.history("release").await[0];
    assert_eq!(newest["message"], "{why}");
    assert_eq!(
        newest["pins"]["agent_version_number"],
        Value::Null,
        "it was not frozen"
    );
    let body = json!({"version_set": version_set(3, 1), "message": "in the body"});
    assert_eq!(
        release.client.put(&release.set("release"), body).await.status,
        204
    );
    assert_eq!(release.history("release").await[0]["message"], "in the body");
    let gone = release
        .send(
            Method::DELETE,
            &release.set("preview"),
            &[],
            json!({"message": "gone"}),
        )
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(release.history("preview").await[0]["message"], "gone");
}

#[both_engines]
async fn what_a_proxy_makes_of_a_tag_names_the_same_revision(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    release.put("preview", version_set(3, 1)).await;
    let sets = release.sets();
    for tag in [r#"W/"R""#, r#""R-gzip""#, r#"W/"R-gzip""#] {
        for (method, path) in [
            (Method::PUT, release.set("release")),
            (Method::POST, format!("{sets}/release/promote")),
            (Method::POST, format!("{sets}/release/rollback")),
        ] {
            let revision = release.get("release").await["revision"].as_i64().unwrap();
            let other = tag.replace('R', &(revision + 1).to_string());
            let answer = with_header(&release, method.clone(), &path, ("If-Match", &other)).await;
            assert_eq!(answer.status, 412, "{method} {path} {other}: {}", answer.body);
            let tag = tag.replace('R', &revision.to_string());
            let answer = with_header(&release, method.clone(), &path, ("If-Match", &tag)).await;
            assert!(
                answer.status.is_success(),
                "{method} {path} {tag}: {}",
                answer.body
            );
            release.client.delete(&format!("{sets}/release/hold")).await;
        }
    }
    let revision = release.get("preview").await["revision"].as_i64().unwrap();
    let both = [("If-Match", "\"99\""), ("If-Match", &format!("W/\"{revision}\""))];
    let preview = release.set("preview");
    let deleted = release.send(Method::DELETE, &preview, &both, Value::Null).await;
    assert_eq!(
        deleted.status, 204,
        "several lines are one list: {}",
        deleted.body
    );
    let path = format!("{sets}/release/resolve");
    let tag = release.client.get(&path).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let hash = tag.trim_matches('"');
    for held in [format!("\"{hash}-gzip\""), format!("W/\"{hash}\"")] {
        let answer = with_header(&release, Method::GET, &path, ("If-None-Match", &held)).await;
        assert_eq!(answer.status, 304, "{held}");
    }
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
async fn a_yank_of_what_a_plan_has_nothing_to_do_with_does_not_move_it(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.put("preview", version_set(2, 1)).await;
    let found = release
        .client
        .get(&format!("service/?id={}", release.service))
        .await;
    let agent = found.body["services"][0]["agent_id"].as_str().unwrap().to_owned();
    let plan = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    let digest = &plan.body["plan"]["digest"];
    let yank = async |version: i64| {
        let path = format!("organization/agent/{agent}/version/{version}/yank");
        assert_eq!(
            release.client.post(&path, json!({"reason": "bad"})).await.status,
            200
        );
    };
    let body = json!({"source": "preview", "plan_digest": digest});
    yank(1).await;
    let moved = release.post("release", "promote", body.clone()).await;
    assert_eq!(
        moved.status, 409,
        "what the set means now was yanked: {}",
        moved.body
    );
    let back = format!("organization/agent/{agent}/version/1/yank");
    assert_eq!(release.client.delete(&back).await.status, 200);
    yank(3).await;
    assert_applied(&release.post("release", "promote", body).await, 3);
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

#[both_engines]
async fn who_declares_what_they_are_is_understood_or_refused(server: TestServer) {
    let release = Release::new(&server, 1).await;
    for kind in ["Agent", "agnet", ""] {
        let answer = with_header(
            &release,
            Method::PUT,
            &release.set("test"),
            ("Forge-Actor-Kind", kind),
        )
        .await;
        assert_eq!(answer.faults(), ["header.Forge-Actor-Kind: enum"], "{kind}");
    }
}
