//! Creating roles, listing and changing them, and giving them to users.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, both_engines, version_set};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{ROLES, any, create_role, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::a_day_later;
use crate::support::pages::pages;
use crate::support::users::{member, sign_in};

const DEFAULT_ROLES: [&str; 4] = [
    "DefaultUserRole",
    "DefaultAdministratorRole",
    "DefaultAmigoAdministratorRole",
    "DefaultSuperAdministratorRole",
];

/// Returns the id of the role that was created or changed.
#[track_caller]
fn role_id(answer: &TestResponse) -> String {
    assert!(answer.status.is_success(), "{}", answer.body);
    assert!(answer.sequence().is_some());
    answer.body["role_id"].as_str().unwrap().to_owned()
}

async fn list(client: &TestClient, query: &str) -> Vec<Value> {
    let found = client.get(&format!("role/?{query}")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.body["roles"].as_array().unwrap().clone()
}

/// Returns one field of every role in the list.
async fn listed(client: &TestClient, query: &str, field: &str) -> Vec<String> {
    let roles = list(client, query).await;
    roles
        .iter()
        .map(|role| role[field].as_str().unwrap().to_owned())
        .collect()
}

async fn modify(client: &TestClient, name: &str, body: Value) -> TestResponse {
    client.post(&format!("role/{name}"), body).await
}

async fn assign(client: &TestClient, name: &str, user_id: &str) -> TestResponse {
    client
        .post(&format!("role/{name}/assign"), json!({"user_id": user_id}))
        .await
}

#[both_engines]
async fn a_role_is_created_and_listed(server: TestServer) {
    let admin = server.admin();
    let grants = json!([grant("Organization:GetAgent", &equals("agent_name", "Mira"))]);
    let body = json!({"role_name": "Reader", "description": "Reads.", "permission_grants": grants,
        "frontend_view": "admin"});
    let created = admin.post(ROLES, body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let id = role_id(&created);
    let expected = |grants: Value| {
        json!({"id": id, "name": "Reader", "description": "Reads.",
        "frontend_view": "admin", "permission_grants": grants})
    };
    assert_eq!(list(admin, &format!("id={id}")).await, [expected(json!([]))]);
    assert_eq!(
        list(admin, "name=Reader&return_permission_grants=true").await,
        [expected(grants)]
    );
}

#[both_engines]
async fn a_list_of_roles_is_narrowed_by_id_and_name(server: TestServer) {
    let admin = server.admin();
    assert_eq!(listed(admin, "", "name").await, DEFAULT_ROLES);
    let id = role_id(&create_role(admin, "Reader", vec![]).await);
    for (query, expected) in [
        (format!("id={id}"), vec!["Reader"]),
        (
            "name=Reader&name=DefaultUserRole".to_owned(),
            vec!["DefaultUserRole", "Reader"],
        ),
        (format!("id={id}&name=DefaultUserRole"), vec![]),
        (format!("id={UNKNOWN_ID}"), vec![]),
        ("name=reader".to_owned(), vec![]),
    ] {
        assert_eq!(listed(admin, &query, "name").await, expected, "{query}");
    }
    for parameter in ["id", "return_permission_grants"] {
        let refused = admin.get(&format!("role/?{parameter}=x")).await;
        assert_invalid_at(&refused, &format!("query.{parameter}"));
    }
    let only = vec![grant("Role:GetRole", &equals("role_name", "Reader"))];
    role_id(&create_role(admin, "Narrow", only).await);
    assert_eq!(
        listed(&member(&server, "Narrow").await, "", "name").await,
        ["Reader"]
    );
    assert!(
        server
            .user(DefaultRole::User)
            .await
            .get(ROLES)
            .await
            .shows_nothing()
    );
}

#[both_engines]
async fn a_name_belongs_to_one_role(server: TestServer) {
    role_id(&create_role(server.admin(), "Reader", vec![]).await);
    for name in DEFAULT_ROLES.into_iter().chain(["Reader"]) {
        let refused = create_role(server.admin(), name, vec![]).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (409, None),
            "{name}"
        );
    }
    role_id(&create_role(server.stranger(), "Reader", vec![]).await);
}

#[both_engines]
async fn a_role_must_be_well_formed(server: TestServer) {
    let admin = server.admin();
    let good = any("Service:GetService");
    for name in [
        "Service.UpdateVersionSet",
        "Service",
        "",
        "Service:",
        "A:B:C",
        "*:*",
    ] {
        let refused = create_role(admin, "Reader", vec![good.clone(), any(name)]).await;
        assert_invalid_at(&refused, "body.permission_grants.1.permission_name");
    }
    let grants = vec![grant("Service:UpdateVersionSet", &equals("agent_id", "x"))];
    let refused = create_role(admin, "Reader", grants.clone()).await;
    assert_invalid_at(
        &refused,
        "body.permission_grants.0.conditions.agent_id: unknown_attribute",
    );
    let bad = json!({"service_id": {"type": "Like", "value": "x"}});
    let refused = create_role(admin, "Reader", vec![grant("Service:GetService", &bad)]).await;
    assert_invalid_at(&refused, "body.permission_grants.0.conditions.service_id");
    for (field, value) in [
        ("role_name", json!("")),
        ("role_name", json!("x".repeat(257))),
        ("description", json!("")),
        ("frontend_view", json!("both")),
    ] {
        let mut body = json!({"role_name": "R", "description": "D", "permission_grants": [],
            "frontend_view": "client"});
        body[field] = value;
        assert_invalid_at(&admin.post(ROLES, body).await, &format!("body.{field}"));
    }
    role_id(
        &create_role(
            admin,
            "Reader",
            vec![good, any("Simulation:GetSimulationPersona")],
        )
        .await,
    );
    let refused = modify(admin, "Reader", json!({"permission_grants": grants})).await;
    assert_invalid_at(
        &refused,
        "body.permission_grants.0.conditions.agent_id: unknown_attribute",
    );
}

#[both_engines]
async fn nobody_grants_more_than_their_own_role_holds(server: TestServer) {
    let amigo_administrator = server.user(DefaultRole::AmigoAdministrator).await;
    for permission in ["Organization:CreateOrganization", "Webhook:GetWebhookDestination"] {
        let refused = create_role(&amigo_administrator, "Reader", vec![any(permission)]).await;
        assert_eq!(refused.status, 403, "{permission}");
        assert!(refused.detail().contains(permission), "{}", refused.detail());
    }
    role_id(&create_role(&amigo_administrator, "Reader", vec![any("Organization:GetAgent")]).await);
    let more = json!({"permission_grants": [any("Organization:CreateOrganization")]});
    assert_eq!(modify(&amigo_administrator, "Reader", more).await.status, 403);
    let above = vec![any("Organization:CreateOrganization")];
    role_id(&create_role(server.admin(), "Founder", above).await);
    let harmless = json!({"description": "Harmless."});
    assert_eq!(
        modify(&amigo_administrator, "Founder", harmless.clone())
            .await
            .status,
        403
    );
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(create_role(&administrator, "Mine", vec![]).await.status, 403);
    assert_eq!(modify(&administrator, "Reader", harmless).await.status, 403);
}

#[both_engines]
async fn a_description_changes_in_place(server: TestServer) {
    let admin = server.admin();
    let id = role_id(&create_role(admin, "Reader", vec![any("Organization:GetAgent")]).await);
    let same = json!({"description": "Reads on.", "permission_grants": [any("Organization:GetAgent")],
        "frontend_view": "client"});
    for body in [
        json!({"description": "Reads on."}),
        same,
        json!({}),
        json!({"description": null}),
    ] {
        assert_eq!(role_id(&modify(admin, "Reader", body).await), id);
        let roles = list(admin, "name=Reader").await;
        assert_eq!((roles.len(), &roles[0]["description"]), (1, &json!("Reads on.")));
    }
}

#[both_engines]
async fn other_grants_make_a_new_role_that_users_and_keys_follow(server: TestServer) {
    let admin = server.admin();
    let old = role_id(&create_role(admin, "Reader", vec![any("Organization:GetAgent")]).await);
    let key = json!({"name": "k", "duration": "P9D", "role_name": "Reader"});
    let key = admin.post("organization/api_key/", key).await;
    let key_id = key.body["api_key_id"].as_str().unwrap();
    let reader = member(&server, "Reader").await;
    server.agent(1).await;
    assert!(!reader.get("organization/agent").await.shows_nothing());

    let other = json!({"permission_grants": [any("Service:GetService")]});
    let new = role_id(&modify(admin, "Reader", other).await);
    assert_ne!(new, old);
    assert!(reader.get("organization/agent").await.shows_nothing());
    assert_eq!(reader.get("service/").await.status, 200);
    let users = admin.get(&format!("user/?user_id={}", reader.user_id)).await;
    assert_eq!(users.body["users"][0]["role"], json!(new));
    let keys = admin.get("organization/api_key/").await.body["api_keys"].clone();
    let moved = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["key_id"] == key_id)
        .unwrap();
    assert_eq!(moved["role_id"], json!(new));

    assert_eq!(listed(admin, &format!("id={old}"), "name").await, ["Reader"]);
    let mut ids = listed(admin, "name=Reader", "id").await;
    ids.sort();
    let mut both = [old.clone(), new.clone()];
    both.sort();
    assert_eq!(ids, both);
    let admin = a_day_later(&server).await;
    assert_eq!(
        listed(&admin, "name=Reader", "id").await,
        std::slice::from_ref(&new)
    );
    assert_eq!(
        listed(&admin, &format!("id={old}"), "id").await,
        Vec::<String>::new()
    );

    let viewed = role_id(&modify(&admin, "Reader", json!({"frontend_view": "admin"})).await);
    assert_ne!(viewed, new, "another view is another role too");
}

#[both_engines]
async fn a_role_that_is_not_there_or_a_default_one_cannot_be_changed(server: TestServer) {
    let body = json!({"description": "Changed."});
    for name in ["Reader", "reader%20x"] {
        assert_eq!(modify(server.admin(), name, body.clone()).await.status, 404);
    }
    for name in DEFAULT_ROLES {
        let refused = modify(server.admin(), name, body.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (400, None),
            "{name}"
        );
    }
    let refused = modify(server.admin(), "Reader", json!({"description": ""})).await;
    assert_invalid_at(&refused, "body.description");
}

#[both_engines]
async fn a_role_is_given_to_a_user(server: TestServer) {
    let admin = server.admin();
    let id = role_id(&create_role(admin, "Reader", vec![any("Organization:GetAgent")]).await);
    let user = server.user(DefaultRole::User).await;
    server.agent(1).await;
    assert!(user.get("organization/agent").await.shows_nothing());
    for _ in 0..2 {
        let assigned = assign(admin, "Reader", &user.user_id).await;
        assert_eq!((assigned.status.as_u16(), role_id(&assigned)), (200, id.clone()));
    }
    assert!(!user.get("organization/agent").await.shows_nothing());
    assert!(user.get("service/").await.shows_nothing());
    assert_eq!(assign(admin, "NoSuchRole", &user.user_id).await.status, 404);
    for unknown in ["nobody", &server.stranger().user_id] {
        assert_eq!(assign(admin, "Reader", unknown).await.status, 404, "{unknown}");
    }
    let refused = admin.post("role/Reader/assign", json!({})).await;
    assert_invalid_at(&refused, "body.user_id");
}

#[both_engines]
async fn only_roles_less_than_ones_own_are_given_and_only_to_those_not_above(server: TestServer) {
    let administrator = server.user(DefaultRole::Administrator).await;
    let user = server.user(DefaultRole::User).await;
    for role in ["DefaultAdministratorRole", "DefaultAmigoAdministratorRole"] {
        assert_eq!(
            assign(&administrator, role, &user.user_id).await.status,
            403,
            "{role}"
        );
    }
    let above = server.user(DefaultRole::AmigoAdministrator).await;
    assert_eq!(
        assign(&administrator, "DefaultUserRole", &above.user_id)
            .await
            .status,
        403
    );
    assert_eq!(assign(&user, "DefaultUserRole", &user.user_id).await.status, 403);
    assert_eq!(
        assign(&administrator, "DefaultUserRole", &user.user_id)
            .await
            .status,
        200
    );
}

#[both_engines]
async fn the_last_super_administrator_stays_one(server: TestServer) {
    let admin = server.admin();
    let refused = assign(admin, "DefaultUserRole", &admin.user_id).await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (403, None));
    assert!(
        refused.detail().contains("last super administrator"),
        "{}",
        refused.detail()
    );
    assert_eq!(
        assign(admin, "DefaultSuperAdministratorRole", &admin.user_id)
            .await
            .status,
        200
    );
    member(&server, "DefaultSuperAdministratorRole").await;
    assert_eq!(assign(admin, "DefaultUserRole", &admin.user_id).await.status, 200);
    assert!(admin.get(ROLES).await.shows_nothing());
}

#[both_engines]
async fn who_rises_above_the_key_acts_through_it_no_more(server: TestServer) {
    let admin = server.admin();
    let key = admin
        .post("organization/api_key/", json!({"name": null, "duration": "P1D"}))
        .await;
    let part = |name: &str| key.body[name].as_str().unwrap();
    let key = [part("api_key_id"), part("api_key")];
    let user = server.user(DefaultRole::User).await;
    let session = sign_in(admin, &user.user_id, key).await;
    let user = user.with_token(session.body["id_token"].as_str().unwrap());
    assert_eq!(user.get("service/").await.status, 200);
    assert_eq!(
        assign(admin, "DefaultAdministratorRole", &user.user_id)
            .await
            .status,
        200
    );
    assert_eq!(user.get("service/").await.status, 401);
    assert_eq!(sign_in(admin, &user.user_id, key).await.status, 401);
}

#[both_engines]
async fn a_condition_on_the_name_of_a_set_leaves_the_others_alone(server: TestServer) {
    let admin = server.admin();
    let service = server.service(2).await;
    let path = |set: &str| format!("service/{service}/version_sets/{set}/");
    let pins = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&path("preview"), pins.clone()).await.status, 204);
    let grants = vec![grant(
        "Service:UpdateVersionSet",
        &equals("version_set_name", "preview"),
    )];
    role_id(&create_role(admin, "Previewer", grants).await);
    let previewer = member(&server, "Previewer").await;
    let pins = json!({"version_set": version_set(2, 2)});
    for (set, expected) in [("preview", 204), ("release", 403), ("new", 403)] {
        let answer = previewer.put(&path(set), pins.clone()).await;
        assert_eq!(answer.status, expected, "{set}: {}", answer.body);
    }
    assert_eq!(previewer.delete(&path("preview")).await.status, 403);
    assert!(previewer.get("service/").await.shows_nothing());
}

#[both_engines]
async fn lists_leave_out_what_a_role_does_not_show_and_keep_their_pages_full(server: TestServer) {
    let admin = server.admin();
    let mut ids = Vec::new();
    for number in 0..7 {
        let body = json!({"agent_name": format!("agent {number}")});
        ids.push(admin.post("organization/agent", body).await.id());
    }
    let some = json!({"agent_name": {"type": "In", "values": ["agent 1", "agent 5", "agent 6"]}});
    let users = equals("role_name", "Narrow");
    let grants = vec![
        grant("Organization:GetAgent", &some),
        grant("User:GetUserInfo", &users),
    ];
    role_id(&create_role(admin, "Narrow", grants).await);
    let narrow = member(&server, "Narrow").await;
    let found = pages(&narrow, "organization/agent?limit=2", "agents", "name").await;
    assert_eq!(found, [vec!["agent 1", "agent 5"], vec!["agent 6"]]);
    let found = pages(&narrow, "user/?limit=1", "users", "user_id").await;
    assert_eq!(found, [[narrow.user_id.clone()]]);
    for (agent, expected) in [(&ids[1], 200), (&ids[2], 403)] {
        assert_eq!(
            narrow
                .get(&format!("organization/agent/{agent}/version"))
                .await
                .status,
            expected
        );
    }
}
