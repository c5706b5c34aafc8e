//! Names of new things: one name looks one way, and all of it can be seen.

use forge_domain::AgentId;
use forge_domain::asset::AssetKind;
use forge_testkit::{TestServer, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::simulation::{SETS, TESTS, World, set_body};
use crate::support::assertions::assert_invalid;
use crate::support::grants::parsed_grant;
use crate::support::items::{behavior_set_body, metric_body, persona_body, scenario_body};
use crate::support::organization::organization;

const AGENTS: &str = "organization/agent";

const GRAPHS: &str = "organization/service_hierarchical_state_machine";

const COMPOSED: &str = "Caf\u{e9}";

const DECOMPOSED: &str = "Cafe\u{301}";

fn agent_body(name: &str) -> Value {
    json!({"agent_name": name})
}

fn role_body(name: &str) -> Value {
    json!({"role_name": name, "description": "Reads.", "permission_grants": [], "frontend_view": "client"})
}

/// Returns what creates a thing of every kind that has a name: the path, the field of the name, and the body.
async fn creations(server: &TestServer, name: &str) -> Vec<(&'static str, &'static str, Value)> {
    let world = World::new(server).await;
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let test = world.test(server, "what the set runs").await;
    vec![
        (AGENTS, "agent_name", agent_body(name)),
        (GRAPHS, "state_machine_name", json!({"state_machine_name": name})),
        ("service/", "name", service_body(name, &agent, &graph)),
        ("role/", "role_name", role_body(name)),
        ("dynamic_behavior_set/", "name", behavior_set_body(name)),
        ("metric/", "name", metric_body(name)),
        ("simulation/persona/", "name", persona_body(name)),
        ("simulation/scenario/", "name", scenario_body(name)),
        (TESTS, "name", world.body(name)),
        (SETS, "name", set_body(name, &[(&test, 1)])),
    ]
}

/// Puts an agent there as an earlier Forge would have, whatever its name, and returns its id.
async fn old_agent(server: &TestServer, name: &str) -> String {
    let id = AgentId::new(forge_domain::Timestamp::from_millis(1_000_000), [7; 8]);
    let now = server.app.clock.now();
    let mut tx = server
        .app
        .store
        .write(&organization(server), now)
        .await
        .unwrap()
        .unwrap();
    tx.insert_asset(id.into(), name).await.unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

#[both_engines]
async fn names_that_look_the_same_are_one_name(server: TestServer) {
    for (path, field, body) in creations(&server, DECOMPOSED).await {
        let created = server.admin().post(path, body.clone()).await;
        assert_eq!(created.status.as_u16() / 100, 2, "{path}: {}", created.body);
        let mut again = body;
        again[field] = json!(COMPOSED);
        let answer = server.admin().post(path, again).await;
        assert_eq!(answer.status, 409, "{path}: {}", answer.body);
    }
    let agents = server.admin().get(&format!("{AGENTS}?limit=20")).await;
    let names = agents.body["agents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|agent| &agent["name"]);
    assert_eq!(
        names.filter(|name| **name == json!(COMPOSED)).count(),
        1,
        "{}",
        agents.body
    );
    for spelling in ["Caf%C3%A9", "Cafe%CC%81"] {
        let roles = server.admin().get(&format!("role/?name={spelling}")).await;
        assert_eq!(
            roles.body["roles"][0]["role_name"]
                .as_str()
                .or(roles.body["roles"][0]["name"].as_str()),
            Some(COMPOSED)
        );
        let change = json!({"description": spelling});
        assert_eq!(
            server
                .admin()
                .post(&format!("role/{spelling}"), change)
                .await
                .status,
            200
        );
    }
}

#[both_engines]
async fn a_name_that_was_not_composed_is_taken_all_the_same(server: TestServer) {
    old_agent(&server, DECOMPOSED).await;
    let answer = server.admin().post(AGENTS, agent_body(COMPOSED)).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
}

#[both_engines]
async fn an_emoji_is_the_same_with_its_selector_and_without(server: TestServer) {
    let post = async |name: &str| server.admin().post(AGENTS, agent_body(name)).await;
    assert_eq!(post("Team \u{2764}\u{fe0f}").await.status, 201);
    assert_eq!(post("Team \u{2764}").await.status, 409);
    old_agent(&server, "Old \u{2764}\u{fe0f}").await;
    assert_eq!(post("Old \u{2764}").await.status, 409);
    assert_eq!(post("Old \u{2764}\u{fe0e}").await.status, 409);
    for name in [
        "Mira\u{200c}",
        "می\u{200d}خواهم",
        "a\u{1d159}",
        "\u{1f467}\u{200d}\u{1f467}",
    ] {
        assert_invalid(&post(name).await, &["body.agent_name: hidden_character"]);
    }
}

#[both_engines]
async fn what_nobody_sees_is_in_no_new_name(server: TestServer) {
    for (path, field, body) in creations(&server, "Dental \u{202e}erac\u{202c}").await {
        let answer = server.admin().post(path, body.clone()).await;
        assert_invalid(&answer, &[&format!("body.{field}: hidden_character")]);
        let text = answer.body["detail"][0]["msg"].as_str().unwrap();
        assert!(text.contains("U+202E at position 8"), "{path}: {text}");
        let mut nothing = body;
        nothing[field] = json!("\u{301}");
        let answer = server.admin().post(path, nothing).await;
        assert_invalid(&answer, &[&format!("body.{field}: no_visible_character")]);
    }
    let family = "Team \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    assert_eq!(server.admin().post(AGENTS, agent_body(family)).await.status, 201);
    for (path, field) in [(AGENTS, "agent_name"), (GRAPHS, "state_machine_name")] {
        for name in ["Mira@3", "Mira@LATEST", "Mira@\u{ff13}"] {
            let answer = server.admin().post(path, json!({field: name})).await;
            assert_invalid(&answer, &[&format!("body.{field}: version_like_name")]);
        }
    }
}

#[both_engines]
async fn a_service_is_renamed_only_to_what_can_be_seen_and_else_keeps_its_name(server: TestServer) {
    let id = server.service(1).await;
    let path = format!("service/{id}/");
    let answer = server.admin().post(&path, json!({"name": "a\u{200b}b"})).await;
    assert_invalid(&answer, &["body.name: hidden_character"]);
    assert_eq!(
        server
            .admin()
            .post(&path, json!({"name": DECOMPOSED}))
            .await
            .status,
        200
    );
    let service = server.admin().get(&format!("service/?id={id}")).await.body["services"][0].clone();
    assert_eq!(service["name"], json!(COMPOSED));

    // As an earlier Forge might have left it.
    let mut tx = server
        .app
        .store
        .write(&organization(&server), server.app.clock.now())
        .await
        .unwrap()
        .unwrap();
    let (old, _) = tx
        .find_bound_service(&organization(&server), id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let fields = forge_domain::service::ServiceFields {
        name: "a\u{200b}b".to_owned(),
        description: old.description,
        is_active: true,
        agent_id: old.agent_id,
        context_graph_id: old.context_graph_id,
        tags: old.tags,
        keyterms: old.keyterms,
    };
    tx.update_service(old.id, &fields, &old.creator).await.unwrap();
    tx.commit().await.unwrap();
    let same = json!({"name": "a\u{200b}b", "description": "It goes on."});
    assert_eq!(server.admin().post(&path, same).await.status, 200);
}

#[both_engines]
async fn a_grant_is_held_against_the_name_as_it_is_kept(server: TestServer) {
    let elsewhere = json!({"agent_name": {"type": "NotEquals", "value": COMPOSED}});
    let caller = server.caller(vec![parsed_grant("Organization:CreateAgent", elsewhere)]);
    let create = async |name: &str| {
        forge_app::assets::create(forge_app::Ctx::new(&server.app, &caller), AssetKind::Agent, name).await
    };
    crate::support::assertions::assert_forbidden(create(DECOMPOSED).await, "Organization:CreateAgent");
    assert!(create("Tea").await.is_ok());

    assert_eq!(
        server.admin().post("role/", role_body(COMPOSED)).await.status,
        201
    );
    let elsewhere = json!({"role_name": {"type": "NotEquals", "value": COMPOSED}});
    let grants =
        ["User:InviteUser", "Organization:CreateAPIKey"].map(|name| parsed_grant(name, elsewhere.clone()));
    let caller = server.caller(grants.into());
    let day = std::time::Duration::from_hours(24);
    let key = forge_app::identity::api_keys::create(
        forge_app::Ctx::new(&server.app, &caller),
        None,
        DECOMPOSED,
        day,
        None,
    )
    .await;
    crate::support::assertions::assert_forbidden(key, "Organization:CreateAPIKey");
    let invited = forge_app::identity::users::InviteUser {
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        email: "ada@example.com".to_owned(),
        role_name: DECOMPOSED.to_owned(),
        nonsensitive_variables: forge_domain::user::Variables::default(),
        sensitive_variables: forge_domain::user::Variables::default(),
        preferences: None,
    };
    let invited =
        forge_app::identity::users::invite(forge_app::Ctx::new(&server.app, &caller), invited).await;
    crate::support::assertions::assert_forbidden(invited, "User:InviteUser");
}

#[both_engines]
async fn a_new_set_is_not_told_from_another_by_capitals_alone(server: TestServer) {
    let id = server.service(1).await;
    let path = |set: &str| format!("service/{id}/version_sets/{set}/");
    let pins = json!({"version_set": version_set(1, 1)});
    assert_eq!(
        server.admin().put(&path("hotfix"), pins.clone()).await.status,
        204
    );
    for (name, other) in [("Hotfix", "hotfix"), ("RELEASE", "release"), ("Edge", "edge")] {
        let refused = server.admin().put(&path(name), pins.clone()).await;
        assert_eq!(refused.status, 400, "{name}");
        assert!(
            refused.detail().contains(&format!("`{other}` only in capitals")),
            "{}",
            refused.detail()
        );
    }
    assert_eq!(server.admin().put(&path("hotfix"), pins).await.status, 204);
}

#[both_engines]
async fn what_others_wrote_is_seen_as_it_is_in_texts_for_people(server: TestServer) {
    let id = server.service(2).await;
    let set = format!("service/{id}/version_sets/test");
    for version in [1, 2] {
        let pins = json!({"version_set": version_set(version, version)});
        assert_eq!(server.admin().put(&format!("{set}/"), pins).await.status, 204);
    }
    let reason = "reviewed \u{202e}esaeler\u{202c}";
    let back = server
        .admin()
        .post(&format!("{set}/rollback"), json!({"message": reason}))
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    let refused = server
        .admin()
        .put(&format!("{set}/"), json!({"version_set": version_set(1, 2)}))
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    for text in [
        refused.detail().to_owned(),
        refused.body["plan"]["blockers"].to_string(),
    ] {
        assert!(
            text.contains("202e}esaeler") && !text.contains('\u{202e}'),
            "{text}"
        );
    }
    // Data is exact.
    let shown = server.admin().get(&format!("{set}/")).await;
    assert_eq!(shown.body["hold"]["reason"], json!(reason), "{}", shown.body);
}
