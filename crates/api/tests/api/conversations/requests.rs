//! What may not be asked.

use forge_testkit::{TestClient, TestServer, both_engines, form};
use serde_json::{Value, json};

use super::{create, finish, interact, listed, say};
use crate::support::assertions::{assert_invalid, assert_refused};
use crate::support::ids::UNKNOWN_ID;

const HELLO: [(&str, &str); 2] = [
    ("initial_message_type", "user-message"),
    ("recorded_message", "Hello"),
];

async fn started(server: &TestServer) -> (String, String) {
    let service = server.service(1).await;
    let id = create(server.admin(), &service, json!({})).await.conversation();
    (service, id)
}

async fn status(client: &TestClient, conversation: &str, fields: &[(&str, &str)]) -> (u16, Value) {
    let answer = client.post_form(&interact(conversation), fields).await;
    (answer.status.as_u16(), answer.body)
}

#[both_engines]
async fn a_conversation_is_started_only_where_that_makes_sense(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    assert_eq!(create(admin, UNKNOWN_ID, json!({})).await.status, 404);
    for set in ["test", "no set's name", ""] {
        let answer = create(admin, &service, json!({"service_version_set_name": set})).await;
        assert_eq!(answer.status, 404, "{set}: {}", answer.body);
    }
    let sets = format!("service/{service}/version_sets");
    let body = json!({"version_set": forge_testkit::version_set(1, 1)});
    admin.put(&format!("{sets}/test/"), body).await;
    admin.delete(&format!("{sets}/test/")).await;
    assert_eq!(
        create(admin, &service, json!({"service_version_set_name": "test"}))
            .await
            .status,
        404
    );
    admin
        .post(&format!("service/{service}/"), json!({"is_active": false}))
        .await;
    let inactive = create(admin, &service, json!({})).await;
    assert_eq!(inactive.status, 400, "{}", inactive.body);
    admin
        .post(&format!("service/{service}/"), json!({"is_active": true}))
        .await;
    for (more, fault) in [
        (
            json!({"initial_message_type": "user-message"}),
            "body.initial_message_type: without_message",
        ),
        (
            json!({"initial_message": ""}),
            "body.initial_message: string_too_short",
        ),
        (
            json!({"initial_message": "x", "initial_message_type": "skip"}),
            "body.initial_message_type: enum",
        ),
        (
            json!({"tags": {"a-b": "x"}}),
            "body.tags: string_pattern_mismatch",
        ),
        (
            json!({"tags": {"a": "x".repeat(101)}}),
            "body.tags.a: string_too_long",
        ),
    ] {
        let mut body = json!({"service_id": service});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let answer = admin.post("conversation/?response_format=text", body).await;
        assert_invalid(&answer, &[fault]);
    }
    let long = "x".repeat(20_001);
    let long = create(admin, &service, json!({"initial_message": long})).await;
    assert_eq!(long.status, 400, "{}", long.body);
    let body = json!({"service_id": service});
    let voice = admin
        .post("conversation/?response_format=voice", body.clone())
        .await;
    assert_refused(&voice, &["does not speak or listen"]);
    for (query, fault) in [
        ("", "query.response_format: missing"),
        (
            "?response_format=text&current_agent_action_type=(",
            "query.current_agent_action_type: invalid",
        ),
    ] {
        let answer = admin.post(&format!("conversation/{query}"), body.clone()).await;
        assert_invalid(&answer, &[fault]);
    }
    let all = admin.get("conversation/").await.body;
    assert_eq!(all["conversations"], json!([]), "nothing of it was started");
}

#[both_engines]
async fn a_form_must_say_something_that_can_be_said(server: TestServer) {
    let (admin, (_, id)) = (server.admin(), started(&server).await);
    let kind = ("initial_message_type", "user-message");
    let (content, time) = (
        "external_event_message_content",
        "external_event_message_timestamp",
    );
    let message = ("recorded_message", "x");
    let skip = ("initial_message_type", "skip");
    let empty = "the message is empty";
    for (fields, why) in [
        (vec![kind, ("recorded_message", "")], empty),
        (vec![kind, ("recorded_message", " \n ")], empty),
        (
            vec![
                kind,
                message,
                (content, "not yet"),
                (time, "2026-11-23T12:00:01Z"),
            ],
            "external event 0 is not in the past",
        ),
        (
            vec![
                kind,
                message,
                (content, "long ago"),
                (time, "2026-11-23T11:59:59Z"),
            ],
            "external event 0 happened before what was said last",
        ),
    ] {
        assert_refused(&admin.post_form(&interact(&id), &fields).await, &[why]);
    }
    for (fields, fault) in [
        (vec![kind], "body.recorded_message: missing"),
        (vec![message], "body.initial_message_type: missing"),
        (
            vec![("initial_message_type", "shout"), message],
            "body.initial_message_type: enum",
        ),
        (
            vec![kind, message, (content, "happened")],
            "body.external_event_message_timestamp: length",
        ),
        (
            vec![kind, message, (content, "happened"), (time, "yesterday")],
            "body.external_event_message_timestamp: format",
        ),
        (vec![skip, message], "body.recorded_message: string_too_long"),
        (
            vec![kind, ("recorded_message", "a\0b")],
            "body.recorded_message: string_unicode",
        ),
        (
            vec![kind, message, ("recorded_message", "y")],
            "body.recorded_message: duplicate",
        ),
        (vec![skip, kind, message], "body.initial_message_type: duplicate"),
    ] {
        assert_invalid(&admin.post_form(&interact(&id), &fields).await, &[fault]);
    }
    assert_eq!(
        listed(admin, &id).await.unwrap()["num_messages"],
        1,
        "nothing of it was kept"
    );
    assert_eq!(
        status(admin, &id, &HELLO).await.0,
        200,
        "the conversation goes on"
    );
}

#[both_engines]
async fn a_body_that_is_no_form_is_refused(server: TestServer) {
    let (admin, (_, id)) = (server.admin(), started(&server).await);
    let path = interact(&id);
    let (_, sound) = form(&HELLO);
    let (no_form, no_parts) = ("header.content-type: string_pattern_mismatch", "body: form");
    let parts = Some("multipart/form-data; boundary=parts");
    for (content_type, body, fault) in [
        (Some("application/json"), b"{}".to_vec(), no_form),
        (Some("multipart/form-data"), sound.clone(), no_form),
        (
            Some("multipart/form-data; boundary=other"),
            sound.clone(),
            no_parts,
        ),
        (parts, Vec::new(), no_parts),
        (parts, sound[..sound.len() - 12].to_vec(), no_parts),
        (None, sound.clone(), "header.content-type: missing"),
    ] {
        let answer = admin
            .send_raw(axum::http::Method::POST, &path, &[], content_type, body)
            .await;
        assert_invalid(&answer, &[fault]);
    }
    let large = vec![b'x'; 300 * 1024];
    assert_eq!(
        admin
            .send_raw(axum::http::Method::POST, &path, &[], parts, large)
            .await
            .status,
        413
    );
}

#[both_engines]
async fn a_message_may_be_sent_as_a_file(server: TestServer) {
    let (admin, (_, id)) = (server.admin(), started(&server).await);
    let body = "--b\r\nContent-Disposition: form-data; name=\"initial_message_type\"\r\n\r\nuser-message\r\n\
        --b\r\nContent-Disposition: form-data; name=\"recorded_message\"; filename=\"message.txt\"\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nIch höre nichts.\r\n--b--\r\n";
    let kind = Some("multipart/form-data; boundary=b");
    let answer = admin
        .send_raw(
            axum::http::Method::POST,
            &interact(&id),
            &[],
            kind,
            body.as_bytes().to_vec(),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body[0]["user_message"], "Ich höre nichts.");
}

#[both_engines]
async fn voice_is_refused_in_words(server: TestServer) {
    let (admin, (_, id)) = (server.admin(), started(&server).await);
    let config = "request_audio_config=%7B%22type%22%3A%22mp3%22%7D";
    let mut sound =
        b"--b\r\nContent-Disposition: form-data; name=\"recorded_message\"; filename=\"a.mp3\"\r\n\r\n"
            .to_vec();
    sound.extend(b"\xff\xfb\x90\0\r\n--b--\r\n");
    let kind = "multipart/form-data; boundary=b";
    let path = format!("conversation/{id}/interact?request_format=voice&response_format=text&{config}");
    let answer = admin
        .send_raw(axum::http::Method::POST, &path, &[], Some(kind), sound)
        .await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    for formats in [
        "request_format=voice&response_format=text",
        "request_format=text&response_format=voice",
    ] {
        let answer = admin
            .post_form(&format!("conversation/{id}/interact?{formats}"), &HELLO)
            .await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.detail().contains("does not speak"), "{}", answer.detail());
    }
}

#[both_engines]
async fn what_is_not_there_is_not_found(server: TestServer) {
    let admin = server.admin();
    assert_eq!(say(admin, UNKNOWN_ID, "Hello").await.status, 404);
    assert_eq!(finish(admin, UNKNOWN_ID).await.status, 404);
    assert_eq!(
        admin
            .get(&format!("conversation/{UNKNOWN_ID}/messages/"))
            .await
            .status,
        404
    );
    let path = format!("conversation/{UNKNOWN_ID}/interaction/{UNKNOWN_ID}");
    assert_eq!(admin.get(&format!("{path}/insights")).await.status, 404);
    assert_eq!(
        admin
            .post(&format!("{path}/recommend_responses"), json!({}))
            .await
            .status,
        404
    );
    assert_eq!(admin.get("conversation/not-an-id/messages/").await.status, 422);
}
