//! Inviting users.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{SUPER_ROLE, USER_ROLE};
use crate::support::assertions::assert_invalid_at;
use crate::support::users::{USERS, invitation, invite, invited, signed_in};

#[both_engines]
async fn an_invited_user_may_sign_in_at_once(server: TestServer) {
    let mut body = invitation("ada@example.com", USER_ROLE);
    body["login_link"] = json!("https://example.com/login");
    let invited = server.admin().post(USERS, body).await;
    assert_eq!(invited.status, 201, "{}", invited.body);
    assert_eq!(invited.body["verify_link"], "https://example.com/login");
    assert!(invited.sequence().is_some());
    let user = signed_in(&server, invited.body["user_id"].as_str().unwrap()).await;
    assert_eq!(user.get("service/").await.status, 200);
    assert!(user.get(USERS).await.shows_nothing());
    assert_eq!(
        invite(server.admin(), "b@example.com", USER_ROLE).await.body["verify_link"],
        Value::Null
    );
}

#[both_engines]
async fn an_email_address_belongs_to_one_user_however_it_is_written(server: TestServer) {
    invited(server.admin(), "ada@example.com", USER_ROLE).await;
    for email in ["ada@example.com", "ADA@Example.com"] {
        let refused = invite(server.admin(), email, USER_ROLE).await;
        assert_eq!(refused.status, 409, "{email}");
        assert_eq!(refused.sequence(), None);
    }
    assert_eq!(
        invite(server.stranger(), "ada@example.com", USER_ROLE)
            .await
            .status,
        201
    );
}

#[both_engines]
async fn an_invitation_is_into_a_role_that_is_there_and_less_than_ones_own(server: TestServer) {
    assert_eq!(
        invite(server.admin(), "a@example.com", "NoSuchRole").await.status,
        404
    );
    let administrator = server.user(DefaultRole::Administrator).await;
    for role in [
        "DefaultAdministratorRole",
        "DefaultAmigoAdministratorRole",
        SUPER_ROLE,
    ] {
        let refused = invite(&administrator, "a@example.com", role).await;
        assert_eq!(refused.status, 403, "{role}");
        assert!(refused.detail().contains(role), "{}", refused.detail());
    }
    invited(&administrator, "a@example.com", USER_ROLE).await;
    invited(server.admin(), "b@example.com", SUPER_ROLE).await;
    let user = server.user(DefaultRole::User).await;
    assert_eq!(invite(&user, "c@example.com", USER_ROLE).await.status, 403);
}

#[both_engines]
async fn an_invitation_must_be_well_formed(server: TestServer) {
    let variables = |count: usize| -> Value {
        let variables = (0..count).map(|number| (format!("name_{number}"), json!("a value of some length")));
        variables.collect::<serde_json::Map<_, _>>().into()
    };
    for (field, value) in [
        ("email", json!("no address")),
        ("email", json!("")),
        ("email", json!(null)),
        ("first_name", json!("")),
        ("last_name", json!("  ")),
        ("login_link", json!("no link")),
        ("nonsensitive_user_variables", variables(20)),
        ("sensitive_user_variables", variables(21)),
        ("nonsensitive_user_variables", json!({"Name": "x"})),
        ("sensitive_user_variables", json!({"name": 1})),
        ("user_preferences", json!({"timezone": "Nowhere/Never"})),
        ("user_preferences", json!({"preferred_language": "english"})),
    ] {
        let mut body = invitation("ada@example.com", USER_ROLE);
        body[field] = value;
        assert_invalid_at(&server.admin().post(USERS, body).await, &format!("body.{field}"));
    }
    for field in ["first_name", "last_name", "email", "role_name"] {
        let mut body = invitation("ada@example.com", USER_ROLE);
        body.as_object_mut().unwrap().remove(field);
        assert_invalid_at(&server.admin().post(USERS, body).await, &format!("body.{field}"));
    }
    let mut body = invitation("ada@example.com", USER_ROLE);
    body["nonsensitive_user_variables"] = variables(19);
    body["sensitive_user_variables"] = variables(20);
    assert_eq!(server.admin().post(USERS, body).await.status, 201);
}
