//! Giving grants for a while.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{AGENTS, CREATE, body, give, given, make_agent};
use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::users::sign_in;

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
