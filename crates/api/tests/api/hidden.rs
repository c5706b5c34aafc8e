//! What a caller may not see is not told by what stands in the way of something else.

use forge_testkit::{TestClient, TestResponse, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::simulation::{World, set_body};
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::items::{behavior_set_body, metric_body, persona_body, scenario_body};
use crate::support::users::user_with;

/// Creates something twice and returns what the second creator is told.
async fn refused(client: &TestClient, path: &str, body: &Value) -> TestResponse {
    let answer = client.post(path, body.clone()).await;
    assert_eq!(answer.status, 409, "{path}: {}", answer.body);
    answer
}

#[both_engines]
async fn of_a_hidden_thing_no_more_is_told_than_that_its_name_is_taken(server: TestServer) {
    let admin = server.admin();
    let world = World::new(&server).await;
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let (test, other) = (world.body("Taken"), world.test(&server, "Other").await);
    let bodies = [
        ("organization/agent", "id", json!({"agent_name": "Taken"})),
        (
            "organization/service_hierarchical_state_machine",
            "id",
            json!({"state_machine_name": "Taken"}),
        ),
        ("service/", "id", service_body("Taken", &agent, &graph)),
        (
            "dynamic_behavior_set/",
            "dynamic_behavior_set_id",
            behavior_set_body("Taken"),
        ),
        ("metric/", "id", metric_body("Taken")),
        (
            "simulation/persona/",
            "simulation_persona_id",
            persona_body("Taken"),
        ),
        (
            "simulation/scenario/",
            "simulation_scenario_id",
            scenario_body("Taken"),
        ),
        ("simulation/unit_test/", "simulation_unit_test_id", test),
        (
            "simulation/unit_test_set/",
            "simulation_unit_test_set_id",
            set_body("Taken", &[(&other, 1)]),
        ),
    ];
    let named = [
        "agent",
        "service_hierarchical_state_machine",
        "service",
        "dynamic_behavior_set",
        "metric",
        "simulation_persona",
        "simulation_scenario",
        "simulation_unit_test",
        "simulation_unit_test_set",
    ];
    // Everything but to get what is named so.
    let role = forge_domain::access::Permission::ALL.iter().map(|permission| {
        let hides = named.iter().find(|noun| {
            let attribute = format!("{noun}_name");
            permission.name().contains(":Get") && permission.attributes().contains(&attribute.as_str())
        });
        match hides {
            Some(noun) => grant(
                permission.name(),
                &json!({
                format!("{noun}_name"): {"type": "NotEquals", "value": "Taken"}}),
            ),
            None => any(permission.name()),
        }
    });
    let blind = user_with(&server, "Blind", role.collect()).await;
    for (path, id, body) in bodies {
        let created = admin.post(path, body.clone()).await;
        assert_eq!(created.status, 201, "{path}: {}", created.body);
        let id = created.body[id].as_str().unwrap().to_owned();
        let told = refused(&blind, path, &body).await;
        assert!(!told.detail().contains(&id), "{path}: {}", told.detail());
        assert!(told.detail().contains("`Taken`"), "{path}: {}", told.detail());
        let is_asset = path.starts_with("organization/");
        assert_eq!(
            refused(admin, path, &body).await.detail().contains(&id),
            !is_asset,
            "{path}"
        );
    }
    // A plan of a change tells no more.
    let other = admin
        .post("service/", service_body("Other", &agent, &graph))
        .await
        .id();
    for (client, is_told) in [(&blind, false), (admin, true)] {
        let told = client
            .post(
                &format!("service/{other}/?dry_run=true"),
                json!({"name": "Taken"}),
            )
            .await;
        assert_eq!(told.status, 200, "{}", told.body);
        let blocker = &told.body["blockers"][0];
        assert_eq!(blocker["code"], "name_taken", "{}", told.body);
        let message = blocker["message"].as_str().unwrap();
        assert_eq!(message.contains("the active service"), is_told, "{message}");
    }
}

#[both_engines]
async fn the_spelling_of_a_hidden_set_is_not_told(server: TestServer) {
    let service = server.service(1).await;
    let path = |set: &str| format!("service/{service}/version_sets/{set}/");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(
        server.admin().put(&path("hotFix"), body.clone()).await.status,
        204
    );
    let blind = user_with(&server, "Blind", vec![any("Service:CreateVersionSet")]).await;
    for (client, is_told) in [(&blind, false), (server.admin(), true)] {
        let told = client.put(&path("HOTFIX"), body.clone()).await;
        assert_eq!(told.status, 400, "{}", told.body);
        assert_eq!(told.detail().contains("hotFix"), is_told, "{}", told.detail());
    }
}

#[both_engines]
async fn sets_that_all_share_are_not_kept_from_them_by_capitals(server: TestServer) {
    let service = server.service(1).await;
    let path = |set: &str| format!("service/{service}/version_sets/{set}/");
    let barred = json!({"version_set_name": {"type": "NotEquals", "value": "preview"}});
    let barred = user_with(
        &server,
        "Barred",
        vec![grant("Service:CreateVersionSet", &barred)],
    )
    .await;
    let body = json!({"version_set": version_set(1, 1)});
    for name in ["PREVIEW", "Preview", "EDGE", "Release", "tesT"] {
        let told = barred.put(&path(name), body.clone()).await;
        assert_eq!(told.status, 400, "{name}: {}", told.body);
        assert!(
            told.detail().contains(&name.to_ascii_lowercase()),
            "{}",
            told.detail()
        );
    }
    assert_eq!(server.admin().put(&path("preview"), body).await.status, 204);
}

#[both_engines]
async fn roles_and_users_that_a_caller_may_not_see_are_given_like_unknown_ones(server: TestServer) {
    let admin = server.admin();
    let secret = vec![any("Secret:Thing")];
    assert_eq!(create_role(admin, "Secret", secret).await.status, 201);
    let keeper = user_with(&server, "Keeper", vec![any("Secret:Other")]).await;
    let lesser = vec![any("Nothing:AtAll")];
    assert_eq!(create_role(admin, "Lesser", lesser).await.status, 201);
    let held = [
        "Nothing:AtAll",
        "Nothing:Else",
        "User:InviteUser",
        "Organization:CreateAPIKey",
    ];
    let mut grants: Vec<Value> = held.into_iter().map(any).collect();
    grants.push(grant("Role:GetRole", &equals("role_name", "Lesser")));
    grants.push(grant("User:GetUserInfo", &equals("role_name", "Lesser")));
    let giver = user_with(&server, "Giver", grants).await;
    let invitation = |role: &str| {
        json!({"first_name": "A", "last_name": "B", "email": "a@example.com",
        "role_name": role})
    };
    let key = |role: &str| json!({"name": "k", "duration": "P1D", "role_name": role});
    let calls = [
        ("user/", invitation as fn(&str) -> Value),
        ("organization/api_key/", key as fn(&str) -> Value),
    ];
    for (path, body) in calls {
        let [unknown, hidden] = [
            giver.post(path, body("Absent")).await,
            giver.post(path, body("Secret")).await,
        ];
        assert_eq!(
            (unknown.status.as_u16(), hidden.status.as_u16()),
            (404, 404),
            "{path}: {}",
            hidden.body
        );
        assert_eq!(unknown.detail().replace("Absent", "Secret"), hidden.detail());
    }
    let assign = async |role: &str, user: &str| {
        giver
            .post(&format!("role/{role}/assign"), json!({"user_id": user}))
            .await
    };
    let [unknown, hidden] = [
        assign("Absent", &giver.user_id).await,
        assign("Secret", &giver.user_id).await,
    ];
    assert_eq!(
        (unknown.status.as_u16(), hidden.status.as_u16()),
        (404, 404),
        "{}",
        hidden.body
    );
    assert_eq!(unknown.detail().replace("Absent", "Secret"), hidden.detail());
    let [unknown, hidden] = [
        assign("Lesser", "nobody").await,
        assign("Lesser", &keeper.user_id).await,
    ];
    assert_eq!((unknown.status.as_u16(), &unknown.body), (404, &hidden.body));
    // Who may see no role at all is told the same of each.
    let blind = user_with(&server, "NoEyes", vec![any("Nothing:AtAll")]).await;
    let [unknown, hidden] = [
        blind
            .post("role/Absent/assign", json!({"user_id": blind.user_id}))
            .await,
        blind
            .post("role/Secret/assign", json!({"user_id": blind.user_id}))
            .await,
    ];
    assert_eq!((unknown.status.as_u16(), &unknown.body), (403, &hidden.body));
}
