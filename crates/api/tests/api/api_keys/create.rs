//! Creating keys.

use std::time::Duration;

use forge_app::AppError;
use forge_app::identity::api_keys::{self, MAX_BEHIND};
use forge_domain::UserRef;
use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{KEYS, create, delete, key_body, list, parts, through};
use crate::support::assertions::assert_invalid_at;
use crate::support::organization::{a_day_later, organization};
use crate::support::users::sign_in;

#[both_engines]
async fn nobody_makes_a_key_that_too_many_could_be_behind(server: TestServer) {
    let grant = json!({"permission_name": "Organization:CreateAPIKey", "conditions": {}});
    let mut caller = server.caller(vec![serde_json::from_value(grant).unwrap()]);
    let some = |number| UserRef {
        org_id: organization(&server),
        user_id: format!("user {number}"),
    };
    for (count, is_refused) in [(MAX_BEHIND, false), (MAX_BEHIND + 1, true)] {
        caller.key.behind = (0..count).map(some).collect();
        let made = api_keys::create(
            forge_app::Ctx::new(&server.app, &caller),
            None,
            "NoSuchRole",
            Duration::from_hours(24),
            None,
        )
        .await;
        assert_eq!(matches!(made, Err(AppError::Refused(_))), is_refused, "{count}");
    }
}

#[both_engines]
async fn a_key_signs_in_users_of_roles_below_its_own(server: TestServer) {
    let created = create(server.admin(), "DefaultAdministratorRole").await;
    let key = parts(&created);
    assert_eq!(created.body["expires_at"], "2026-11-24T12:00:00.000Z");
    assert!(created.sequence().is_some());
    let user = through(&server.user(DefaultRole::User).await, key).await;
    assert_eq!(user.get("service/").await.status, 200);
    for role in [DefaultRole::Administrator, DefaultRole::SuperAdministrator] {
        let user = server.user(role).await;
        assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401, "{role:?}");
    }
}

#[both_engines]
async fn a_key_is_for_a_role_that_is_there_and_less_than_ones_own(server: TestServer) {
    let amigo_administrator = server.user(DefaultRole::AmigoAdministrator).await;
    for role in ["DefaultAmigoAdministratorRole", "DefaultSuperAdministratorRole"] {
        let refused = create(&amigo_administrator, role).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (403, None),
            "{role}"
        );
    }
    for role in ["DefaultUserRole", "DefaultAdministratorRole"] {
        parts(&create(&amigo_administrator, role).await);
    }
    parts(&create(server.admin(), "DefaultSuperAdministratorRole").await);
    assert_eq!(create(server.admin(), "NoSuchRole").await.status, 404);
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(create(&administrator, "DefaultUserRole").await.status, 403);
}

#[both_engines]
async fn a_key_lives_one_to_ninety_days(server: TestServer) {
    let admin = server.admin();
    for duration in [
        "P0D",
        "PT23H",
        "PT23H59M59S",
        "P91D",
        "P90DT1S",
        "-P1D",
        "",
        "1D",
        "garbage",
        "P1000Y",
        "P99999999999999999999999D",
        "P1D2027-01-01T00:00:00+14:00",
        "P1E1D",
        "PNaND",
        "PinfD",
        "P,5D",
        "P\u{661}D",
        "p1d",
        "P1D ",
    ] {
        let refused = admin.post(KEYS, key_body("DefaultUserRole", duration)).await;
        assert_invalid_at(&refused, "body.duration");
    }
    for (duration, expected) in [
        ("P1D", "2026-11-24T12:00:00.000Z"),
        ("PT24H", "2026-11-24T12:00:00.000Z"),
        ("P1DT30M", "2026-11-24T12:30:00.000Z"),
        ("P90D", "2027-02-21T12:00:00.000Z"),
    ] {
        let created = admin.post(KEYS, key_body("DefaultUserRole", duration)).await;
        assert_eq!(created.status, 201, "{duration}: {}", created.body);
        assert_eq!(created.body["expires_at"], expected, "{duration}");
    }
    for (field, value) in [("name", json!("")), ("name", json!(1)), ("role_name", json!(1))] {
        let mut body = key_body("DefaultUserRole", "P1D");
        body[field] = value;
        assert_invalid_at(&admin.post(KEYS, body).await, &format!("body.{field}"));
    }
    let body = json!({"name": null, "duration": "P1D", "actor_kind": "person"});
    assert_invalid_at(&admin.post(KEYS, body).await, "body.actor_kind");
    assert_invalid_at(&admin.post(KEYS, json!({"duration": "P1D"})).await, "body.name");
    assert_invalid_at(&admin.post(KEYS, json!({"name": null})).await, "body.duration");
}

#[both_engines]
async fn an_organization_has_twenty_keys_at_the_most(server: TestServer) {
    let admin = server.admin();
    let mut last = String::new();
    for _ in 1..20 {
        let created = create(admin, "DefaultUserRole").await;
        parts(&created)[0].clone_into(&mut last);
    }
    assert_eq!(list(admin).await.len(), 20);
    let refused = create(admin, "DefaultUserRole").await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (400, None));
    assert!(refused.detail().contains("20"), "{}", refused.detail());
    assert_eq!(delete(admin, &last).await.status, 200);
    parts(&create(admin, "DefaultUserRole").await);
    assert_eq!(create(admin, "DefaultUserRole").await.status, 400);
    let admin = a_day_later(&server).await;
    assert_eq!(list(&admin).await.len(), 1, "the others have ended");
    parts(&create(&admin, "DefaultUserRole").await);
}
