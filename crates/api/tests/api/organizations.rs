//! What an organization tells about itself, and the models it may use.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, both_engines};
use serde_json::{Value, json};

const ORGANIZATION: &str = "organization/";
const MODELS: &str = "admin/get_models/";

/// What everybody is told.
fn name_only(client: &TestClient) -> Value {
    let id = &client.organization;
    json!({"org_id": id, "org_name": id, "default_user_preferences": null, "tenant_id": null})
}

#[both_engines]
async fn anybody_is_told_the_name_of_an_organization(server: TestServer) {
    let admin = server.admin();
    let user = server.user(DefaultRole::User).await;
    let stranger = server.stranger().in_organization(&admin.organization);
    for client in [admin.anonymous(), admin.with_token("no token"), stranger, user] {
        for path in [ORGANIZATION, "organization"] {
            let found = client.get(path).await;
            assert_eq!(found.status, 200);
            assert_eq!(found.body, name_only(admin));
        }
    }
}

#[both_engines]
async fn whoever_may_see_the_details_is_told_the_preferences(server: TestServer) {
    let preferences = json!({
        "enable_response_recommendation": false,
        "preferred_language": null,
        "conversations_visible_to_admins": true,
        "user_model_visible_to_admins": true,
        "timezone": null,
        "audio_keyterms": [],
    });
    let administrator = server.user(DefaultRole::Administrator).await;
    for client in [server.admin(), &administrator] {
        let mut expected = name_only(client);
        expected["default_user_preferences"] = preferences.clone();
        assert_eq!(client.get(ORGANIZATION).await.body, expected);
    }
    server.clock.advance_seconds(3600);
    let expired = server.admin().get(ORGANIZATION).await;
    assert_eq!(
        (expired.status.as_u16(), expired.body),
        (200, name_only(server.admin()))
    );
}

#[both_engines]
async fn an_organization_that_is_not_there_is_not_found(server: TestServer) {
    for id in [
        "no-such-organization",
        "NO",
        "%00",
        "%20",
        &server.admin().organization.to_uppercase(),
    ] {
        for client in [server.admin(), &server.admin().anonymous()] {
            assert_eq!(
                client.in_organization(id).get(ORGANIZATION).await.status,
                404,
                "{id}"
            );
        }
    }
    let refused = server.admin().in_organization("%FF").get(ORGANIZATION).await;
    assert_eq!(
        (refused.status.as_u16(), refused.faults()),
        (422, vec!["path: string_unicode".to_owned()])
    );
}

#[both_engines]
async fn every_model_of_the_installation_is_listed_with_a_schema_of_its_parameters(server: TestServer) {
    let administrator = server.user(DefaultRole::Administrator).await;
    for (client, path) in [(server.admin(), MODELS), (&administrator, "admin/get_models")] {
        let found = client.get(path).await;
        assert_eq!(found.status, 200);
        let models = found.body["models"].as_array().unwrap();
        let expected: Vec<&str> = server
            .app
            .catalogues
            .models
            .descriptions()
            .map(|model| model.name.as_str())
            .collect();
        let names: Vec<&str> = models
            .iter()
            .map(|model| model["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected);
        assert!(names.contains(&"openai_gpt-5.2-2025-12-11"), "{names:?}");
        for model in models {
            assert_eq!(model["params_model_schema"]["type"], "object", "{model}");
        }
        let retires_at = |name| &models.iter().find(|model| model["name"] == name).unwrap()["retires_at"];
        assert_eq!(retires_at("retiring_model"), "2026-11-24T12:00:00.000Z");
        assert_eq!(retires_at("openai_gpt-5.2-2025-12-11"), &Value::Null);
    }
}

#[both_engines]
async fn models_are_for_those_who_may_list_them(server: TestServer) {
    assert_eq!(server.admin().anonymous().get(MODELS).await.status, 401);
    let refused = server.user(DefaultRole::User).await.get(MODELS).await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.detail().contains("`Admin:GetModels`"),
        "{}",
        refused.detail()
    );
    for organization in ["no-such-organization", "%00", &server.stranger().organization] {
        let elsewhere = server.admin().in_organization(organization).get(MODELS).await;
        assert_eq!(
            elsewhere.status, 401,
            "the operation documents no 404: {organization}"
        );
    }
    assert_eq!(
        server.admin().in_organization("%FF").get(MODELS).await.status,
        422
    );
}
