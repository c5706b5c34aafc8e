//! Who may do what with sets.

use forge_app::version_sets::promotion::{self, ChangeOptions};
use forge_app::version_sets::resolve::{self, Resolution};
use forge_app::version_sets::{self, SetView};
use forge_app::{AppError, Caller};
use forge_domain::ServiceId;
use forge_domain::access::{DefaultRole, Grant};
use forge_testkit::{TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::{binding, name, path, upsert};
use crate::support::assertions::assert_forbidden;
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::change_number;

/// A use case about a set, called with these grants.
struct As<'s> {
    server: &'s TestServer,
    service: ServiceId,
    caller: Caller,
}

impl<'s> As<'s> {
    fn new(server: &'s TestServer, service: &str, grants: Vec<Grant>) -> Self {
        Self {
            server,
            service: service.parse().unwrap(),
            caller: server.caller(grants),
        }
    }

    async fn upsert(&self, set: &str, pins: Value) -> Result<Option<i64>, AppError> {
        let pins = serde_json::from_value(pins).unwrap();
        let terms = ChangeOptions::default();
        let done = promotion::upsert(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
            pins,
            &terms,
        )
        .await?;
        Ok(done.change_number)
    }

    async fn delete(&self, set: &str) -> Result<(), AppError> {
        promotion::delete(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
            &ChangeOptions::default(),
        )
        .await
        .map(drop)
    }

    async fn get(&self, set: &str) -> Result<SetView, AppError> {
        version_sets::get(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
        )
        .await
    }

    async fn list(&self) -> Result<Vec<String>, AppError> {
        let sets =
            version_sets::list(forge_app::Ctx::new(&self.server.app, &self.caller), self.service).await?;
        Ok(sets.into_iter().map(|view| view.set.name.to_string()).collect())
    }

    async fn resolve(&self, set: &str, with_documents: bool) -> Result<Resolution, AppError> {
        let app = &self.server.app;
        let found =
            resolve::current_set(forge_app::Ctx::new(app, &self.caller), self.service, name(set)).await?;
        let found = found.resolution()?;
        if with_documents {
            return resolve::with_documents(forge_app::Ctx::new(app, &self.caller), found).await;
        }
        Ok(found)
    }
}

fn equals(attribute: &str, value: &str) -> Value {
    json!({attribute: {"type": "Equals", "value": value}})
}

const GET: &str = "Service:GetVersionSet";

const CREATE: &str = "Service:CreateVersionSet";

const UPDATE: &str = "Service:UpdateVersionSet";

const DELETE: &str = "Service:DeleteVersionSet";

#[both_engines]
async fn plain_users_can_do_nothing_with_sets(server: TestServer) {
    let service = server.service(1).await;
    let user = server.user(DefaultRole::User).await;
    let body = json!({"version_set": version_set(1, 1)});
    for service in [service.as_str(), UNKNOWN_ID] {
        for set in ["release", "unknown"] {
            let path = path(service, set);
            for answer in [
                user.put(&path, body.clone()).await,
                user.delete(&path).await,
                user.get(&path).await,
                user.get(&format!("{path}resolve")).await,
                user.get(&format!("{path}resolve?include=documents")).await,
                user.get(&format!("service/{service}/version_sets/")).await,
            ] {
                // The same for what is there and what is not.
                assert_eq!(answer.status, 403);
                assert!(
                    answer.detail().starts_with("you lack the permission `Service:"),
                    "{}",
                    answer.detail()
                );
                assert!(!answer.detail().contains(service), "{}", answer.detail());
            }
        }
    }
}

#[both_engines]
async fn creating_and_updating_are_different_permissions(server: TestServer) {
    let service = server.service(2).await;
    let creator = As::new(&server, &service, vec![parsed_grant(CREATE, json!({}))]);
    let updater = As::new(&server, &service, vec![parsed_grant(UPDATE, json!({}))]);
    let deleter = As::new(&server, &service, vec![parsed_grant(DELETE, json!({}))]);
    assert_forbidden(updater.upsert("test", version_set(1, 1)).await, CREATE);
    creator.upsert("test", version_set(1, 1)).await.unwrap();
    for pins in [version_set(1, 1), version_set(2, 2)] {
        assert_forbidden(creator.upsert("test", pins).await, UPDATE);
    }
    updater.upsert("test", version_set(2, 2)).await.unwrap();
    for other in [&creator, &updater] {
        assert_forbidden(other.delete("test").await, DELETE);
    }
    assert_forbidden(deleter.upsert("test", version_set(1, 1)).await, UPDATE);
    deleter.delete("test").await.unwrap();
    // A set that was deleted is created anew.
    assert_forbidden(updater.upsert("test", version_set(2, 2)).await, CREATE);
    creator.upsert("test", version_set(2, 2)).await.unwrap();
}

#[both_engines]
async fn conditions_narrow_a_permission_to_sets_and_services(server: TestServer) {
    let (service, other) = (server.service(2).await, server.service(2).await);
    for service in [&service, &other] {
        upsert(&server, service, "preview", version_set(1, 1)).await;
    }
    let before = change_number(&server).await;
    let preview = vec![parsed_grant(UPDATE, equals("version_set_name", "preview"))];
    let caller = As::new(&server, &service, preview.clone());
    assert_forbidden(caller.upsert("release", version_set(2, 2)).await, UPDATE);
    assert_forbidden(caller.upsert("test", version_set(2, 2)).await, CREATE);
    assert_eq!(
        caller.upsert("preview", version_set(2, 2)).await.unwrap(),
        Some(before + 1)
    );
    As::new(&server, &other, preview)
        .upsert("preview", version_set(2, 2))
        .await
        .unwrap();

    let of_service = vec![parsed_grant(UPDATE, equals("service_id", &service))];
    As::new(&server, &service, of_service.clone())
        .upsert("release", version_set(1, 1))
        .await
        .unwrap();
    let caller = As::new(&server, &other, of_service);
    assert_forbidden(caller.upsert("release", version_set(1, 1)).await, UPDATE);

    let mut both = equals("service_id", &service);
    both["version_set_name"] = json!({"type": "In", "values": ["preview", "test"]});
    let caller = As::new(&server, &service, vec![parsed_grant(DELETE, both)]);
    assert_forbidden(caller.delete("release").await, DELETE);
    caller.delete("preview").await.unwrap();
    assert!(matches!(caller.delete("test").await, Err(AppError::NotFound(_))));
}

#[both_engines]
async fn a_condition_on_an_absent_attribute_never_holds(server: TestServer) {
    let service = server.service(1).await;
    for attribute in ["agent_id", "role_name", "version_set", "nonsense"] {
        let conditions = json!({attribute: {"type": "NotEquals", "value": "x"}});
        let grants =
            [GET, CREATE, UPDATE, DELETE].map(|permission| parsed_grant(permission, conditions.clone()));
        let caller = As::new(&server, &service, grants.to_vec());
        assert_forbidden(caller.get("release").await, GET);
        assert_forbidden(caller.resolve("release", false).await, GET);
        assert_forbidden(caller.upsert("release", version_set(1, 1)).await, UPDATE);
        assert_forbidden(caller.upsert("test", version_set(1, 1)).await, CREATE);
        assert_forbidden(caller.delete("test").await, DELETE);
        assert!(caller.list().await.unwrap().is_empty());
    }
    let caller = As::new(
        &server,
        &service,
        vec![parsed_grant(
            GET,
            json!({"version_set_name": {"type": "NotEquals", "value": "edge"}}),
        )],
    );
    caller.get("release").await.unwrap();
    assert_forbidden(caller.get("edge").await, GET);
}

#[both_engines]
async fn a_list_has_only_the_sets_that_the_caller_may_see(server: TestServer) {
    let service = server.service(1).await;
    for set in ["preview", "test", "personal-alex"] {
        upsert(&server, &service, set, version_set(1, 1)).await;
    }
    let some = json!({"version_set_name": {"type": "In", "values": ["test", "release", "unknown"]}});
    let caller = As::new(&server, &service, vec![parsed_grant(GET, some)]);
    assert_eq!(caller.list().await.unwrap(), ["release", "test"]);
    caller.get("test").await.unwrap();
    // What may not be seen is forbidden, whether it is there or not.
    for set in ["preview", "edge", "never-was"] {
        assert_forbidden(caller.get(set).await, GET);
        assert_forbidden(caller.resolve(set, false).await, GET);
    }
    assert!(matches!(caller.get("unknown").await, Err(AppError::NotFound(_))));
    assert_forbidden(
        As::new(&server, &service, vec![parsed_grant(CREATE, json!({}))])
            .list()
            .await,
        GET,
    );
}

#[both_engines]
async fn documents_take_the_permission_to_read_the_agent_and_the_graph(server: TestServer) {
    const AGENT: &str = "Organization:GetAgent";
    const GRAPH: &str = "Organization:GetServiceHierarchicalStateMachine";
    let service = server.service(1).await;
    let (agent, graph) = binding(&server, &service).await;
    let caller = |grants: &[(&str, Value)]| {
        let grants = grants
            .iter()
            .map(|(permission, conditions)| parsed_grant(permission, conditions.clone()));
        As::new(&server, &service, grants.collect())
    };
    let only_sets = caller(&[(GET, json!({}))]);
    let resolution = only_sets.resolve("release", false).await.unwrap();
    assert_eq!(
        (resolution.agent.1.get(), resolution.documents.is_none()),
        (1, true)
    );
    assert_forbidden(only_sets.resolve("release", true).await, AGENT);
    let no_graph = caller(&[(GET, json!({})), (AGENT, json!({}))]);
    assert_forbidden(no_graph.resolve("release", true).await, GRAPH);
    let no_agent = caller(&[(GET, json!({})), (GRAPH, json!({}))]);
    assert_forbidden(no_agent.resolve("release", true).await, AGENT);
    let another_agent = caller(&[
        (GET, json!({})),
        (AGENT, equals("agent_id", UNKNOWN_ID)),
        (GRAPH, json!({})),
    ]);
    assert_forbidden(another_agent.resolve("release", true).await, AGENT);
    let no_set = caller(&[(AGENT, json!({})), (GRAPH, json!({}))]);
    assert_forbidden(no_set.resolve("release", true).await, GET);
    let of_graph = equals("service_hierarchical_state_machine_id", &graph);
    let enough = caller(&[
        (GET, json!({})),
        (AGENT, equals("agent_id", &agent)),
        (GRAPH, of_graph),
    ]);
    assert!(enough.resolve("release", true).await.unwrap().documents.is_some());
}
