//! What only dynamic behavior sets have.

use forge_app::items::behavior_sets::behaviors_for;
use forge_testkit::{KNOWN_TOOL, TestServer, both_engines};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{BEHAVIOR_SET, behavior_set_body, behavior_version};
use crate::support::organization::organization;
use crate::support::users::user_with;

const SETS: &str = "dynamic_behavior_set/";

fn with_tool(tool: &str) -> Value {
    json!({"conversation_triggers": ["The user asks for a date."], "actions": [
        {"type": "change-tool-candidates", "overrides_existing_tool_call_specs": true, "tool_call_specs": [
            {"tool_id": tool, "version_constraint": ">=1", "additional_instruction": "Ask first.", "audio_fillers": [],
                "audio_filler_triggered_after": 2, "result_persistence": "ephemeral", "tool_name": "calendar"}]}]})
}

/// Creates a set that is applied to a service and returns its id.
async fn applied(server: &TestServer, name: &str, service: &str, is_active: bool) -> String {
    let mut body = behavior_set_body(name);
    body["applied_to_services"] = json!([service]);
    body["initial_version"]["is_active"] = is_active.into();
    BEHAVIOR_SET.create(server, body).await
}

/// Returns id and version of the sets that conversations of a service meet.
async fn met(server: &TestServer, service: &str) -> Vec<(String, i64)> {
    let behaviors = behaviors_for(&server.app, &organization(server), service.parse().unwrap()).await;
    let pair = |behavior: forge_app::Behavior| (behavior.id.to_string(), behavior.version.get());
    behaviors.unwrap().into_iter().map(pair).collect()
}

#[both_engines]
async fn what_an_agent_does_is_switched_by_those_who_may_update_its_service(server: TestServer) {
    let service = server.service(1).await;
    let (active, idle) = (
        applied(&server, "Calm", &service, true).await,
        applied(&server, "Idle", &service, false).await,
    );
    let rights = [
        "UpdateDynamicBehaviorInstruction",
        "DeleteDynamicBehaviorInstruction",
    ];
    let rights = rights.map(|right| any(&format!("DynamicBehaviorInstruction:{right}")));
    let caller = user_with(&server, "Switcher", rights.to_vec()).await;
    let switch = async |id: &str, is_active: bool| {
        caller
            .post(&format!("{SETS}{id}/"), json!({"is_active": is_active}))
            .await
            .status
    };
    assert_eq!(switch(&active, false).await, 403);
    assert_eq!(switch(&idle, true).await, 403);
    assert_eq!(caller.delete(&format!("{SETS}{active}/")).await.status, 403);
    assert_eq!(met(&server, &service).await.len(), 1);
    // Who changes nothing, or what no agent does, needs no service.
    assert_eq!(switch(&active, true).await, 204);
    assert_eq!(caller.delete(&format!("{SETS}{idle}/")).await.status, 200);
}

#[both_engines]
async fn a_service_or_a_tool_that_is_not_there_is_told(server: TestServer) {
    let id = BEHAVIOR_SET.named(&server, "Calm").await;
    let (path, versions) = (format!("{SETS}{id}/"), format!("{SETS}{id}/version/"));
    let mut nowhere = behavior_set_body("Other");
    nowhere["applied_to_services"] = json!([UNKNOWN_ID]);
    let mut toolless = behavior_set_body("Other");
    toolless["initial_version"] = with_tool(UNKNOWN_ID);
    toolless["initial_version"]["is_active"] = false.into();
    for (path, body, missing) in [
        (SETS, nowhere, "service"),
        (SETS, toolless, "tool"),
        (&path, json!({"applied_to_services": [UNKNOWN_ID]}), "service"),
        (&versions, with_tool(UNKNOWN_ID), "tool"),
    ] {
        let answer = server.admin().post(path, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.sequence()),
            (404, None),
            "{}",
            answer.body
        );
        assert_eq!(answer.detail(), format!("there is no {missing} {UNKNOWN_ID}"));
    }
    let created = server.admin().post(&versions, with_tool(KNOWN_TOOL)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let listed = server.admin().get(&format!("{versions}?version=latest")).await;
    let mut shown = listed.body["dynamic_behavior_set_versions"][0]["actions"].clone();
    shown[0]["tool_call_specs"][0]["audio_filler_triggered_after"] = json!(2);
    assert_eq!(shown, with_tool(KNOWN_TOOL)["actions"]);
}

#[both_engines]
async fn names_are_unique_among_active_sets_only(server: TestServer) {
    let mut idle = behavior_set_body("Calm");
    idle["initial_version"]["is_active"] = false.into();
    let active = BEHAVIOR_SET.named(&server, "Calm").await;
    let inactive = BEHAVIOR_SET.create(&server, idle).await;
    let other = BEHAVIOR_SET.named(&server, "Other").await;
    let update = async |id: &str, body: Value| server.admin().post(&format!("{SETS}{id}/"), body).await;
    for (id, body) in [
        (&inactive, json!({"is_active": true})),
        (&other, json!({"name": "Calm"})),
    ] {
        let refused = update(id, body).await;
        assert_eq!((refused.status.as_u16(), refused.sequence()), (409, None));
        assert!(
            refused.detail().contains("deactivate that one first"),
            "{}",
            refused.detail()
        );
    }
    assert_eq!(update(&active, json!({"is_active": false})).await.status, 204);
    assert_eq!(
        update(&inactive, json!({"is_active": true, "name": "Calm"}))
            .await
            .status,
        204
    );
    assert_eq!(update(&active, json!({"is_active": true})).await.status, 409);
    assert_eq!(
        update(&active, json!({"is_active": true, "name": "Calmer"}))
            .await
            .status,
        204
    );
    assert_eq!(
        BEHAVIOR_SET.names(&server, "?is_active=true").await,
        ["Calmer", "Calm", "Other"]
    );
}

#[both_engines]
async fn a_grant_for_one_name_does_not_rename_to_another(server: TestServer) {
    let id = BEHAVIOR_SET.named(&server, "Mine").await;
    let user = user_with(
        &server,
        "Mine",
        vec![grant(
            BEHAVIOR_SET.modify,
            &equals("dynamic_behavior_set_name", "Mine"),
        )],
    )
    .await;
    let renamed = user.post(&format!("{SETS}{id}/"), json!({"name": "Yours"})).await;
    assert_eq!(renamed.status, 403);
    assert_eq!(BEHAVIOR_SET.names(&server, "").await, ["Mine"]);
}

#[both_engines]
async fn lists_are_filtered_by_service_and_activity(server: TestServer) {
    let [here, there] = [server.service(1).await, server.service(1).await];
    applied(&server, "a", &here, true).await;
    let both = applied(&server, "b", &here, false).await;
    applied(&server, "c", &there, true).await;
    let change = json!({"applied_to_services": [here, there, here]});
    assert_eq!(
        server
            .admin()
            .post(&format!("{SETS}{both}/"), change)
            .await
            .status,
        204
    );
    assert_eq!(
        BEHAVIOR_SET.shown(&server, &both).await["applied_to_services"],
        json!([here, there])
    );
    for (query, expected) in [
        (format!("?applied_to_service={here}"), vec!["a", "b"]),
        (format!("?applied_to_service={there}&is_active=true"), vec!["c"]),
        (
            format!("?applied_to_service={here}&applied_to_service={there}"),
            vec!["a", "b", "c"],
        ),
        ("?is_active=false".to_owned(), vec!["b"]),
    ] {
        assert_eq!(BEHAVIOR_SET.names(&server, &query).await, expected, "{query}");
    }
    let listed = server.admin().get(SETS).await;
    let mut services = [here, there];
    services.sort();
    assert_eq!(
        listed.body["filter_values"]["applied_to_services_ids"],
        json!(services)
    );
}

#[both_engines]
async fn conversations_meet_the_latest_versions_of_active_sets_of_their_service(server: TestServer) {
    let [here, there] = [server.service(1).await, server.service(1).await];
    assert_eq!(met(&server, &here).await, []);
    let first = applied(&server, "first", &here, true).await;
    let second = applied(&server, "second", &here, false).await;
    BEHAVIOR_SET.named(&server, "applied nowhere").await;
    assert_eq!(met(&server, &here).await, [(first.clone(), 1)]);
    assert_eq!(met(&server, &there).await, []);
    server
        .admin()
        .post(&format!("{SETS}{first}/version/"), behavior_version())
        .await;
    server
        .admin()
        .post(&format!("{SETS}{second}/"), json!({"is_active": true}))
        .await;
    assert_eq!(
        met(&server, &here).await,
        [(first.clone(), 2), (second.clone(), 1)]
    );
    server
        .admin()
        .post(
            &format!("{SETS}{first}/"),
            json!({"applied_to_services": [there]}),
        )
        .await;
    assert_eq!(met(&server, &here).await, [(second.clone(), 1)]);
    assert_eq!(met(&server, &there).await, [(first.clone(), 2)]);
    server.admin().delete(&format!("{SETS}{second}/")).await;
    assert_eq!(met(&server, &here).await, []);
}

#[both_engines]
async fn a_deleted_set_is_not_listed(server: TestServer) {
    let id = BEHAVIOR_SET.named(&server, "Calm").await;
    let deleted = server.admin().delete(&format!("{SETS}{id}/")).await;
    assert_eq!((deleted.status.as_u16(), &deleted.body), (200, &json!({})));
    assert_eq!(BEHAVIOR_SET.names(&server, "").await, Vec::<String>::new());
    assert_eq!(
        BEHAVIOR_SET.names(&server, &format!("?id={id}")).await,
        Vec::<String>::new()
    );
}

#[both_engines]
async fn bodies_must_be_well_formed(server: TestServer) {
    let id = BEHAVIOR_SET.named(&server, "Calm").await;
    let mut body = behavior_set_body("Other");
    body["initial_version"]["conversation_triggers"] = json!([]);
    assert_invalid_at(
        &server.admin().post(SETS, body).await,
        "body.initial_version.conversation_triggers",
    );
    for (field, value, place) in [
        (
            "conversation_triggers",
            json!([" "]),
            "body.conversation_triggers.0",
        ),
        (
            "conversation_triggers",
            json!(vec!["t"; 51]),
            "body.conversation_triggers",
        ),
        ("actions", json!([{"type": "sing"}]), "body.actions.0.type"),
        (
            "actions",
            json!([{"type": "inject-instruction", "instruction": "x"}]),
            "body.actions.0.overrides_instructions",
        ),
    ] {
        let mut body = behavior_version();
        body[field] = value;
        assert_invalid_at(
            &server.admin().post(&format!("{SETS}{id}/version/"), body).await,
            place,
        );
    }
}
