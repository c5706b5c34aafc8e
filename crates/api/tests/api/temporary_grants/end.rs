//! What ends grants before their time.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{LIST, assign, give, given, ids, make_agent};
use crate::support::grants::{any, create_role};
use crate::support::users::sign_in;

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
