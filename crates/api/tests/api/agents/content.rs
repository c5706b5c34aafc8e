//! What a version of an agent says.

use axum::body::Body;
use axum::handler::Handler as _;
use axum::http::{Request, StatusCode, header};
use axum::routing::any_service;
use forge_api::Limits;
use forge_api::Router;
use forge_app::{App, Catalogues, Environment};
use forge_domain::agent::VoiceCatalogue;
use forge_testkit::{KNOWN_TOOL, TestClient, agent_version, both_engines};
use serde_json::{Value, json};

use super::{AGENT, number, text};

#[both_engines]
async fn the_first_version_of_an_agent_needs_every_field(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    let fields: Vec<String> = agent_version().as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        let mut absent = agent_version();
        absent.as_object_mut().unwrap().remove(field);
        let mut null = agent_version();
        null[field] = Value::Null;
        for body in [absent, null] {
            let refused = server.admin().post(&AGENT.one(&id), body).await;
            assert_eq!(refused.status, 400);
            assert!(
                refused.detail().ends_with(&format!("missing: {field}")),
                "{}",
                refused.detail()
            );
        }
    }
    let refused = server.admin().post(&AGENT.one(&id), json!({})).await;
    assert_eq!(refused.status, 400);
    assert!(
        fields.iter().all(|field| refused.detail().contains(field)),
        "{}",
        refused.detail()
    );
    assert_eq!(
        AGENT.rows(server.admin(), "").await[0]["latest_version"],
        Value::Null
    );
    assert_eq!(number(&AGENT.add_version(server.admin(), &id).await.body), 1);
}

#[both_engines]
async fn a_later_version_of_an_agent_keeps_what_it_does_not_name(server: TestServer) {
    let id = AGENT.with_versions(server.admin(), 1).await;
    let changes = [
        json!({"background": "Another past."}),
        json!({"behaviors": [], "initials": null, "identity": null}),
        json!({}),
    ];
    let mut expected = agent_version();
    for (change, version) in changes.into_iter().zip(2..) {
        assert_eq!(
            number(&server.admin().post(&AGENT.one(&id), change.clone()).await.body),
            version
        );
        for (field, value) in change
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
        {
            expected[field] = value.clone();
        }
        let page = server.admin().get(&AGENT.versions(&id, "version=latest")).await;
        let found = &page.body["agent_versions"][0];
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&found[field], value, "version {version}");
        }
    }
    let page = server.admin().get(&AGENT.versions(&id, "version=1")).await;
    assert_eq!(
        page.body["agent_versions"][0]["background"],
        agent_version()["background"]
    );
}

#[both_engines]
async fn the_fields_of_an_agent_have_bounds(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    for (pointer, value, fault) in [
        ("/initials", json!("ABCD"), "body.initials: string_too_long"),
        ("/initials", json!(" "), "body.initials: string_too_short"),
        ("/background", json!(""), "body.background: string_too_short"),
        (
            "/behaviors",
            json!(["a", "\n"]),
            "body.behaviors.1: string_too_short",
        ),
        (
            "/communication_patterns",
            json!([""]),
            "body.communication_patterns.0: string_too_short",
        ),
        (
            "/voice_config/voice_id",
            json!(""),
            "body.voice_config.voice_id: string_too_short",
        ),
        ("/voice_config", json!({}), "body.voice_config.voice_id: missing"),
        (
            "/identity/name",
            json!(""),
            "body.identity.name: string_too_short",
        ),
        (
            "/identity/default_spoken_language",
            json!("xyz"),
            "body.identity.default_spoken_language: enum",
        ),
        (
            "/identity/relationship_to_developer",
            json!({"ownership": "o", "type": "t", "conversation_visibility": "c"}),
            "body.identity.relationship_to_developer.thought_visibility: missing",
        ),
    ] {
        let mut body = agent_version();
        *body.pointer_mut(pointer).unwrap() = value;
        let refused = server.admin().post(&AGENT.one(&id), body).await;
        assert_eq!(refused.status, 422, "{pointer}");
        assert_eq!(refused.faults(), [fault]);
    }
    let mut body = agent_version();
    body["initials"] = json!(" ÄÖÜ ");
    assert_eq!(server.admin().post(&AGENT.one(&id), body).await.status, 201);
    let page = server.admin().get(&AGENT.versions(&id, "")).await;
    assert_eq!(page.body["agent_versions"][0]["initials"], "ÄÖÜ");
}

#[both_engines]
async fn an_installation_may_admit_only_some_voices(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    let voice = text(&agent_version()["voice_config"]["voice_id"]);
    for (admitted, expected) in [("another voice", 400), (&voice, 201)] {
        let catalogues = Catalogues {
            models: server.app.catalogues.models.clone(),
            voices: VoiceCatalogue::Only(vec![admitted.to_owned()]),
            tools: [KNOWN_TOOL.parse().unwrap()].into(),
        };
        let environment = Environment {
            catalogues: catalogues.into(),
            ..Environment::clone(&server.app)
        };
        let app = App::new(server.app.store.clone(), environment);
        let router = Router::new(app, Limits::default());
        assert_eq!(
            post_to(router, server.admin(), &AGENT.one(&id), &agent_version()).await,
            expected
        );
    }
}

/// Sends JSON to a router of the test's own and returns the status.
async fn post_to(router: Router, client: &TestClient, path: &str, body: &Value) -> StatusCode {
    let request = Request::post(format!("/v1/{}/{path}", client.organization))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", client.token.as_ref().unwrap()),
        )
        .body(Body::from(body.to_string()));
    any_service(router).call(request.unwrap(), ()).await.status()
}
