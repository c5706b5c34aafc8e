//! Grants for a while.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, both_engines};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::pages::pages;
use crate::support::users::sign_in;

const CREATE: &str = "role/temporary_permission_grant/";

const LIST: &str = "role/temporary_permission_grants/";

const AGENTS: &str = "organization/agent";

fn body(user_id: &str, granted: &Value, duration: &str) -> Value {
    json!({"user_id": user_id, "duration": duration, "permission_grant": granted, "tags": {},
        "justification": "to help out"})
}

async fn give(client: &TestClient, user_id: &str, granted: &Value) -> TestResponse {
    client.post(CREATE, body(user_id, granted, "PT30M")).await
}

async fn assign(client: &TestClient, role: &str, user: &TestClient) -> TestResponse {
    client
        .post(&format!("role/{role}/assign"), json!({"user_id": user.user_id}))
        .await
}

/// Returns the id of the grant that was given.
#[track_caller]
fn given(answer: &TestResponse) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["temporary_permission_grant_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns the ids in the whole list.
async fn ids(client: &TestClient, query: &str) -> Vec<String> {
    pages(
        client,
        &format!("{LIST}?{query}"),
        "temporary_permission_grants",
        "_id",
    )
    .await
    .concat()
}

async fn make_agent(client: &TestClient, name: &str) -> u16 {
    client
        .post(AGENTS, json!({"agent_name": name}))
        .await
        .status
        .as_u16()
}

#[both_engines]
async fn a_key_lends_nobody_what_its_role_does_not_hold(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    for permission in ["Organization:CreateAgent", "Organization:GetAgent"] {
        given(&give(server.admin(), &user.user_id, &any(permission)).await);
    }
    // Greater than the user's role, by what reads only.
    let plain = DefaultRole::User
        .grants()
        .into_iter()
        .map(|grant| serde_json::to_value(grant).unwrap());
    let grants: Vec<Value> = plain.chain([any("Organization:GetAgent")]).collect();
    create_role(server.admin(), "Reader", grants).await;
    let key = json!({"name": "a program", "role_name": "Reader", "duration": "P30D"});
    let key = server.admin().post("organization/api_key/", key).await;
    let part = |name: &str| {
        key.body[name]
            .as_str()
            .unwrap_or_else(|| panic!("{}", key.body))
            .to_owned()
    };
    let session = sign_in(
        server.admin(),
        &user.user_id,
        [&part("api_key_id"), &part("api_key")],
    )
    .await;
    let by_key = server
        .admin()
        .with_token(session.body["id_token"].as_str().unwrap());
    assert_eq!(by_key.get(AGENTS).await.status, 200);
    assert_eq!(make_agent(&by_key, "Mira").await, 403);
    assert_eq!(
        make_agent(&user, "Mira").await,
        201,
        "the key of the other session holds everything"
    );
}

#[both_engines]
async fn a_grant_holds_until_it_expires(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    assert_eq!(make_agent(&user, "Mira").await, 403);
    let narrow = grant("Organization:CreateAgent", &equals("agent_name", "Mira"));
    let answer = give(server.admin(), &user.user_id, &narrow).await;
    given(&answer);
    assert_eq!(answer.body["expires_at"], "2026-11-23T12:30:00.000Z");
    assert!(answer.sequence().is_some());
    assert_eq!(make_agent(&user, "Tom").await, 403);
    assert_eq!(
        make_agent(&server.user(DefaultRole::User).await, "Mira").await,
        403
    );
    server.clock.advance_seconds(30 * 60 - 1);
    assert_eq!(make_agent(&user, "Mira").await, 201);
    given(&give(server.admin(), &user.user_id, &any("Organization:GetAgent")).await);
    server.clock.advance_seconds(1);
    assert_eq!(make_agent(&user, "Mira").await, 403);
    assert_eq!(user.get(AGENTS).await.status, 200, "the other one still holds");
}

#[both_engines]
async fn a_grant_is_for_a_user_who_is_there(server: TestServer) {
    let leaver = server.user(DefaultRole::User).await;
    assert_eq!(
        server
            .admin()
            .delete(&format!("user/{}", leaver.user_id))
            .await
            .status,
        204
    );
    for unknown in ["nobody", &server.stranger().user_id, &leaver.user_id] {
        let refused = give(server.admin(), unknown, &any("Service:GetService")).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (404, None),
            "{unknown}"
        );
    }
}

#[both_engines]
async fn a_user_has_a_hundred_grants_at_once_at_the_most(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let small = any("Service:GetService");
    for _ in 0..100 {
        given(&give(server.admin(), &user.user_id, &small).await);
    }
    let refused = give(server.admin(), &user.user_id, &small).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.detail().contains("100 temporary grants already"),
        "{}",
        refused.detail()
    );
    given(&give(server.admin(), &server.admin().user_id, &small).await);
    server.clock.advance_seconds(30 * 60);
    given(&give(server.admin(), &user.user_id, &small).await);
}

#[both_engines]
async fn the_grants_of_a_user_have_no_more_values_together_than_a_role(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let values: Vec<i64> = (0..999).collect();
    let large = grant(
        "Service:GetService",
        &json!({"service_id": {"type": "In", "values": values}}),
    );
    for _ in 0..10 {
        given(&give(server.admin(), &user.user_id, &large).await);
    }
    let refused = give(server.admin(), &user.user_id, &large).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(
        refused.detail().contains("more values together"),
        "{}",
        refused.detail()
    );
    given(&give(server.admin(), &server.admin().user_id, &large).await);
}

#[both_engines]
async fn a_grant_must_be_well_formed(server: TestServer) {
    let admin = server.admin();
    for (field, value, place) in [
        ("justification", json!("too short"), "body.justification"),
        ("justification", json!(null), "body.justification"),
        ("duration", json!("half an hour"), "body.duration"),
        ("duration", json!("PT0S"), "body.duration"),
        ("duration", json!("-PT1H"), "body.duration"),
        ("duration", json!("P90DT1S"), "body.duration"),
        ("duration", json!("P1000Y"), "body.duration"),
        ("tags", json!({"a-b": null}), "body.tags"),
        (
            "permission_grant",
            any("Service.GetService"),
            "body.permission_grant.permission_name",
        ),
        (
            "permission_grant",
            grant("Service:GetService", &equals("agent_id", "x")),
            "body.permission_grant.conditions.agent_id",
        ),
    ] {
        let mut body = body(&admin.user_id, &any("Service:GetService"), "PT30M");
        body[field] = value;
        assert_invalid_at(&admin.post(CREATE, body).await, place);
    }
}

#[both_engines]
async fn only_what_ones_role_holds_is_given(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let amigo_administrator = server.user(DefaultRole::AmigoAdministrator).await;
    let more = any("Organization:CreateOrganization");
    let refused = give(&amigo_administrator, &user.user_id, &more).await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (403, None));
    given(&give(&amigo_administrator, &user.user_id, &any("Organization:GetAgent")).await);
    let administrator = server.user(DefaultRole::Administrator).await;
    let refused = give(&administrator, &user.user_id, &any("Service:GetService")).await;
    assert_eq!(refused.status, 403, "administrators give none");
}

#[both_engines]
async fn what_was_given_for_a_while_cannot_be_handed_on(server: TestServer) {
    let administrator = server.user(DefaultRole::Administrator).await;
    let user = server.user(DefaultRole::User).await;
    for permission in [
        "Organization:ModifyOrganization",
        "Organization:CreateAPIKey",
        "Role:CreateRole",
        "Role:ModifyRole",
        "Role:CreateTemporaryPermissionGrant",
    ] {
        given(&give(server.admin(), &administrator.user_id, &any(permission)).await);
    }
    assert_eq!(administrator.post("organization/", json!({})).await.status, 204);
    let borrowed = any("Organization:ModifyOrganization");
    assert_eq!(give(&administrator, &user.user_id, &borrowed).await.status, 403);
    assert_eq!(
        create_role(&administrator, "Borrowed", vec![borrowed.clone()])
            .await
            .status,
        403
    );
    let key = |role: &str| json!({"name": null, "duration": "P1D", "role_name": role});
    let refused = administrator
        .post("organization/api_key/", key("DefaultAdministratorRole"))
        .await;
    assert_eq!(refused.status, 403);

    let own = any("Organization:GetAgent");
    assert_eq!(
        create_role(&administrator, "Reader", vec![own.clone()])
            .await
            .status,
        201
    );
    let more = json!({"permission_grants": [own, borrowed]});
    assert_eq!(administrator.post("role/Reader", more).await.status, 403);
    given(&give(&administrator, &user.user_id, &any("Organization:GetAgent")).await);
    assert_eq!(
        administrator
            .post("organization/api_key/", key("DefaultUserRole"))
            .await
            .status,
        201
    );
}

#[both_engines]
async fn a_list_shows_all_of_a_grant(server: TestServer) {
    let admin = server.admin();
    let granted = grant("Organization:GetAgent", &equals("agent_name", "Mira"));
    let mut body = body(&admin.user_id, &granted, "P1D");
    body["tags"] = json!({"team": "care", "urgent": null});
    let id = given(&admin.post(CREATE, body).await);
    let found = admin.get(LIST).await;
    assert_eq!(
        found.body["temporary_permission_grants"],
        json!([{
            "_id": id, "org_id": admin.organization, "user_id": admin.user_id, "permission_grant": granted,
            "created_at": "2026-11-23T12:00:00.000Z", "updated_at": "2026-11-23T12:00:00.000Z",
            "expires_at": "2026-11-24T12:00:00.000Z", "justification": "to help out",
            "creator": {"org_id": admin.organization, "user_id": admin.user_id},
            "tags": {"team": "care", "urgent": null},
        }])
    );
    assert!(
        server
            .user(DefaultRole::Administrator)
            .await
            .get(LIST)
            .await
            .shows_nothing()
    );
    assert_eq!(ids(server.stranger(), "").await, Vec::<String>::new());
}

#[both_engines]
async fn a_list_is_narrowed_by_every_filter(server: TestServer) {
    let admin = server.admin();
    let [ada, bob] = [
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    ];
    let giver = server.user(DefaultRole::AmigoAdministrator).await;
    let tagged = |user: &TestClient, permission: &str, duration: &str, tags: Value| {
        let mut body = body(&user.user_id, &any(permission), duration);
        body["tags"] = tags;
        body
    };
    let (read, make) = ("Organization:GetAgent", "Organization:CreateAgent");
    let a = given(
        &admin
            .post(CREATE, tagged(&ada, read, "PT10M", json!({"team": "care"})))
            .await,
    );
    let b = given(
        &giver
            .post(CREATE, tagged(&ada, make, "PT20M", json!({"team": "sales"})))
            .await,
    );
    let tags = json!({"team": null, "x": "1"});
    let c = given(&admin.post(CREATE, tagged(&bob, read, "PT30M", tags)).await);
    let (ada, bob, giver) = (&ada.user_id, &bob.user_id, &giver.user_id);
    server.clock.advance_seconds(600);
    for (query, expected) in [
        (String::new(), vec![&a, &b, &c]),
        (format!("id={a}&id={c}"), vec![&a, &c]),
        (format!("id={UNKNOWN_ID}"), vec![]),
        (format!("user_id={ada}"), vec![&a, &b]),
        (format!("user_id={ada}&user_id={bob}&limit=1"), vec![&a, &b, &c]),
        (format!("creator={giver}"), vec![&b]),
        (format!("permission_grant_name={read}"), vec![&a, &c]),
        ("is_expired=true".to_owned(), vec![&a]),
        ("is_expired=false".to_owned(), vec![&b, &c]),
        ("tag=team:care".to_owned(), vec![&a]),
        ("tag=team:*&limit=1".to_owned(), vec![&a, &b, &c]),
        ("tag=team:".to_owned(), vec![&c]),
        ("tag=team:*&tag=x:1".to_owned(), vec![&c]),
        (
            format!("user_id={ada}&is_expired=false&creator={giver}&tag=team:sales"),
            vec![&b],
        ),
        (format!("user_id={bob}&permission_grant_name={make}"), vec![]),
    ] {
        assert_eq!(
            ids(admin, &query).await.iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    for query in [
        "id=unknown",
        "tag=team",
        "is_expired=x",
        "limit=11",
        "limit=-1",
        "sort_by=user_id",
        "sort_by=-tags",
        "continuation_token=999999",
    ] {
        let place = format!("query.{}", query.split('=').next().unwrap());
        assert_invalid_at(&admin.get(&format!("{LIST}?{query}")).await, &place);
    }
}

#[both_engines]
async fn a_list_has_every_grant_once_in_the_order_asked_for(server: TestServer) {
    let admin = server.admin();
    let users = [
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    ];
    let mut given_ones = Vec::new();
    for number in 0..12 {
        let user = &users[number % 2].user_id;
        let names = [
            "Organization:GetAgent",
            "Organization:CreateAgent",
            "Service:GetService",
        ];
        let name = names[number % 3];
        let minutes = 10 + (number * 7) % 5;
        let id = given(
            &admin
                .post(CREATE, body(user, &any(name), &format!("PT{minutes}M")))
                .await,
        );
        given_ones.push((user.as_str(), name, minutes, id));
    }
    let expected = |rows: &[(&str, &str, usize, String)]| -> Vec<String> {
        rows.iter().map(|row| row.3.clone()).collect()
    };
    for limit in [1, 5, 10] {
        assert_eq!(ids(admin, &format!("limit={limit}")).await, expected(&given_ones));
        let mut sorted = given_ones.clone();
        sorted.sort_by_key(|row| (row.0, std::cmp::Reverse(row.2)));
        let query = format!("limit={limit}&sort_by=%2Buser_id&sort_by=-expires_at");
        assert_eq!(ids(admin, &query).await, expected(&sorted));
        sorted.clone_from(&given_ones);
        sorted.sort_by_key(|row| std::cmp::Reverse(row.1));
        let query = format!("limit={limit}&sort_by=-permission_grant.permission_name");
        assert_eq!(ids(admin, &query).await, expected(&sorted));
    }
}

#[both_engines]
async fn who_is_given_a_lesser_role_keeps_nothing_beside_it(server: TestServer) {
    let admin = server.admin();
    let demoted = server.user(DefaultRole::AmigoAdministrator).await;
    let other = server.user(DefaultRole::AmigoAdministrator).await;
    let create = any("Organization:CreateAgent");
    let own = given(&give(&demoted, &demoted.user_id, &create).await);
    let others = given(&give(&other, &demoted.user_id, &any("Organization:GetAuditEvent")).await);
    let kept = given(&give(&other, &other.user_id, &create).await);
    server.clock.advance_seconds(60);
    assert_eq!(assign(admin, "DefaultUserRole", &demoted).await.status, 200);
    assert_eq!(make_agent(&demoted, "Mira").await, 403);
    assert_eq!(demoted.get("audit_event/head").await.status, 403);
    let told = &admin.get("audit_event/?limit=1").await.body["audit_events"][0];
    assert_eq!(
        told["after"],
        json!({"role_name": "DefaultUserRole", "ended_temporary_grants": 2})
    );
    assert_eq!(
        ids(admin, "is_expired=true&sort_by=-expires_at").await,
        [own, others]
    );
    assert_eq!(ids(admin, "is_expired=false").await, [kept]);
    let ended = &admin
        .get(&format!("{LIST}?user_id={}", demoted.user_id))
        .await
        .body["temporary_permission_grants"][0];
    let at = json!("2026-11-23T12:01:00.000Z");
    assert_eq!([&ended["expires_at"], &ended["updated_at"]], [&at, &at]);
    assert_eq!(make_agent(&other, "Mira").await, 201, "others keep theirs");
    // Neither a greater role nor another clock brings them back.
    assert_eq!(
        assign(admin, "DefaultAdministratorRole", &demoted).await.status,
        200
    );
    assert_eq!(demoted.get("audit_event/head").await.status, 403);
    server.clock.advance_seconds(-120);
    let session = sign_in(
        &demoted,
        &demoted.user_id,
        [&server.credentials[1], &server.credentials[2]],
    )
    .await;
    let demoted = demoted.with_token(session.body["id_token"].as_str().unwrap());
    assert_eq!(demoted.get("audit_event/head").await.status, 403);
    assert_eq!(make_agent(&demoted, "Tom").await, 201);
}

#[both_engines]
async fn who_is_given_a_role_that_holds_as_much_keeps_what_is_beside_it(server: TestServer) {
    let admin = server.admin();
    let user = server.user(DefaultRole::User).await;
    given(&give(admin, &user.user_id, &any("Organization:GetAuditEvent")).await);
    for role in ["DefaultUserRole", "DefaultAdministratorRole"] {
        assert_eq!(assign(admin, role, &user).await.status, 200);
        assert_eq!(user.get("audit_event/head").await.status, 200, "{role}");
    }
    let told = &admin.get("audit_event/?limit=1").await.body["audit_events"][0];
    assert_eq!(told["after"], json!({"role_name": "DefaultAdministratorRole"}));
}

#[both_engines]
async fn a_role_that_is_narrowed_ends_what_its_users_hold_beside_it(server: TestServer) {
    let admin = server.admin();
    let both = vec![
        any("Organization:CreateAgent"),
        any("Role:CreateTemporaryPermissionGrant"),
    ];
    assert_eq!(create_role(admin, "Helper", both.clone()).await.status, 201);
    let helper = server.user(DefaultRole::User).await;
    assert_eq!(assign(admin, "Helper", &helper).await.status, 200);
    given(&give(&helper, &helper.user_id, &both[0]).await);
    let modify = async |grants: Value| {
        let modified = admin
            .post("role/Helper", json!({"permission_grants": grants}))
            .await;
        assert_eq!(modified.status, 200, "{}", modified.body);
        let events = admin.get("audit_event/?limit=1").await.body["audit_events"][0].clone();
        events["after"]["ended_temporary_grants"].clone()
    };
    let more = json!([both[0], both[1], any("Service:GetService")]);
    assert_eq!(modify(more).await, Value::Null);
    assert_eq!(ids(admin, "is_expired=false").await.len(), 1);
    assert_eq!(
        modify(json!([both[1], any("Service:GetService")])).await,
        json!(1)
    );
    assert_eq!(make_agent(&helper, "Mira").await, 403);
    assert_eq!(ids(admin, "is_expired=false").await.len(), 0);
}

#[both_engines]
async fn grants_that_end_between_two_pages_neither_hide_others_nor_repeat(server: TestServer) {
    let admin = server.admin();
    let [ada, bob] = [
        server.user(DefaultRole::Administrator).await,
        server.user(DefaultRole::User).await,
    ];
    let mut expected = Vec::new();
    for (user, minutes) in [(&bob, 10), (&ada, 20), (&bob, 30)] {
        let body = body(
            &user.user_id,
            &any("Service:GetService"),
            &format!("PT{minutes}M"),
        );
        expected.push(given(&admin.post(CREATE, body).await));
    }
    let first = admin.get(&format!("{LIST}?limit=2&sort_by=%2Bexpires_at")).await;
    assert_eq!(assign(admin, "DefaultUserRole", &ada).await.status, 200);
    let token = &first.body["continuation_token"];
    let second = admin
        .get(&format!(
            "{LIST}?limit=2&sort_by=%2Bexpires_at&continuation_token={token}"
        ))
        .await;
    let told = [first, second].map(|page| {
        page.body["temporary_permission_grants"]
            .as_array()
            .unwrap()
            .clone()
    });
    let told: Vec<_> = told
        .concat()
        .iter()
        .map(|grant| grant["_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, expected);
}

#[both_engines]
async fn the_grants_of_who_is_deleted_have_ended(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let id = given(&give(server.admin(), &user.user_id, &any("Organization:GetAgent")).await);
    assert_eq!(
        server
            .admin()
            .delete(&format!("user/{}", user.user_id))
            .await
            .status,
        204
    );
    assert_eq!(ids(server.admin(), "is_expired=true").await, [id]);
}
