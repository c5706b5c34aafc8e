//! Bodies that are no JSON, not the JSON that is meant, or too large.

use forge_testkit::both_engines;
use serde_json::json;

use super::{Target, assert_refused, refuses_bodies, state, targets};

/// The largest body that test servers admit, in bytes.
const LIMIT: usize = 256 * 1024;

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
