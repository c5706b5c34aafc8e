//! Every permission that an operation asks is asked: who holds all of them but one is refused, and who holds exactly them
//! is not. `forge_domain::access::OPERATIONS` says which those are.

use std::collections::BTreeSet;

use axum::http::Method;
use forge_domain::access::{Asked, OPERATIONS, Permission};
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::support::examples::{Guarded, guarded};
use crate::support::grants::{any, grant};
use crate::support::items::{behavior_set_body, metric_body};
use crate::support::operations::{operations, served};
use crate::support::users::user_with;

/// The role whose grants are changed from call to call.
const ROLE: &str = "Probe";

/// Permissions that an operation asks only under a condition which its example does not meet.
///
/// Variants meet it.
const NOT_MET: &[(&str, Permission)] = &[
    ("create-dynamic-behavior-set", Permission::UpdateService),
    ("update-dynamic-behavior-set", Permission::UpdateService),
    ("delete-dynamic-behavior-instruction", Permission::UpdateService),
    ("create-metric", Permission::GetService),
    ("update-metric", Permission::GetService),
    (
        "create-service-hierarchical-state-machine-version",
        Permission::GetContextGraph,
    ),
    ("promote-version-set", Permission::CreateVersionSet),
    ("promote-version-sets", Permission::UpdateVersionSet),
    ("upsert-service-version-set", Permission::CreateVersionSet),
    ("update-service", Permission::UpdateVersionSet),
    ("update-service", Permission::GetAgent),
    ("update-service", Permission::GetContextGraph),
    ("update-service", Permission::GetVersionSet),
];

/// What callers hold beside what operations ask: who hands out rights, or changes somebody, must not be below them.
///
/// None of these is asked by an operation that hands out rights.
fn beside() -> Vec<Value> {
    [
        "Organization:GetAgent",
        "Service:GetService",
        "Conversation:CreateConversation",
    ]
    .into_iter()
    .chain(CONVERSATIONS)
    .map(any)
    .collect()
}

/// What the role of plain users has on their own conversations.
const CONVERSATIONS: [&str; 8] = [
    "Conversation:InteractWithConversation",
    "Conversation:FinishConversation",
    "Conversation:GetConversation",
    "Conversation:GetMessage",
    "Conversation:GetInteractionInsights",
    "Conversation:GetRecommendedResponses",
    "Conversation:DeleteConversation",
    "User:UpdateUserInfo",
];

/// The operations that compare roles.
const COMPARING: &[&str] = &[
    "assign-role",
    "create-api-key",
    "create-invited-user",
    "create-temporary-permission-grant",
    "delete-api-key",
    "delete-user",
    "modify-role",
    "update-user-info",
];

/// Returns what an operation asks, whatever the conditions, and with it whether it can be refused for want of it.
fn asked(id: &str) -> Vec<(Permission, Asked)> {
    let operation = OPERATIONS.iter().find(|operation| operation.id == id);
    let operation = operation.unwrap_or_else(|| panic!("no list says what {id} asks"));
    let needs = operation.needs.iter().map(|need| (need.permission, need.asked));
    needs
        .filter(|(_, asked)| !matches!(asked, Asked::Shows(_)))
        .collect()
}

/// Gives the role everything that an operation asks but one.
async fn hold_all_but(server: &TestServer, id: &str, but: Option<Permission>) {
    let asked = asked(id);
    let held = asked.iter().filter(|(permission, _)| Some(*permission) != but);
    let mut grants: Vec<Value> = held.map(|(permission, _)| any(permission.name())).collect();
    if COMPARING.contains(&id) {
        grants.extend(
            beside()
                .into_iter()
                .filter(|grant| but.is_none_or(|but| grant["permission_name"] != but.name())),
        );
    }
    // The role is never empty, and never the same twice.
    grants.push(grant("Nothing:AtAll", &json!({})));
    let answer = server
        .admin()
        .post(&format!("role/{ROLE}"), json!({"permission_grants": grants}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Fails unless the answer withholds everything for want of the permission.
#[track_caller]
fn assert_withheld(what: &str, answer: &TestResponse, permission: Permission, asked: Asked) {
    let name = permission.name();
    if asked == Asked::Rows && answer.status == 200 {
        let lists = answer
            .body
            .as_object()
            .unwrap()
            .values()
            .filter_map(Value::as_array);
        assert!(
            lists.flatten().next().is_none(),
            "{what} without {name}: {}",
            answer.body
        );
        return;
    }
    assert_eq!(answer.status, 403, "{what} without {name}: {}", answer.body);
    assert!(
        answer.detail().contains(name),
        "{what} without {name}: {}",
        answer.detail()
    );
}

/// A call that meets a condition.
struct Variant {
    id: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
    method: Method,
}

impl Variant {
    async fn call(&self, client: &TestClient) -> TestResponse {
        let (content_type, body) = if self.body.is_null() {
            (None, Vec::new())
        } else {
            (Some("application/json"), self.body.to_string().into_bytes())
        };
        client
            .send_raw(self.method.clone(), &self.path, &self.headers, content_type, body)
            .await
    }
}

/// Returns calls that meet the conditions of [`NOT_MET`].
async fn variants(server: &TestServer) -> Vec<Variant> {
    let (agent, graph) = (server.agent(2).await, server.context_graph(2).await);
    let service = server
        .admin()
        .post("service/", service_body("Variants", &agent, &graph))
        .await
        .id();
    let (other_agent, other_graph) = (server.agent(3).await, server.context_graph(3).await);
    let sets = format!("service/{service}/version_sets");
    let applied = |mut body: Value| {
        body["applied_to_services"] = json!([service]);
        body
    };
    let (behavior, metric) = (
        crate::support::items::behavior_set(server, "Variant").await,
        crate::support::items::metric(server, "Variant").await,
    );
    let doomed =
        crate::support::items::behavior_set_of(server, applied(behavior_set_body("Switched off"))).await;
    let mut referring = forge_testkit::context_graph_version();
    referring["references"] = json!({"other": [other_graph, 1]});
    let post = |id, path: String, body| Variant {
        id,
        path,
        headers: Vec::new(),
        body,
        method: Method::POST,
    };
    vec![
        post(
            "create-dynamic-behavior-set",
            "dynamic_behavior_set/".to_owned(),
            applied(behavior_set_body("Applied")),
        ),
        post(
            "update-dynamic-behavior-set",
            format!("dynamic_behavior_set/{behavior}/"),
            applied(json!({})),
        ),
        post(
            "create-metric",
            "metric/".to_owned(),
            applied(metric_body("Applied")),
        ),
        post("update-metric", format!("metric/{metric}/"), applied(json!({}))),
        post(
            "create-service-hierarchical-state-machine-version",
            format!("organization/service_hierarchical_state_machine/{graph}/"),
            referring,
        ),
        post(
            "promote-version-set",
            format!("{sets}/new/promote"),
            json!({"source": "release"}),
        ),
        post(
            "promote-version-sets",
            "promotion".to_owned(),
            json!({"promotions": [
            {"service_id": service, "source": "edge", "target": "release"}]}),
        ),
        Variant {
            method: Method::PUT,
            ..post(
                "upsert-service-version-set",
                format!("{sets}/newer/"),
                json!({"version_set": version_set(1, 1)}),
            )
        },
        Variant {
            method: Method::DELETE,
            ..post(
                "delete-dynamic-behavior-instruction",
                format!("dynamic_behavior_set/{doomed}/"),
                Value::Null,
            )
        },
        Variant {
            headers: vec![("if-match", "*")],
            ..post(
                "update-service",
                format!("service/{service}/"),
                json!({
                "agent_id": other_agent, "service_hierarchical_state_machine_id": other_graph}),
            )
        },
    ]
}

fn is_met(id: &str, permission: Permission) -> bool {
    !NOT_MET.contains(&(id, permission))
}

#[both_engines]
async fn a_condition_that_does_not_hold_shows_no_set_to_whom_it_is_hidden(server: TestServer) {
    let service = server.service(1).await;
    let path = format!("service/{service}/version_sets/secret/");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(server.admin().put(&path, body.clone()).await.status, 204);
    let rights = [
        "Service:UpdateVersionSet",
        "Service:CreateVersionSet",
        "Service:DeleteVersionSet",
    ];
    let writer = user_with(&server, "Writer", rights.into_iter().map(any).collect()).await;
    let condition = [("if-match", "\"99\"")];
    for (client, may_see) in [(&writer, false), (server.admin(), true)] {
        let bytes = serde_json::to_vec(&body).unwrap();
        let json = [condition[0], ("content-type", "application/json")];
        let told = client.send_raw(Method::PUT, &path, &json, None, bytes).await;
        assert_eq!(told.status, 412, "{}", told.body);
        let is_shown = told.body["version_set"].is_object();
        assert_eq!(is_shown, may_see, "{}", told.body);
    }
}

#[both_engines]
async fn the_list_says_what_every_operation_asks(server: TestServer) {
    let document = served(&server).await;
    let listed: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    let served: BTreeSet<&str> = operations(&document).into_keys().collect();
    assert!(listed.is_subset(&served), "{:?}", listed.difference(&served));
}

#[both_engines]
async fn each_permission_that_an_operation_asks_is_missed_where_it_is_the_only_one_that_lacks(
    database: TestDatabase,
) {
    // Only the operator's users create organizations.
    let server = TestServer::alone(&database).await;
    let (guarded, variants) = (Box::pin(guarded(&server)).await, variants(&server).await);
    let probe = user_with(&server, ROLE, vec![any("Nothing:AtAll")]).await;
    for Guarded { id, .. } in &guarded {
        assert!(
            OPERATIONS.iter().any(|operation| operation.id == id.as_str()),
            "no list says what {id} asks"
        );
    }
    for operation in &guarded {
        for (permission, asked) in asked(&operation.id) {
            if is_met(&operation.id, permission) {
                hold_all_but(&server, &operation.id, Some(permission)).await;
                let answer = operation.call(&probe, &[]).await;
                assert_withheld(&operation.id, &answer, permission, asked);
            }
        }
    }
    for variant in &variants {
        for (permission, asked) in asked(variant.id) {
            if asked == Asked::Always || !is_met(variant.id, permission) {
                hold_all_but(&server, variant.id, Some(permission)).await;
                assert_withheld(variant.id, &variant.call(&probe).await, permission, asked);
            }
        }
    }
    for variant in &variants {
        hold_all_but(&server, variant.id, None).await;
        let answer = variant.call(&probe).await;
        assert!(
            answer.status.is_success(),
            "{}: {} {}",
            variant.id,
            answer.status,
            answer.body
        );
    }
    let mut refused = Vec::new();
    for operation in &guarded {
        hold_all_but(&server, &operation.id, None).await;
        let answer = operation.call(&probe, &[]).await;
        if answer.status == 403 {
            refused.push(format!("{}: {}", operation.id, answer.body));
        }
    }
    assert_eq!(refused, Vec::<String>::new());
}
