//! The trace that each change of a set leaves in the audit log.

use forge_domain::audit::{AuditEvent, GENESIS_HASH};
use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, both_engines, context_graph_version, service_body,
    version_set,
};
use serde_json::{Value, json};

use super::{delete, path, upsert};
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::{change_number, organization};

/// Returns the whole audit log with its stored hashes.
async fn audit_log(server: &TestServer) -> Vec<(AuditEvent, String)> {
    let mut tx = server.app.store.read().await.unwrap();
    tx.list_audit_events(&organization(server), 0, 10_000)
        .await
        .unwrap()
        .into_rows()
}

/// Checks that nothing was taken from the log, added or changed.
fn assert_chain_holds(log: &[(AuditEvent, String)]) {
    let mut previous_hash = GENESIS_HASH;
    for (position, (event, hash)) in (1..).zip(log) {
        assert_eq!(event.sequence, position);
        assert_eq!(event.previous_hash, previous_hash);
        assert_eq!(event.hash(), *hash);
        previous_hash = hash;
    }
}

/// Performs writes and remembers what the audit log must tell of them.
struct Recorder<'s> {
    admin: &'s TestClient,
    expected: Vec<(i64, &'static str, &'static str)>,
}

impl Recorder<'_> {
    /// Notes a write that was answered.
    #[track_caller]
    fn note(&mut self, action: &'static str, object: &'static str, answer: &TestResponse) {
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
        self.expected.push((answer.sequence().unwrap(), action, object));
    }

    async fn post(
        &mut self,
        action: &'static str,
        object: &'static str,
        path: &str,
        body: Value,
    ) -> TestResponse {
        let answer = self.admin.post(path, body).await;
        self.note(action, object, &answer);
        answer
    }

    async fn put(&mut self, action: &'static str, set: &str, pins: Value) {
        let answer = self.admin.put(set, json!({"version_set": pins})).await;
        self.note(action, "version_set", &answer);
    }

    async fn delete(&mut self, action: &'static str, object: &'static str, path: &str) {
        let answer = self.admin.delete(path).await;
        self.note(action, object, &answer);
    }
}

const AGENTS: &str = "organization/agent";

const GRAPHS: &str = "organization/service_hierarchical_state_machine";

/// Performs every kind of write, and beside them what must leave no trace.
async fn write_everything(admin: &TestClient) -> Vec<(i64, &'static str, &'static str)> {
    let mut writes = Recorder {
        admin,
        expected: Vec::new(),
    };
    let mut agents = Vec::new();
    let mut graphs = Vec::new();
    for number in 1..=2 {
        let agent = writes
            .post(
                "create",
                "agent",
                AGENTS,
                json!({"agent_name": format!("Mira {number}")}),
            )
            .await
            .id();
        writes
            .post(
                "create_version",
                "agent",
                &format!("{AGENTS}/{agent}/"),
                agent_version(),
            )
            .await;
        let body = json!({"state_machine_name": format!("Care {number}")});
        let graph = writes.post("create", "context_graph", GRAPHS, body).await.id();
        let path = format!("{GRAPHS}/{graph}/");
        writes
            .post("create_version", "context_graph", &path, context_graph_version())
            .await;
        let dry_run = admin
            .post(&format!("{path}?dry_run=true"), context_graph_version())
            .await;
        assert_eq!((dry_run.status.as_u16(), dry_run.sequence()), (201, None));
        agents.push(agent);
        graphs.push(graph);
    }
    let service = writes
        .post(
            "create",
            "service",
            "service/",
            service_body("Care", &agents[0], &graphs[0]),
        )
        .await
        .id();
    let set = path(&service, "test");
    writes.put("create", &set, version_set(1, 1)).await;
    writes
        .put(
            "update",
            &set,
            with_model(version_set(None, 1), "engage-user", MODEL, json!({})),
        )
        .await;
    leave_no_trace(admin, &service, &agents[0]).await;
    writes.delete("delete", "version_set", &set).await;
    writes.put("create", &set, version_set(1, 1)).await;
    let path = format!("service/{service}/");
    writes
        .post(
            "update",
            "service",
            &path,
            json!({"name": "Night care", "tags": {"team": null}}),
        )
        .await;
    writes
        .post("update", "service", &path, json!({"is_active": false}))
        .await;
    writes
        .post("update", "service", &path, json!({"is_active": true}))
        .await;
    let rebound = json!({"agent_id": agents[1], "service_hierarchical_state_machine_id": graphs[1]});
    writes.post("update", "service", &path, rebound).await;
    writes
        .delete("deprecate", "agent", &format!("{AGENTS}/{}/", agents[0]))
        .await;
    writes
        .delete("deprecate", "context_graph", &format!("{GRAPHS}/{}/", graphs[0]))
        .await;
    writes.expected
}

/// Does what is refused or changes nothing.
async fn leave_no_trace(admin: &TestClient, service: &str, agent: &str) {
    let (set, edge, path) = (
        path(service, "test"),
        path(service, "edge"),
        format!("service/{service}/"),
    );
    let same = with_model(version_set(None, 1), "engage-user", MODEL, json!({}));
    for (answer, status) in [
        (admin.put(&set, json!({"version_set": same})).await, 204),
        (
            admin.put(&set, json!({"version_set": version_set(9, 9)})).await,
            400,
        ),
        (
            admin.put(&edge, json!({"version_set": version_set(1, 1)})).await,
            400,
        ),
        (admin.delete(&edge).await, 400),
        (admin.post(&path, json!({"name": "Care"})).await, 200),
        (admin.post(&path, json!({"agent_id": UNKNOWN_ID})).await, 400),
        (admin.delete(&format!("{AGENTS}/{agent}/")).await, 400),
        (admin.post(AGENTS, json!({"agent_name": "Mira 1"})).await, 409),
        (
            admin
                .post(&format!("{AGENTS}/{agent}/?version=7"), json!({}))
                .await,
            409,
        ),
        (admin.get(&set).await, 200),
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.sequence()),
            (status, None),
            "{}",
            answer.body
        );
    }
}

#[both_engines]
async fn every_write_appends_one_event_to_an_unbroken_chain(server: TestServer) {
    let before = audit_log(&server).await.len();
    let expected = write_everything(server.admin()).await;
    let log = audit_log(&server).await;
    assert_chain_holds(&log);
    let told = log.iter().skip(before).map(|(event, _)| {
        assert_eq!(event.organization, organization(&server));
        assert_eq!(event.actor.user.user_id, server.admin().user_id);
        (
            event.change_number,
            event.action.as_str(),
            event.object.kind.as_str(),
        )
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // Every change number was taken by one of them: nothing was written beside the log.
    let numbers: Vec<i64> = log.iter().map(|(event, _)| event.change_number).collect();
    assert_eq!(numbers, (1..=change_number(&server).await).collect::<Vec<_>>());
    // The other organization's log has nothing of it.
    let stranger = server.stranger().organization.parse().unwrap();
    let others = server
        .app
        .store
        .read()
        .await
        .unwrap()
        .list_audit_events(&stranger, 0, 100)
        .await
        .unwrap()
        .into_rows();
    assert_eq!(others.len(), 1);
    assert_chain_holds(&others);
}

#[both_engines]
async fn the_audit_log_tells_what_was_there_before_and_after(server: TestServer) {
    let service = server.service(2).await;
    let event = async || audit_log(&server).await.pop().unwrap().0;
    upsert(&server, &service, "test", version_set(1, 2)).await;
    let created = event().await;
    assert_eq!(created.object.id, format!("{service}/test"));
    assert_eq!(created.before, Value::Null);
    assert_eq!(
        created.after,
        json!({"revision": 1, "pins": version_set(1, 2), "is_held": false})
    );
    upsert(&server, &service, "test", version_set(None, 1)).await;
    let updated = event().await;
    assert_eq!(updated.before, created.after);
    assert_eq!(
        updated.after,
        json!({"revision": 2, "pins": version_set(None, 1), "is_held": false})
    );
    delete(&server, &service, "test").await;
    let deleted = event().await;
    assert_eq!((deleted.before, deleted.after), (updated.after, Value::Null));
    server
        .admin()
        .post(&format!("service/{service}/"), json!({"description": "Changed."}))
        .await;
    let changed = event().await;
    assert_eq!(changed.object.id, service);
    assert_eq!(changed.before["description"], json!("For a test."));
    assert_eq!(changed.after["description"], json!("Changed."));
}

#[both_engines]
async fn the_audit_log_holds_no_secret(server: TestServer) {
    write_everything(server.admin()).await;
    let log = audit_log(&server).await;
    let text: String = log
        .iter()
        .map(|(event, _)| serde_json::to_string(event).unwrap())
        .collect();
    let [_, _, secret] = &server.credentials;
    let token = server.admin().token.as_ref().unwrap();
    let parts = token.split('.').map(str::to_owned);
    for secret in parts.chain([secret.clone(), secret.replace("forge_", ""), "forge_".to_owned()]) {
        assert!(!text.contains(&secret), "the log has {secret}");
    }
    for word in ["api_key\"", "secret", "token", "password", "private_key"] {
        assert!(!text.contains(word), "the log has something called {word}");
    }
}
