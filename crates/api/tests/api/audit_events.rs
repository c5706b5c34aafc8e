//! The audit log: listing it, exporting it, and its signed end.

use forge_app::audit::SignedCheckpoint;
use forge_domain::access::DefaultRole;
use forge_domain::audit::{AuditObject, ChainCheck, ChainReport};
use forge_domain::{Actor, ActorKind, Clock as _, UserRef};
use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use forge_wire::audit::{Line, parse_line};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::assertions::assert_invalid_at;
use crate::support::organization::organization;
use crate::support::users::member;

const EVENTS: &str = "audit_event/";

const HEAD: &str = "audit_event/head";

const EXPORT: &str = "audit_event/export";

/// Returns the numbers of the events of a list that are there.
async fn sequences(client: &TestClient, query: &str) -> Vec<i64> {
    let answer = client.get(&format!("{EVENTS}?limit=100&{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    let events = answer.body["audit_events"].as_array().unwrap().iter();
    events.map(|event| event["sequence"].as_i64().unwrap()).collect()
}

/// Appends events as some user, one change for all of them.
async fn append(server: &TestServer, count: usize) {
    let organization = organization(server);
    let write = server.app.store.write(&organization, server.clock.now()).await;
    let mut tx = write.unwrap().unwrap();
    let user = UserRef {
        org_id: organization,
        user_id: "somebody".to_owned(),
    };
    let kind = ActorKind::Agent;
    let actor = Actor {
        user,
        kind,
        key: None,
    };
    for number in 0..count {
        let object = AuditObject {
            kind: "thing".to_owned(),
            id: number.to_string(),
        };
        let after = json!({"weight": 0.123_456_789_012_345_68, "name": "Zoë \"Z\"\n"});
        tx.append_audit_event(&actor, "weigh", object, Value::Null, after)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
}

/// Creates a user who may see only events about agents.
async fn of_agents_only(server: &TestServer) -> TestClient {
    let conditions = json!({"object_kind": {"type": "Equals", "value": "agent"}});
    let role = json!({"role_name": "Observer", "description": "Looks on.", "frontend_view": "client",
        "permission_grants": [{"permission_name": "Organization:GetAuditEvent", "conditions": conditions}]});
    assert_eq!(server.admin().post("role/", role).await.status, 201);
    member(server, "Observer").await
}

/// Reads the lines of an export, and checks the chain that they are.
fn checked(body: &Value) -> (ChainReport, SignedCheckpoint) {
    let mut check = ChainCheck::new(Vec::new());
    let mut last = None;
    for line in body.as_array().unwrap() {
        assert!(last.is_none(), "the checkpoint is the last line");
        match parse_line(line.to_string().as_bytes()).unwrap() {
            Line::Event(event) => check.add(&event.0, &event.1),
            Line::Checkpoint(checkpoint, signature) => {
                check.add_checkpoint(&checkpoint);
                last = Some(SignedCheckpoint {
                    checkpoint,
                    signature,
                });
            }
        }
    }
    (check.finish(), last.unwrap())
}

#[both_engines]
async fn events_are_listed_newest_first_in_pages(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let newest = &admin.get(&format!("{EVENTS}?limit=1")).await.body["audit_events"][0];
    let mut fields = newest
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "action",
            "actor",
            "after",
            "before",
            "change_number",
            "created_at",
            "hash",
            "object",
            "organization",
            "previous_hash",
            "sequence",
        ]
    );
    assert_eq!(newest["object"], json!({"kind": "service", "id": service}));
    assert_eq!(newest["actor"], server.admin_actor());
    let all = sequences(admin, "").await;
    assert_eq!(
        all,
        (1..=newest["sequence"].as_i64().unwrap())
            .rev()
            .collect::<Vec<_>>()
    );
    let (mut paged, mut token) = (Vec::new(), json!(0));
    while !token.is_null() {
        let page = admin
            .get(&format!("{EVENTS}?limit=2&continuation_token={token}"))
            .await
            .body;
        assert_eq!(page["has_more"], json!(!page["continuation_token"].is_null()));
        let events = page["audit_events"].as_array().unwrap();
        paged.extend(events.iter().map(|event| event["sequence"].as_i64().unwrap()));
        token = page["continuation_token"].clone();
    }
    assert_eq!(paged, all);
}

#[both_engines]
async fn filters_say_which_events_are_wanted(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    server.clock.advance_seconds(60);
    let sets = format!("service/{service}/version_sets");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&format!("{sets}/preview/"), body).await.status, 204);
    let last = sequences(admin, "").await[0];
    append(&server, 2).await;
    assert_eq!(sequences(admin, "object_kind=thing").await, [last + 2, last + 1]);
    assert_eq!(
        sequences(admin, "object_kind=thing&object_id=1").await,
        [last + 2]
    );
    assert_eq!(
        sequences(admin, &format!("object_id={service}/preview")).await,
        [last]
    );
    assert_eq!(sequences(admin, "action=weigh").await, [last + 2, last + 1]);
    assert_eq!(sequences(admin, "actor_user_id=somebody").await.len(), 2);
    assert_eq!(sequences(admin, "actor_kind=agent").await, [last + 2, last + 1]);
    assert_eq!(
        sequences(admin, &format!("after_sequence={last}")).await,
        [last + 2, last + 1]
    );
    assert_eq!(
        sequences(admin, &format!("after_sequence=1&before_sequence={last}"))
            .await
            .len(),
        usize::try_from(last - 2).unwrap()
    );
    // The clock stands still within a minute; bounds exclude what they name.
    assert_eq!(
        sequences(admin, "created_after=2026-11-23T12:00:59.999Z").await,
        [last + 2, last + 1, last]
    );
    assert_eq!(
        sequences(admin, "created_after=2026-11-23T13:01:00%2B01:00").await,
        [0_i64; 0]
    );
    assert_eq!(
        sequences(admin, "created_before=2026-11-23T12:01:00Z").await[0],
        last - 1
    );
    assert_eq!(sequences(admin, "action=nothing").await, [0_i64; 0]);
    for (query, place) in [
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("continuation_token=-1", "query.continuation_token"),
        ("actor_kind=robot", "query.actor_kind"),
        ("created_after=yesterday", "query.created_after"),
        ("created_before=2026-11-23T12:00:00", "query.created_before"),
        ("after_sequence=-1", "query.after_sequence"),
        ("object_kind=", "query.object_kind"),
    ] {
        assert_invalid_at(&admin.get(&format!("{EVENTS}?{query}")).await, place);
    }
}

#[both_engines]
async fn conditions_leave_events_out_and_pages_are_filled(server: TestServer) {
    let observer = of_agents_only(&server).await;
    for _ in 0..3 {
        server.agent(1).await;
        server.context_graph(1).await;
    }
    let page = observer.get(&format!("{EVENTS}?limit=4")).await.body;
    let kinds = |page: &Value| -> Vec<Value> {
        page["audit_events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["object"]["kind"].clone())
            .collect()
    };
    assert_eq!(kinds(&page), vec![json!("agent"); 4]);
    let rest = observer
        .get(&format!(
            "{EVENTS}?limit=4&continuation_token={}",
            page["continuation_token"]
        ))
        .await;
    assert_eq!(
        (kinds(&rest.body).len(), &rest.body["has_more"]),
        (2, &json!(false))
    );
}

#[both_engines]
async fn an_export_is_the_whole_chain_and_ends_in_a_signed_checkpoint(server: TestServer) {
    let admin = server.admin();
    append(&server, 120).await;
    server.agent(1).await;
    let export = admin.get(EXPORT).await;
    assert_eq!(export.headers["content-type"], "application/x-ndjson");
    let (report, signed) = checked(&export.body);
    assert_eq!(report.first_fault, None);
    let head = admin.get(HEAD).await.body;
    assert_eq!(
        (report.sequence, report.hash),
        (
            head["sequence"].as_i64().unwrap(),
            head["hash"].as_str().map(str::to_owned)
        )
    );
    assert!(report.sequence > 120);
    let public_key = head["public_key"].as_str().unwrap();
    assert!(signed.is_signed_by(public_key));
    let changed = SignedCheckpoint {
        checkpoint: forge_domain::audit::Checkpoint {
            sequence: report.sequence - 1,
            ..signed.checkpoint.clone()
        },
        ..signed.clone()
    };
    assert!(!changed.is_signed_by(public_key));
    let other = server.stranger().get(HEAD).await.body;
    assert!(!signed.is_signed_by(other["public_key"].as_str().unwrap()));
    assert!(!signed.is_signed_by("no key"));
    assert_eq!(head["checkpoint"]["hash"], head["hash"]);
    // What comes after an earlier export goes on where that ended.
    let rest = admin
        .get(&format!("{EXPORT}?after_sequence={}", report.sequence - 3))
        .await
        .body;
    assert_eq!(
        rest.as_array().unwrap()[..3],
        export.body.as_array().unwrap()[export.body.as_array().unwrap().len() - 4..][..3]
    );
    assert_eq!(rest.as_array().unwrap().len(), 4);
    let nothing = admin.get(&format!("{EXPORT}?after_sequence=1000000")).await.body;
    assert_eq!(nothing.as_array().unwrap().len(), 1);
    assert_invalid_at(
        &admin.get(&format!("{EXPORT}?after_sequence=-1")).await,
        "query.after_sequence",
    );
}

#[both_engines]
async fn what_is_written_during_an_export_is_not_in_it(server: TestServer) {
    let admin = server.admin();
    append(&server, 120).await;
    let request = axum::http::Request::get(format!("/v1/{}/{EXPORT}", admin.organization)).header(
        "authorization",
        format!("Bearer {}", admin.token.as_ref().unwrap()),
    );
    let response = admin
        .router
        .clone()
        .oneshot(request.body(axum::body::Body::empty()).unwrap())
        .await
        .unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count();
    assert!(lines(&first) < 100, "an export is not held in memory whole");
    append(&server, 1).await;
    let rest = body.collect().await.unwrap().to_bytes();
    let text = [first, rest].concat();
    let body = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice::<Value>(line).unwrap())
        .collect();
    let (report, _) = checked(&body);
    assert_eq!((report.first_fault, report.entries), (None, 121));
    assert_eq!(sequences(admin, "").await[0], 122);
}

#[both_engines]
async fn the_whole_log_is_only_for_those_who_may_see_all_of_it(server: TestServer) {
    let observer = of_agents_only(&server).await;
    for path in [HEAD, EXPORT] {
        let refused = observer.get(path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(
            refused
                .detail()
                .contains("`Organization:GetAuditEvent` has conditions"),
            "{}",
            refused.detail()
        );
    }
    // Administrators build and release; who may do what is not for them, and the log tells of that too.
    for (role, expected) in [
        (DefaultRole::User, 403),
        (DefaultRole::Administrator, 403),
        (DefaultRole::AmigoAdministrator, 200),
    ] {
        let user = server.user(role).await;
        for path in [EVENTS, HEAD, EXPORT] {
            assert_eq!(user.get(path).await.status, expected, "{path} as {role:?}");
        }
    }
}

#[both_engines]
async fn nothing_personal_is_in_the_log(server: TestServer) {
    let admin = server.admin();
    let personal = json!({"first_name": "Idaname", "last_name": "Bergname", "email": "idamail@example.invalid",
        "role_name": "DefaultUserRole", "preferences": {}, "nonsensitive_user_variables": {"plainvar": "plainvalue"},
        "sensitive_user_variables": {"ssnvar": "ssn-value-of-ida"}});
    let invited = admin.post("user/", personal).await;
    assert_eq!(invited.status, 201, "{}", invited.body);
    let user = invited.body["user_id"].as_str().unwrap().to_owned();
    let change = json!({"first_name": "Idaother", "email": "idaother@example.invalid"});
    let changed = admin.post(&format!("user/{user}"), change).await;
    assert!(changed.status.is_success(), "{}", changed.body);
    let grant = json!({"user_id": user, "duration": "PT1H", "tags": {"tagkey": "tagvalue"},
        "permission_grant": {"permission_name": "Service:GetService", "conditions": {}},
        "justification": "justificationtext"});
    assert!(
        admin
            .post("role/temporary_permission_grant/", grant)
            .await
            .status
            .is_success()
    );
    let agent = server.agent(2).await;
    let yanked = admin
        .post(
            &format!("organization/agent/{agent}/version/1/yank"),
            json!({"reason": "yankreason"}),
        )
        .await;
    assert!(yanked.status.is_success(), "{}", yanked.body);
    let service = server.service(2).await;
    let sets = format!("service/{service}/version_sets");
    for agent in [1, 2] {
        let body = json!({"version_set": version_set(agent, 1)});
        assert_eq!(
            admin
                .put(&format!("{sets}/preview/?message=putmessage"), body)
                .await
                .status,
            204
        );
    }
    let back = admin
        .post(
            &format!("{sets}/preview/rollback"),
            json!({"message": "holdreason"}),
        )
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert!(admin.delete(&format!("user/{user}")).await.status.is_success());
    let log = admin.get(EXPORT).await.body.to_string();
    for word in [
        "Ida",
        "Berg",
        "idamail",
        "idaother",
        "plainvar",
        "plainvalue",
        "ssnvar",
        "ssn-value-of-ida",
        "tagkey",
        "tagvalue",
        "justificationtext",
        "yankreason",
        "putmessage",
        "holdreason",
    ] {
        assert!(!log.contains(word), "{word} is in the log");
    }
    assert!(log.contains(&user) && log.contains("\"invite\"") && log.contains("\"yank\""));
}
