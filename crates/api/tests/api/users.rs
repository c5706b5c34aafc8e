//! Inviting users, listing them, changing what is known of them and deleting them.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, both_engines};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::organization::{change_number, organization};
use crate::support::pages::pages;
use crate::support::users::{USERS, invitation, invite, invited, member, sign_in, signed_in};

const USER_ROLE: &str = "DefaultUserRole";

const SUPER_ROLE: &str = "DefaultSuperAdministratorRole";

async fn ids(client: &TestClient, query: &str) -> Vec<String> {
    pages(client, &format!("user/?{query}"), "users", "user_id")
        .await
        .concat()
}

/// Returns what a list shows of a user.
async fn shown(client: &TestClient, user_id: &str) -> Value {
    let found = client.get(&format!("user/?user_id={user_id}")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    assert_eq!(found.body["users"].as_array().unwrap().len(), 1);
    found.body["users"][0].clone()
}

async fn update(client: &TestClient, user_id: &str, body: Value) -> TestResponse {
    client.post(&format!("user/{user_id}"), body).await
}

async fn delete(client: &TestClient, user_id: &str) -> TestResponse {
    client.delete(&format!("user/{user_id}")).await
}

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

#[both_engines]
async fn a_list_shows_what_is_known_of_a_user_and_sensitive_variables_only_by_name(server: TestServer) {
    let mut body = invitation("ada@example.com", USER_ROLE);
    body["nonsensitive_user_variables"] = json!({"plan": "gold"});
    body["sensitive_user_variables"] = json!({"pass_word": "hush-hush-hush"});
    body["user_preferences"] = json!({"preferred_language": "deu", "timezone": "Europe/Berlin",
        "audio_keyterms": ["forge"]});
    let id = server.admin().post(USERS, body).await.body["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let roles = server.admin().get(&format!("role/?name={USER_ROLE}")).await;
    let found = shown(server.admin(), &id).await;
    assert_eq!(
        found,
        json!({
            "org_id": server.admin().organization, "user_id": id,
            "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com",
            "role": roles.body["roles"][0]["id"],
            "user_stats": {"num_conversations": 0, "num_messages": 0, "last_message_time": null},
            "preferences": {"enable_response_recommendation": false, "preferred_language": "deu",
                "conversations_visible_to_admins": true, "user_model_visible_to_admins": true,
                "timezone": "Europe/Berlin", "audio_keyterms": ["forge"]},
            "nonsensitive_variables": {"plan": "gold"}, "sensitive_variables": ["pass_word"],
            "enable_actions_access": false,
        })
    );
}

#[both_engines]
async fn the_audit_log_tells_nothing_personal(server: TestServer) {
    let admin = server.admin();
    let mut body = invitation("ada@example.com", USER_ROLE);
    body["nonsensitive_user_variables"] = json!({"plan": "gold-plated"});
    body["sensitive_user_variables"] = json!({"pass_word": "hush-hush-hush"});
    let id = admin.post(USERS, body).await.body["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"first_name": "Augusta", "additional_context": ["Likes engines."]});
    assert_eq!(update(admin, &id, body).await.status, 204);
    assert_eq!(delete(admin, &id).await.status, 204);
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization(&server), 0, 10_000)
        .await
        .unwrap()
        .into_rows();
    let about = events.iter().filter(|(event, _)| event.object.id == id);
    let actions: Vec<&str> = about.map(|(event, _)| event.action.as_str()).collect();
    assert_eq!(actions, ["invite", "update", "delete"]);
    let text = format!("{events:?}");
    for personal in [
        "Ada",
        "Augusta",
        "Lovelace",
        "ada@",
        "gold-plated",
        "hush-hush-hush",
        "engines",
    ] {
        assert!(!text.contains(personal), "{personal}");
    }
}

#[both_engines]
async fn a_list_is_narrowed_by_id_and_by_email(server: TestServer) {
    let admin = server.admin();
    let (ada, bob) = (
        invited(admin, "ada@example.com", USER_ROLE).await,
        invited(admin, "bob@example.com", USER_ROLE).await,
    );
    for (query, expected) in [
        (format!("user_id={ada}"), vec![&ada]),
        (format!("user_id={bob}&user_id={ada}"), vec![&ada, &bob]),
        ("email=ADA@example.com".to_owned(), vec![&ada]),
        (
            "email=ada@example.com&email=bob@example.com&limit=1".to_owned(),
            vec![&ada, &bob],
        ),
        (format!("user_id={ada}&email=bob@example.com"), vec![]),
        (
            format!("user_id=nobody&user_id={}", server.stranger().user_id),
            vec![],
        ),
        ("email=nobody@example.com".to_owned(), vec![]),
        (String::new(), vec![&admin.user_id, &ada, &bob]),
    ] {
        assert_eq!(
            ids(admin, &query).await.iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    assert_invalid_at(&admin.get("user/?email=nonsense").await, "query.email");
}

#[both_engines]
async fn a_list_has_every_user_once_in_the_order_asked_for(server: TestServer) {
    let admin = server.admin();
    let mut people = vec![("Super", "Administrator", admin.user_id.clone())];
    let others = [
        ("Eve", "Adams"),
        ("Bob", "Adams"),
        ("Eve", "Zuse"),
        ("Al", "Moe"),
        ("Bob", "Zuse"),
    ];
    for (first, last) in others {
        let mut body = invitation(&format!("{first}.{last}@example.com"), USER_ROLE);
        (body["first_name"], body["last_name"]) = (json!(first), json!(last));
        let id = admin.post(USERS, body).await.body["user_id"]
            .as_str()
            .unwrap()
            .to_owned();
        people.push((first, last, id));
    }
    let expected = |people: &[(&str, &str, String)]| -> Vec<String> {
        people.iter().map(|(_, _, id)| id.clone()).collect()
    };
    for limit in [1, 2, 100] {
        assert_eq!(
            ids(admin, &format!("limit={limit}")).await,
            expected(&people),
            "{limit}"
        );
        let mut sorted = people.clone();
        sorted.sort_by_key(|(first, last, _)| (*first, std::cmp::Reverse(*last)));
        let query = format!("limit={limit}&sort_by=%2Bfirst_name&sort_by=-last_name");
        assert_eq!(ids(admin, &query).await, expected(&sorted), "{limit}");
        let query = format!("limit={limit}&sort_by=-user_stats.num_messages&sort_by=+last_name");
        sorted.clone_from(&people);
        sorted.sort_by_key(|(_, last, _)| *last);
        assert_eq!(ids(admin, &query).await, expected(&sorted), "{limit}");
    }
    for query in [
        "sort_by=email",
        "sort_by=-role",
        "limit=101",
        "limit=-1",
        "continuation_token=-1",
        "continuation_token=999999",
    ] {
        let place = format!("query.{}", query.split('=').next().unwrap());
        assert_invalid_at(&admin.get(&format!("user/?{query}")).await, &place);
    }
}

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

#[both_engines]
async fn a_deleted_user_is_gone_at_once(server: TestServer) {
    let admin = server.admin();
    let user = member(&server, USER_ROLE).await;
    assert_eq!(user.get("service/").await.status, 200);
    assert_eq!(delete(admin, &user.user_id).await.status, 204);
    assert_eq!(user.get("service/").await.status, 401);
    let [_, id, secret] = &server.credentials;
    assert_eq!(sign_in(admin, &user.user_id, [id, secret]).await.status, 401);
    let by_email = format!("email={USER_ROLE}@example.com");
    for query in [String::new(), format!("user_id={}", user.user_id), by_email] {
        assert!(!ids(admin, &query).await.contains(&user.user_id), "{query}");
    }
    assert_eq!(delete(admin, &user.user_id).await.status, 404);
    assert_eq!(update(admin, &user.user_id, json!({})).await.status, 404);
    let again = invited(admin, &format!("{USER_ROLE}@example.com"), USER_ROLE).await;
    assert_ne!(again, user.user_id);
}

#[both_engines]
async fn nobody_deletes_those_above_or_the_last_super_administrator(server: TestServer) {
    let admin = server.admin();
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(delete(&administrator, &admin.user_id).await.status, 403);
    assert_eq!(
        delete(&server.user(DefaultRole::User).await, &administrator.user_id)
            .await
            .status,
        403
    );
    let refused = delete(admin, &admin.user_id).await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (400, None));
    assert!(
        refused.detail().contains("last super administrator"),
        "{}",
        refused.detail()
    );
    let other = member(&server, SUPER_ROLE).await;
    assert_eq!(delete(admin, &admin.user_id).await.status, 204);
    assert_eq!(admin.get(USERS).await.status, 401);
    assert_eq!(delete(&other, &other.user_id).await.status, 400);
}
