//! The list of users.

use forge_testkit::both_engines;
use serde_json::json;

use super::{USER_ROLE, ids, shown};
use crate::support::assertions::assert_invalid_at;
use crate::support::users::{USERS, invitation, invited};

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
