//! Changing what a service is called and described as.

use forge_app::services;
use forge_app::version_sets::promotion::ChangeOptions;
use forge_domain::access::DefaultRole;
use forge_domain::service::UpdateService;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{assert_updated, binding, create, new_body, read, update, with};
use crate::support::assertions::{assert_forbidden, assert_invalid};
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::change_number;
use crate::support::revisions::actions;

#[both_engines]
async fn each_field_of_a_service_changes_alone(server: TestServer) {
    let id = create(&server, new_body(&server, "Care").await).await;
    let (agent, graph) = binding(&server, 1).await;
    let author = server.user(DefaultRole::Administrator).await;
    for (field, value) in [
        ("name", json!("Sales")),
        ("description", json!("Sells.")),
        ("is_active", json!(false)),
        ("is_active", json!(true)),
        ("agent_id", json!(agent)),
        ("service_hierarchical_state_machine_id", json!(graph)),
        ("tags", json!({"team": null, "shift": "late"})),
        ("keyterms", json!(["crown"])),
    ] {
        let (mut expected, before) = (read(&server, &id).await, change_number(&server).await);
        assert_eq!(expected["creator"]["user_id"], json!(server.admin().user_id));
        let answer = author
            .post(&format!("service/{id}/"), json!({field: value}))
            .await;
        assert_updated(&answer);
        assert_eq!(answer.sequence(), Some(before + 1));
        expected[field] = value;
        if field == "tags" {
            expected[field] = json!([{"key": "team", "value": null}, {"key": "shift", "value": "late"}]);
        }
        expected["updated_by"]["user_id"] = json!(author.user_id);
        assert_eq!(read(&server, &id).await, expected);
    }
    assert_updated(&update(&server, &id, json!({"tags": {}, "keyterms": []})).await);
    let service = read(&server, &id).await;
    assert_eq!((&service["tags"], &service["keyterms"]), (&json!([]), &json!([])));
}

#[both_engines]
async fn what_is_null_or_absent_or_the_same_is_left_alone_and_nothing_is_written(server: TestServer) {
    let changes = json!({"tags": {"team": "care", "flag": null}, "keyterms": ["crown"]});
    let body = with(new_body(&server, "Care").await, &changes);
    let id = create(&server, body.clone()).await;
    let (service, before) = (read(&server, &id).await, change_number(&server).await);
    let fields = body.as_object().unwrap().keys();
    let nulls: Value = fields.map(|field| (field.clone(), Value::Null)).collect();
    let reordered = json!({"tags": {"flag": null, "team": "care"}, "name": " Care "});
    for same in [json!({}), nulls, body, reordered, json!({"unknown": true})] {
        let answer = update(&server, &id, same).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({})));
        assert_eq!(answer.sequence(), None);
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(read(&server, &id).await, service);
    assert_eq!(actions(&server, &id, "release").await, ["create"]);
}

#[both_engines]
async fn a_service_that_is_not_there_cannot_be_changed(server: TestServer) {
    let id = server.service(1).await;
    let unknown = update(&server, UNKNOWN_ID, json!({"name": "x"})).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.detail().contains(UNKNOWN_ID));
    let foreign = server
        .stranger()
        .post(&format!("service/{id}/"), json!({"name": "x"}))
        .await;
    assert_eq!(foreign.status, 404);
    let malformed = update(&server, "x", json!({"name": "x"})).await;
    assert_invalid(&malformed, &["path.service_id: string_pattern_mismatch"]);
}

#[both_engines]
async fn a_changes_fields_are_all_checked(server: TestServer) {
    let id = server.service(1).await;
    let before = change_number(&server).await;
    for (changes, fault) in [
        (json!({"name": " "}), "body.name: string_too_short"),
        (json!({"name": 1}), "body.name: type"),
        (json!({"description": ""}), "body.description: string_too_short"),
        (json!({"is_active": 1}), "body.is_active: type"),
        (json!({"agent_id": "x"}), "body.agent_id: string_pattern_mismatch"),
        (
            json!({"service_hierarchical_state_machine_id": ""}),
            "body.service_hierarchical_state_machine_id: string_pattern_mismatch",
        ),
        (json!([]), "body: type"),
    ] {
        assert_invalid(&update(&server, &id, changes).await, &[fault]);
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn a_taken_name_can_be_got_neither_by_activation_nor_by_renaming(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let first = create(&server, body.clone()).await;
    let inactive = create(&server, with(body.clone(), &json!({"is_active": false}))).await;
    let other = create(&server, with(body, &json!({"name": "Sales"}))).await;
    let before = change_number(&server).await;
    for (id, changes) in [
        (&inactive, json!({"is_active": true})),
        (&other, json!({"name": "Care"})),
        (&inactive, json!({"name": "Sales", "is_active": true})),
    ] {
        assert_eq!(update(&server, id, changes).await.status, 409);
    }
    assert_eq!(change_number(&server).await, before);
    // Under another name, and once the name is free, it may.
    assert_updated(
        &update(
            &server,
            &inactive,
            json!({"name": "Night care", "is_active": true}),
        )
        .await,
    );
    assert_updated(&update(&server, &first, json!({"is_active": false})).await);
    assert_updated(&update(&server, &other, json!({"name": "Care"})).await);
    assert_updated(&update(&server, &inactive, json!({"name": "Care", "is_active": false})).await);
}

#[both_engines]
async fn changing_a_service_takes_the_permission_on_its_old_and_its_new_name(server: TestServer) {
    let id = create(&server, new_body(&server, "Care").await).await;
    let user = server.user(DefaultRole::User).await;
    for id in [id.as_str(), UNKNOWN_ID] {
        assert_eq!(
            user.post(&format!("service/{id}/"), json!({"name": "x"}))
                .await
                .status,
            403
        );
    }
    let permission = "Service:UpdateService";
    let named = |value| {
        parsed_grant(
            permission,
            json!({"service_name": {"type": "Equals", "value": value}}),
        )
    };
    let rename = async |grants, name: &str| {
        let change = UpdateService {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        services::update(
            forge_app::Ctx::new(&server.app, &server.caller(grants)),
            id.parse().unwrap(),
            change,
            &ChangeOptions::default(),
        )
        .await
    };
    let before = change_number(&server).await;
    assert_forbidden(rename(vec![named("Sales")], "Sales").await, permission);
    assert_forbidden(rename(vec![named("Care")], "Sales").await, permission);
    let absent = json!({"version_set_name": {"type": "NotEquals", "value": "edge"}});
    assert_forbidden(
        rename(vec![parsed_grant(permission, absent)], "Sales").await,
        permission,
    );
    assert_eq!(change_number(&server).await, before);
    let renamed = rename(vec![named("Care"), named("Sales")], "Sales")
        .await
        .unwrap();
    assert_eq!(renamed.change_number, Some(before + 1));
}
