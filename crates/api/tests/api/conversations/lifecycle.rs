//! From the first interaction to the end.

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{GOODBYE, create, finish, interact, listed, say, transcript};

#[both_engines]
async fn a_conversation_is_started_gone_on_with_and_finished(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let started = create(
        admin,
        &service,
        json!({"tags": {"channel": "web", "trial": null}}),
    )
    .await;
    assert_eq!(started.status, 201);
    assert_eq!(started.types()[0], "conversation-created");
    assert_eq!(started.types().last(), Some(&"interaction-complete"));
    let id = started.conversation();
    let pieces = started.events("new-message");
    let text: String = pieces
        .iter()
        .map(|piece| piece["message"].as_str().unwrap())
        .collect();
    assert_eq!(text, started.message());
    let numbers: Vec<_> = pieces
        .iter()
        .map(|piece| piece["sequence_number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let stops: Vec<_> = pieces
        .iter()
        .map(|piece| piece["stop"].as_bool().unwrap())
        .collect();
    assert!(
        stops.iter().rev().skip(1).all(|stop| !stop) && stops.last() == Some(&true),
        "{stops:?}"
    );

    let answered = say(admin, &id, "My tooth hurts.").await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.types()[0], "user-message-available");
    assert_eq!(
        answered.events("user-message-available")[0]["user_message"],
        "My tooth hurts."
    );
    assert_eq!(
        answered.message(),
        "In welcome_patient, you said: My tooth hurts."
    );
    assert_eq!(
        answered.events("interaction-complete")[0]["conversation_completed"],
        false
    );
    assert_eq!(
        transcript(admin, &id).await,
        [
            &format!("agent-message: {}", started.message()),
            "user-message: My tooth hurts.",
            &format!("agent-message: {}", answered.message()),
        ]
    );
    let row = listed(admin, &id).await.unwrap();
    assert_eq!(row["num_messages"], 3);
    assert_eq!(row["final_message"], json!(answered.message()));
    assert_eq!(row["tags"], json!({"channel": "web", "trial": null}));
    assert_eq!(
        (&row["is_finished"], &row["is_analyzed"]),
        (&json!(false), &json!(false))
    );

    assert_eq!(finish(admin, &id).await.status, 204);
    assert_eq!(listed(admin, &id).await.unwrap()["is_finished"], true);
    let again = finish(admin, &id).await;
    assert_eq!(again.status, 409, "{}", again.body);
    let late = say(admin, &id, "One more thing.").await;
    assert_eq!(late.status, 409, "{}", late.body);
    assert_eq!(create(admin, &service, json!({})).await.status, 201);
}

#[both_engines]
async fn the_terminal_state_ends_the_conversation(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let last = say(admin, &id, GOODBYE).await;
    assert_eq!(
        last.events("interaction-complete")[0]["conversation_completed"],
        true
    );
    assert_eq!(listed(admin, &id).await.unwrap()["is_finished"], true);
    assert_eq!(say(admin, &id, "Hello?").await.status, 409);
    assert_eq!(finish(admin, &id).await.status, 409);
}

#[both_engines]
async fn a_user_has_one_unfinished_conversation_in_a_service(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let second = create(admin, &service, json!({})).await;
    assert_eq!(second.status, 400, "{}", second.body);
    assert!(second.body["detail"].as_str().unwrap().contains(&id));
    let elsewhere = server.service(1).await;
    assert_eq!(create(admin, &elsewhere, json!({})).await.status, 201);
    let other = server.user(DefaultRole::User).await;
    assert_eq!(create(&other, &service, json!({})).await.status, 201);
    finish(admin, &id).await;
    assert_eq!(create(admin, &service, json!({})).await.status, 201);
}

#[both_engines]
async fn only_one_of_many_who_start_at_once_succeeds(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let attempts = (0..8).map(|_| {
        let (admin, service) = (admin.clone(), service.clone());
        tokio::spawn(async move { create(&admin, &service, json!({})).await.status.as_u16() })
    });
    let mut statuses = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        statuses.push(attempt.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| [400, 409].contains(status)),
        "{statuses:?}"
    );
    let all = admin.get("conversation/").await.body;
    assert_eq!(all["conversations"].as_array().unwrap().len(), 1);
}

#[both_engines]
async fn a_conversation_can_begin_with_what_the_user_says_or_with_what_happened(server: TestServer) {
    let admin = server.admin();
    for (kind, expected) in [
        (json!(null), "user-message"),
        (json!("external-event"), "external-event"),
    ] {
        let service = server.service(1).await;
        let more = json!({"initial_message": "  I broke a tooth. ", "initial_message_type": kind});
        let started = create(admin, &service, more).await;
        assert_eq!(started.status, 201, "{}", started.body);
        let said = transcript(admin, &started.conversation()).await;
        assert_eq!(said[0], format!("{expected}: I broke a tooth."));
        assert_eq!(said.len(), 2);
    }
}

#[both_engines]
async fn external_events_come_before_what_is_said(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    server.clock.advance_seconds(1800);
    let fields = [
        ("initial_message_type", "user-message"),
        ("recorded_message", "Did you see it?"),
        ("external_event_message_content", "The picture was sent."),
        ("external_event_message_content", "The picture arrived."),
        ("external_event_message_timestamp", "2026-11-23T12:10:00Z"),
        ("external_event_message_timestamp", "2026-11-23T12:20:00Z"),
    ];
    let answer = admin.post_form(&interact(&id), &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        transcript(admin, &id).await[1..4],
        [
            "external-event: The picture was sent.",
            "external-event: The picture arrived.",
            "user-message: Did you see it?",
        ]
    );
}

#[both_engines]
async fn a_skip_lets_the_agent_speak(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let fields = [("initial_message_type", "skip"), ("recorded_message", "")];
    let answer = admin.post_form(&interact(&id), &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said = transcript(admin, &id).await;
    assert!(
        said.len() == 2 && said.iter().all(|text| text.starts_with("agent-message: ")),
        "{said:?}"
    );
}

#[both_engines]
async fn a_returning_user_is_known_as_one(server: TestServer) {
    let admin = server.admin();
    let graph = "organization/service_hierarchical_state_machine";
    let machine = admin
        .post(graph, json!({"state_machine_name": "Returns"}))
        .await
        .id();
    let mut version = forge_testkit::context_graph_version();
    version["returning_user_initial_state"] = json!("check_recovery");
    assert_eq!(
        admin.post(&format!("{graph}/{machine}/"), version).await.status,
        201
    );
    let agent = server.agent(1).await;
    let body = forge_testkit::service_body("Returns", &agent, &machine);
    let service = admin.post("service/", body).await.id();
    let first = create(admin, &service, json!({})).await;
    assert_eq!(first.message(), "Hello from welcome_patient.");
    finish(admin, &first.conversation()).await;
    assert_eq!(
        create(admin, &service, json!({})).await.message(),
        "Hello from check_recovery."
    );
    let other = server.user(DefaultRole::User).await;
    assert_eq!(
        create(&other, &service, json!({})).await.message(),
        "Hello from welcome_patient."
    );
}

#[both_engines]
async fn insights_tell_how_the_agent_came_to_its_message(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let told = say(admin, &id, GOODBYE).await;
    let path = format!("conversation/{id}/interaction/{}/insights", told.interaction());
    let insights = admin.get(&path).await;
    assert_eq!(insights.status, 200, "{}", insights.body);
    assert_eq!(insights.body["current_state_name"], "close_conversation");
    let transition = &insights.body["state_transition_logs"][0];
    assert_eq!(
        (&transition["type"], &transition["next_state"]),
        (&json!("action"), &json!("close_conversation"))
    );
    let calls = insights.body["model_calls"].as_array().unwrap();
    assert!(
        calls.iter().any(|call| call["interaction"] == "engage-user"),
        "{calls:?}"
    );
    assert!(calls.iter().all(|call| call["is_scripted"] == true));
    assert!(insights.body.get("current_graph").is_none());
    let unknown = format!("conversation/{id}/interaction/{id}/insights");
    assert_eq!(admin.get(&unknown).await.status, 404);
}

#[both_engines]
async fn responses_are_proposed_after_the_latest_interaction(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let started = create(admin, &service, json!({})).await;
    let id = started.conversation();
    let path = |interaction: &str| format!("conversation/{id}/interaction/{interaction}/recommend_responses");
    for body in [
        None,
        Some(json!({})),
        Some(json!({"context": "A patient in a hurry."})),
    ] {
        let answer = admin
            .send(Method::POST, &path(&started.interaction()), body)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["recommended_responses"], json!(["Yes.", "No."]));
    }
    let later = say(admin, &id, "Hm.").await.interaction();
    let old = admin
        .send(Method::POST, &path(&started.interaction()), None)
        .await;
    assert_eq!(old.status, 400, "{}", old.body);
    assert_eq!(admin.send(Method::POST, &path(&later), None).await.status, 200);
    finish(admin, &id).await;
    let finished = admin.send(Method::POST, &path(&later), None).await;
    assert_eq!(finished.status, 400, "{}", finished.body);
}

#[both_engines]
async fn a_deleted_conversation_leaves_no_words(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({"tags": {"secret": "tag"}}))
        .await
        .conversation();
    say(admin, &id, "I am afraid of needles.").await;
    let deleted = admin.delete(&format!("conversation/{id}/")).await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    assert!(deleted.sequence().is_some());
    assert_eq!(listed(admin, &id).await, None);
    for path in [
        format!("conversation/{id}/messages/"),
        format!("conversation/{id}/interaction/{id}/insights"),
    ] {
        assert_eq!(admin.get(&path).await.status, 404);
    }
    assert_eq!(say(admin, &id, "Hello?").await.status, 404);
    assert_eq!(admin.delete(&format!("conversation/{id}/")).await.status, 404);
    let events = admin.get("audit_event/?limit=100").await.body;
    let events = events["audit_events"].as_array().unwrap();
    let event = events
        .iter()
        .find(|event| event["object"]["kind"] == "conversation")
        .unwrap();
    assert_eq!(
        (&event["action"], &event["object"]["id"]),
        (&json!("delete"), &json!(id))
    );
    let text = event.to_string();
    assert!(!text.contains("needles") && !text.contains("secret"), "{text}");
    // The user is free to start another one.
    assert_eq!(create(admin, &service, json!({})).await.status, 201);
}

#[both_engines]
async fn what_a_deleted_user_said_goes_with_them(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let user = server.user(DefaultRole::User).await;
    let id = create(&user, &service, json!({})).await.conversation();
    assert_eq!(transcript(admin, &id).await.len(), 1);
    assert_eq!(admin.delete(&format!("user/{}", user.user_id)).await.status, 204);
    assert_eq!(listed(admin, &id).await, None);
    assert_eq!(
        admin.get(&format!("conversation/{id}/messages/")).await.status,
        404
    );
}
