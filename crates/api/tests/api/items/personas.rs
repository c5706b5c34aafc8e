//! What only personas have.

use forge_app::items::find_latest;
use forge_domain::PersonaId;
use forge_domain::simulation::PersonaDetails;
use forge_testkit::{TestClient, both_engines, record};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::grants::any;
use crate::support::items::{PERSONA, persona_body, persona_version};
use crate::support::organization::organization;
use crate::support::users::user_with;

const SECRET: &str = "0815-secret-of-a-persona";

/// Returns the latest version of a persona.
async fn latest(client: &TestClient, id: &str) -> Value {
    let listed = client
        .get(&format!("simulation/persona/{id}/version/?version=latest"))
        .await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body["simulation_persona_versions"][0].clone()
}

#[both_engines]
async fn secrets_are_shown_to_those_who_may_replace_them_only(server: TestServer) {
    record::secret("sensitive variable of a persona", SECRET);
    let mut body = persona_body("Ada");
    body["initial_version"]["sensitive_user_variables"] = json!({"pin": SECRET});
    let id = PERSONA.create(&server, body).await;
    assert_eq!(
        latest(server.admin(), &id).await["sensitive_user_variables"],
        json!({"pin": SECRET})
    );
    let reader = user_with(&server, "Reader", vec![any(PERSONA.get)]).await;
    let seen = latest(&reader, &id).await;
    assert_eq!(seen.get("sensitive_user_variables"), None);
    assert_eq!(seen["nonsensitive_user_variables"], json!({"city": "Bonn"}));
    let found = server
        .admin()
        .get("simulation/persona/search?query=0815-secret")
        .await;
    assert_eq!(found.body["simulation_personas"], json!([]));
}

#[both_engines]
async fn secrets_are_sealed_in_the_store_and_opened_to_run_the_persona(server: TestServer) {
    record::secret("sensitive variable of a persona", SECRET);
    let mut body = persona_body("Ada");
    body["initial_version"]["sensitive_user_variables"] = json!({"pin": SECRET});
    let id = PERSONA.create(&server, body).await;
    let organization = organization(&server);
    let mut tx = server.app.store.read().await.unwrap();
    let stored = tx
        .find_item_version(
            &organization,
            id.parse::<PersonaId>().unwrap(),
            1.try_into().unwrap(),
        )
        .await
        .unwrap()
        .unwrap();
    assert!(!stored.document.contains(SECRET));
    assert!(!stored.sealed.unwrap().contains(SECRET));
    let (item, document) =
        find_latest::<PersonaDetails>(&server.app, &mut tx, &organization, id.parse().unwrap())
            .await
            .unwrap();
    assert_eq!(item.name, "Ada");
    assert_eq!(document.sensitive_user_variables["pin"], SECRET);
    drop(tx);
    server.admin().delete(&format!("simulation/persona/{id}/")).await;
    let mut tx = server.app.store.read().await.unwrap();
    let gone = find_latest::<PersonaDetails>(&server.app, &mut tx, &organization, id.parse().unwrap()).await;
    assert!(gone.unwrap_err().to_string().contains("is deleted"));
}

#[both_engines]
async fn what_is_not_said_of_language_and_time_zone_is_the_organizations(server: TestServer) {
    let id = PERSONA.named(&server, "Ada").await;
    let path = format!("simulation/persona/{id}/version/");
    let preferences =
        json!({"default_user_preferences": {"preferred_language": "deu", "timezone": "Europe/Berlin"}});
    assert_eq!(
        server.admin().post("organization/", preferences).await.status,
        204
    );
    assert_eq!(
        latest(server.admin(), &id).await["preferred_language"],
        Value::Null,
        "versions never change"
    );
    for (given, expected) in [
        (json!({}), [json!("deu"), json!("Europe/Berlin")]),
        (
            json!({"preferred_language": {}, "timezone": {}}),
            [json!("deu"), json!("Europe/Berlin")],
        ),
        (
            json!({"preferred_language": null, "timezone": null}),
            [json!(null), json!(null)],
        ),
        (
            json!({"preferred_language": "fra", "timezone": "UTC"}),
            [json!("fra"), json!("UTC")],
        ),
    ] {
        let mut body = persona_version();
        body.as_object_mut()
            .unwrap()
            .extend(given.as_object().unwrap().clone());
        let created = server.admin().post(&path, body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let version = latest(server.admin(), &id).await;
        assert_eq!(
            [&version["preferred_language"], &version["timezone"]],
            [&expected[0], &expected[1]]
        );
    }
}

#[both_engines]
async fn personas_are_filtered_by_role_and_deletion(server: TestServer) {
    let mut expert = persona_body("Bob");
    expert["role"] = json!("expert");
    let expert = PERSONA.create(&server, expert).await;
    let ada = PERSONA.named(&server, "Ada").await;
    assert_eq!(PERSONA.names(&server, "?role=expert").await, ["Bob"]);
    assert_eq!(
        PERSONA.names(&server, "?role=expert&role=customer").await,
        ["Bob", "Ada"]
    );
    assert_eq!(
        server
            .admin()
            .delete(&format!("simulation/persona/{ada}/"))
            .await
            .status,
        204
    );
    assert_eq!(
        PERSONA.names(&server, "").await,
        ["Bob", "Ada"],
        "deleted ones are listed unless one says otherwise"
    );
    assert_eq!(PERSONA.names(&server, "?is_deleted=false").await, ["Bob"]);
    assert_eq!(PERSONA.names(&server, "?is_deleted=true").await, ["Ada"]);
    let listed = server.admin().get("simulation/persona/").await;
    assert_eq!(
        listed.body["filter_values"]["roles"],
        json!(["customer", "expert"])
    );
    assert_eq!(PERSONA.shown(&server, &expert).await["role"], "expert");
}

#[both_engines]
async fn bodies_must_be_well_formed(server: TestServer) {
    for (field, value, place) in [
        ("background", json!(""), "body.initial_version.background"),
        (
            "preferred_language",
            json!("klingon"),
            "body.initial_version.preferred_language",
        ),
        ("timezone", json!("Moon/Base"), "body.initial_version.timezone"),
        (
            "sensitive_user_variables",
            json!({"Bad Name": "x"}),
            "body.initial_version.sensitive_user_variables",
        ),
    ] {
        let mut body = persona_body("Ada");
        body["initial_version"][field] = value;
        assert_invalid_at(&server.admin().post("simulation/persona/", body).await, place);
    }
}
