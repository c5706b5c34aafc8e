//! Dynamic behavior sets, metrics, personas and scenarios: what they have in common is tested for all of them.

mod behavior_sets;
mod evaluation;
mod invocations;
mod lists;
mod metrics;
mod personas;
mod scenarios;
pub(crate) mod talk;
mod versions;

use forge_testkit::both_engines;
use serde_json::json;

use crate::support::grants::{equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{KINDS, names_in, persona, persona_version};
use crate::support::users::user_with;

#[both_engines]
async fn an_item_is_created_and_shown(server: TestServer) {
    for kind in KINDS {
        let mut body = (kind.body)("  Calm  ");
        body["tags"] = json!({"team": "care", "draft": null});
        let created = server.admin().post(kind.path, body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert!(created.sequence().is_some());
        let shown = kind
            .shown(&server, created.body[kind.created].as_str().unwrap())
            .await;
        assert_eq!(shown["id"], created.body[kind.created]);
        assert_eq!(shown["name"], "Calm", "blanks are cut");
        let user = json!({"org_id": server.admin().organization, "user_id": server.admin().user_id});
        assert_eq!((&shown["creator"], &shown["updated_by"]), (&user, &user));
        assert_eq!(shown["created_at"], "2026-11-23T12:00:00.000Z");
        assert_eq!(shown["updated_at"], shown["created_at"]);
    }
}

#[both_engines]
async fn a_name_is_taken_once_among_those_of_a_kind_that_are_not_deleted(server: TestServer) {
    for kind in KINDS {
        let first = kind.named(&server, "Calm").await;
        let taken = server.admin().post(kind.path, (kind.body)("Calm")).await;
        assert_eq!(
            (taken.status.as_u16(), taken.sequence()),
            (409, None),
            "{}",
            taken.body
        );
        assert!(
            taken
                .detail()
                .contains(&format!("{} {first} is named `Calm` already", kind.noun)),
            "{}",
            taken.detail()
        );
        kind.named(&server, "calm").await;
        let deleted = server.admin().delete(&format!("{}{first}/", kind.path)).await;
        assert!(deleted.status.is_success());
        assert_ne!(kind.named(&server, "Calm").await, first);
    }
}

#[both_engines]
async fn tags_are_changed_and_nothing_is_written_if_nothing_changes(server: TestServer) {
    for kind in KINDS {
        let path = format!("{}{}/", kind.path, kind.named(&server, "Calm").await);
        let id = path.split('/').rev().nth(1).unwrap();
        server.clock.advance_seconds(60);
        let changed = server
            .admin()
            .post(&path, json!({"tags": {"team": "care"}}))
            .await;
        assert_eq!(changed.status, kind.updated, "{}", changed.body);
        assert!(changed.sequence().is_some());
        let shown = kind.shown(&server, id).await;
        assert!(
            shown["tags"] == json!({"team": "care"})
                || shown["tags"] == json!([{"key": "team", "value": "care"}])
        );
        assert!(shown["updated_at"].as_str() > shown["created_at"].as_str());
        for same in [
            json!({}),
            json!({"tags": null}),
            json!({"tags": {"team": "care"}}),
        ] {
            let answer = server.admin().post(&path, same).await;
            assert_eq!((answer.status.as_u16(), answer.sequence()), (kind.updated, None));
        }
    }
}

#[both_engines]
async fn what_is_not_there_or_deleted_cannot_be_changed(server: TestServer) {
    for kind in KINDS {
        let doomed = kind.named(&server, "Doomed").await;
        let deleted = server.admin().delete(&format!("{}{doomed}/", kind.path)).await;
        assert!(
            deleted.status.is_success() && deleted.sequence().is_some(),
            "{}",
            deleted.body
        );
        for id in [UNKNOWN_ID, &doomed] {
            let path = format!("{}{id}/", kind.path);
            let change = json!({"tags": {"team": "care"}});
            assert_eq!(server.admin().post(&path, change).await.status, 404);
            let again = server.admin().delete(&path).await;
            assert_eq!((again.status.as_u16(), again.sequence()), (404, None));
        }
        assert_eq!(
            server
                .admin()
                .delete(&format!("{}nonsense/", kind.path))
                .await
                .status,
            422
        );
    }
}

#[both_engines]
async fn conditions_on_names_hold_for_everything_that_is_done(server: TestServer) {
    for kind in KINDS {
        let (mine, other) = (
            kind.named(&server, "Mine").await,
            kind.named(&server, "Other").await,
        );
        let on_mine = |permission: &str| grant(permission, &equals(kind.name_attribute, "Mine"));
        let mut grants = vec![on_mine(kind.get), on_mine(kind.modify)];
        grants.extend(kind.create.iter().map(|permission| on_mine(permission)));
        let user = user_with(&server, kind.list, grants).await;
        let seen = user.get(kind.path).await;
        assert_eq!(names_in(&seen.body[kind.list]), ["Mine"]);
        let change = json!({"tags": {"team": "care"}});
        let statuses = [&mine, &other].map(|id| format!("{}{id}/", kind.path));
        assert_eq!(user.post(&statuses[0], change.clone()).await.status, kind.updated);
        assert_eq!(user.post(&statuses[1], change).await.status, 403);
        assert_eq!(
            user.delete(&statuses[0]).await.status,
            403,
            "nothing was said of deleting"
        );
        assert_eq!(user.post(kind.path, (kind.body)("Third")).await.status, 403);
        assert_eq!(user.post(kind.path, (kind.body)("Mine")).await.status, 409);
    }
}

#[both_engines]
async fn a_slash_more_or_less_makes_no_difference(server: TestServer) {
    for kind in KINDS {
        // One client puts a slash behind every update and deletion, others none behind what has one.
        for slash in ["", "/"] {
            let id = kind.named(&server, "Calm").await;
            let path = format!("{}{id}{slash}", kind.path);
            let changed = server.admin().post(&path, json!({"tags": {"team": null}})).await;
            assert_eq!(changed.status, kind.updated, "{path}");
            let list = format!("{}{slash}?id={id}", kind.path.trim_end_matches('/'));
            assert_eq!(
                server.admin().get(&list).await.body[kind.list][0]["id"],
                json!(id)
            );
            assert!(server.admin().delete(&path).await.status.is_success(), "{path}");
            let search = format!("{}search{slash}?query=calm", kind.path);
            let expected = if kind.path == "metric/" { 405 } else { 200 };
            assert_eq!(server.admin().get(&search).await.status, expected, "{search}");
        }
    }
    let id = persona(&server, "Ada").await;
    let created = server
        .admin()
        .post(&format!("simulation/persona/{id}/version"), persona_version())
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
}

#[both_engines]
async fn the_audit_log_tells_of_changes_without_contents(server: TestServer) {
    for kind in KINDS {
        let id = kind.named(&server, "Calm").await;
        server
            .admin()
            .post(&format!("{}{id}/", kind.path), json!({"tags": {"team": null}}))
            .await;
        server.admin().delete(&format!("{}{id}/", kind.path)).await;
        let log = server.admin().get(&format!("audit_event/?object_id={id}")).await;
        let events = log.body["audit_events"].as_array().unwrap();
        let actions: Vec<&str> = events
            .iter()
            .map(|event| event["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["delete", "update", "create"]);
        assert_eq!(events[1]["after"]["tags"], json!({"team": null}));
        let text = log.body.to_string();
        for content in [
            "Stay calm.",
            "Was it kind?",
            "Lives alone.",
            "Get the money back.",
        ] {
            assert!(!text.contains(content), "{text}");
        }
    }
}
