//! Changing what is known of a user.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{USER_ROLE, shown, update};
use crate::support::assertions::assert_invalid_at;
use crate::support::organization::change_number;
use crate::support::users::invited;

#[both_engines]
async fn each_field_of_a_user_changes_alone(server: TestServer) {
    let admin = server.admin();
    let id = invited(admin, "ada@example.com", USER_ROLE).await;
    let mut expected = shown(admin, &id).await;
    for (field, value) in [
        ("first_name", json!("Augusta")),
        ("last_name", json!("King")),
        ("enable_response_recommendation", json!(true)),
        ("preferred_language", json!("fra")),
        ("timezone", json!("Europe/London")),
        ("audio_keyterms", json!(["difference engine"])),
    ] {
        let updated = update(admin, &id, json!({field: value})).await;
        assert_eq!(updated.status, 204, "{field}: {}", updated.body);
        assert!(updated.sequence().is_some());
        let is_name = field.ends_with("_name");
        let holder = if is_name {
            &mut expected
        } else {
            &mut expected["preferences"]
        };
        holder[field] = value;
        assert_eq!(shown(admin, &id).await, expected, "{field}");
    }
    for body in [
        json!({}),
        json!({"additional_context": ["Likes engines."]}),
        json!({"first_name": null,
        "audio_keyterms": null, "conversations_visible_to_admins": null}),
    ] {
        assert_eq!(update(admin, &id, body).await.status, 204);
        assert_eq!(shown(admin, &id).await, expected);
    }
}

#[both_engines]
async fn only_the_user_says_what_administrators_see(server: TestServer) {
    let admin = server.admin();
    let user = server.user(DefaultRole::User).await;
    for (field, other) in [
        ("conversations_visible_to_admins", "user_model_visible_to_admins"),
        ("user_model_visible_to_admins", "conversations_visible_to_admins"),
    ] {
        assert_eq!(
            update(&user, &user.user_id, json!({field: false})).await.status,
            204
        );
        let event = admin.get("audit_event/?limit=1").await.body["audit_events"][0].clone();
        assert_eq!(event["after"]["changed"], json!([field]), "{event}");
        let before = change_number(&server).await;
        let refused = update(admin, &user.user_id, json!({field: true, "first_name": "Eve"})).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(refused.detail().contains(field), "{}", refused.detail());
        assert_eq!(change_number(&server).await, before);
        // What is like that already is no change of theirs.
        assert_eq!(
            update(admin, &user.user_id, json!({field: false, "last_name": "King"}))
                .await
                .status,
            204
        );
        let shown = shown(admin, &user.user_id).await;
        assert_eq!(shown["preferences"][field], false);
        assert_eq!(
            update(&user, &user.user_id, json!({field: true})).await.status,
            204
        );
        assert_eq!(
            update(admin, &user.user_id, json!({other: true})).await.status,
            204
        );
    }
    let event = admin.get("audit_event/?limit=1").await.body["audit_events"][0].clone();
    assert_eq!(
        event["after"]["changed"],
        Value::Null,
        "nothing changed who sees what"
    );
}

#[both_engines]
async fn null_erases_a_language_and_a_time_zone_and_an_empty_object_leaves_them(server: TestServer) {
    let admin = server.admin();
    let id = invited(admin, "ada@example.com", USER_ROLE).await;
    for (field, value) in [
        ("preferred_language", json!("fra")),
        ("timezone", json!("Asia/Tokyo")),
    ] {
        let same = [(value.clone(), &value), (json!({}), &value)];
        for (given, expected) in same.into_iter().chain([(Value::Null, &Value::Null)]) {
            assert_eq!(update(admin, &id, json!({field: given})).await.status, 204);
            assert_eq!(
                &shown(admin, &id).await["preferences"][field],
                expected,
                "{field} {given}"
            );
        }
    }
}

#[both_engines]
async fn a_change_of_a_user_is_refused_when_it_cannot_be_made(server: TestServer) {
    let admin = server.admin();
    let id = invited(admin, "ada@example.com", USER_ROLE).await;
    for (field, value) in [
        ("first_name", json!("")),
        ("preferred_language", json!("xx")),
        ("timezone", json!("Mars/Base")),
        ("audio_keyterms", json!(["No Capitals"])),
        ("additional_context", json!([""])),
    ] {
        assert_invalid_at(
            &update(admin, &id, json!({field: value})).await,
            &format!("body.{field}"),
        );
    }
    for unknown in ["nobody", &server.stranger().user_id] {
        assert_eq!(update(admin, unknown, json!({})).await.status, 404, "{unknown}");
    }
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(
        update(&administrator, &id, json!({"first_name": "A"}))
            .await
            .status,
        204
    );
    assert_eq!(
        update(&administrator, &admin.user_id, json!({})).await.status,
        403,
        "above the caller"
    );
    assert_eq!(
        update(&server.user(DefaultRole::User).await, &id, json!({}))
            .await
            .status,
        403
    );
}
