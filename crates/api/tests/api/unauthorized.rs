//! Every operation refuses whoever may not call it. A new operation fails these tests until it has an example here.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use forge_app::simulations::unit_test_set_runs::work_off;
use forge_domain::access::DefaultRole;
use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, both_engines, context_graph_version, form,
    service_body, version_set,
};
use serde_json::{Value, json};

use crate::conversations;
use crate::items::{
    behavior_set, behavior_set_body, behavior_version, metric, metric_body, persona, persona_body,
    persona_version, scenario, scenario_body, scenario_version, talk,
};
use crate::openapi::{fits, operations, served};
use crate::organization_changes::organization_body;
use crate::services::organization;
use crate::simulation::{RUNS, SETS, TESTS, World, set_body};

/// The operations that anybody may call, and why.
const PUBLIC: &[(&str, &str)] = &[
    (
        "download-simulation-unit-test-set-run-artifacts",
        "takes a link instead of a token",
    ),
    ("get-liveness", "tells nothing of any organization"),
    ("get-openapi", "tells nothing of any organization"),
    (
        "get-organization",
        "a sign-in page shows the name; the rest is for those who may see it",
    ),
    ("get-readiness", "tells nothing of any organization"),
    ("sign-in-with-api-key", "takes an API key instead of a token"),
];

/// The operations that the lowest role may call, and why.
const FOR_USERS: &[(&str, &str)] = &[
    ("create-conversation", "users talk to services"),
    (
        "get-conversation-messages",
        "users read what was said to them; of the conversations of others, they get an empty list",
    ),
    ("get-conversations", "users see their own conversations"),
    (
        "get-services",
        "users talk to services, so they see which there are",
    ),
];

/// The lists: whoever may see nothing in one is shown an empty one.
///
/// They are no secret; what is in them is.
const LISTS: &[&str] = &[
    "get-agents",
    "get-api-keys",
    "get-conversation-messages",
    "get-conversations",
    "get-dynamic-behavior-sets",
    "get-metric-evaluation-results",
    "get-metrics",
    "get-service-hierarchical-state-machines",
    "get-services",
    "get-simulation-personas",
    "get-simulation-scenarios",
    "get-simulation-unit-test-set-runs",
    "get-simulation-unit-test-sets",
    "get-simulation-unit-tests",
    "get-temporary-permission-grants",
    "get-users",
    "get_roles_v1__organization__role__get",
    "search-dynamic-behavior-sets",
    "search-simulation-personas",
    "search-simulation-scenarios",
    "search-simulation-unit-test-sets",
    "search-simulation-unit-tests",
];

/// A request that succeeds with the right credentials; whatever it names is there.
#[derive(Clone)]
pub(crate) struct Example {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// The operation whose example is sent as a form.
const FORM: &str = "interact-with-conversation";

/// Starts a conversation in a new service and returns what the paths about it begin with: the conversation, and its
/// first interaction.
async fn conversation(server: &TestServer, name: &str, parts: (&str, &str)) -> (String, String) {
    let body = service_body(name, parts.0, parts.1);
    let service = server.admin().post("service/", body).await.id();
    let created = conversations::create(server.admin(), &service, json!({})).await;
    let (conversation, interaction) = (created.conversation(), created.interaction());
    let path = format!("conversation/{conversation}");
    (path.clone(), format!("{path}/interaction/{interaction}"))
}

/// Adds sets: two plain ones, one that can go back, and one that did and is held since.
async fn add_sets(server: &TestServer, sets: &str) {
    let pins = json!({"version_set": version_set(1, 1)});
    for set in ["test", "preview"] {
        assert_eq!(
            server
                .admin()
                .put(&format!("{sets}/{set}/"), pins.clone())
                .await
                .status,
            204
        );
    }
    for set in ["twice", "held"] {
        for agent in [1, 2] {
            let pins = json!({"version_set": version_set(agent, 1)});
            assert_eq!(
                server.admin().put(&format!("{sets}/{set}/"), pins).await.status,
                204
            );
        }
    }
    let rolled_back = server
        .admin()
        .post(&format!("{sets}/held/rollback"), json!({}))
        .await;
    assert_eq!(rolled_back.status, 200, "{}", rolled_back.body);
}

/// Returns an example of every operation on conversations.
async fn examples_of_conversations(
    server: &TestServer,
    service: &str,
    parts: (&str, &str),
) -> Vec<(&'static str, String, Option<Value>)> {
    let (talk, talked) = conversation(server, "Talk", parts).await;
    let (_, advised) = conversation(server, "Advice", parts).await;
    let (ending, _) = conversation(server, "End", parts).await;
    let (gone, _) = conversation(server, "Gone", parts).await;
    vec![
        (
            "create-conversation",
            "conversation/?response_format=text".to_owned(),
            Some(json!({"service_id": service})),
        ),
        ("get-conversations", "conversation/".to_owned(), None),
        ("get-conversation-messages", format!("{talk}/messages/"), None),
        ("get-interaction-insights", format!("{talked}/insights"), None),
        (
            FORM,
            format!("{talk}/interact?request_format=text&response_format=text"),
            Some(json!({"initial_message_type": "user-message", "recorded_message": "Hello"})),
        ),
        (
            "recommend-responses-for-interaction",
            format!("{advised}/recommend_responses"),
            None,
        ),
        ("finish-conversation", format!("{ending}/finish/"), None),
        ("delete-conversation", format!("{gone}/"), None),
    ]
}

/// Returns an example of every operation that is not public.
async fn examples(server: &TestServer) -> BTreeMap<&'static str, Example> {
    let (agent, graph) = (server.agent(2).await, server.context_graph(2).await);
    let (unused_agent, unused_graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    let sets = format!("service/{service}/version_sets");
    add_sets(server, &sets).await;
    let graphs = "organization/service_hierarchical_state_machine";
    let other = json!({"version_set": version_set(2, None)});
    [
        (
            "create-agent",
            "organization/agent".to_owned(),
            Some(json!({"agent_name": "Mira"})),
        ),
        ("get-agents", "organization/agent".to_owned(), None),
        (
            "create-agent-version",
            format!("organization/agent/{agent}/"),
            Some(agent_version()),
        ),
        (
            "get-agent-versions",
            format!("organization/agent/{agent}/version"),
            None,
        ),
        (
            "delete-agent",
            format!("organization/agent/{unused_agent}/"),
            None,
        ),
        (
            "create-service-hierarchical-state-machine",
            graphs.to_owned(),
            Some(json!({"state_machine_name": "Care"})),
        ),
        ("get-service-hierarchical-state-machines", graphs.to_owned(), None),
        (
            "create-service-hierarchical-state-machine-version",
            format!("{graphs}/{graph}/"),
            Some(context_graph_version()),
        ),
        (
            "get-service-hierarchical-state-machine-versions",
            format!("{graphs}/{graph}/version"),
            None,
        ),
        (
            "delete-service-hierarchical-state-machine",
            format!("{graphs}/{unused_graph}/"),
            None,
        ),
        ("get-services", "service/".to_owned(), None),
        (
            "create-service",
            "service/".to_owned(),
            Some(service_body("Sales", &agent, &graph)),
        ),
        (
            "update-service",
            format!("service/{service}/"),
            Some(json!({"description": "Changed."})),
        ),
        (
            "upsert-service-version-set",
            format!("{sets}/preview/"),
            Some(other),
        ),
        ("delete-service-version-set", format!("{sets}/test/"), None),
        ("get-version-sets", format!("{sets}/"), None),
        ("get-version-set", format!("{sets}/release/"), None),
        (
            "resolve-version-set",
            format!("{sets}/release/resolve?include=documents"),
            None,
        ),
        ("get-models", "admin/get_models/".to_owned(), None),
        ("watch-organization", "watch".to_owned(), None),
        ("get-audit-events", "audit_event/".to_owned(), None),
        ("get-audit-head", "audit_event/head".to_owned(), None),
        ("export-audit-events", "audit_event/export".to_owned(), None),
    ]
    .into_iter()
    .chain(examples_of_release(&sets, &service))
    .chain(examples_of_versions(
        (&agent, &graph),
        (&unused_agent, &unused_graph),
    ))
    .chain(examples_of_access(server).await)
    .chain(examples_of_behavior_sets_and_metrics(server).await)
    .chain(examples_of_personas_and_scenarios(server).await)
    .chain(Box::pin(examples_of_simulations(server)).await)
    .chain(examples_of_conversations(server, &service, (&agent, &graph)).await)
    .map(|(id, path, body)| (id, Example { path, body }))
    .collect()
}

/// Returns examples about what moves a set, and what tells of it.
fn examples_of_release(sets: &str, service: &str) -> Vec<(&'static str, String, Option<Value>)> {
    vec![
        ("get-version-set-history", format!("{sets}/twice/history"), None),
        (
            "compare-version-sets",
            format!("{sets}/diff?base=release&head=twice@1"),
            None,
        ),
        (
            "promote-version-set",
            format!("{sets}/release/promote"),
            Some(json!({"source": "twice"})),
        ),
        (
            "roll-back-version-set",
            format!("{sets}/twice/rollback"),
            Some(json!({})),
        ),
        ("lift-version-set-hold", format!("{sets}/held/hold"), None),
        (
            "promote-version-sets",
            "promotion".to_owned(),
            Some(json!({"promotions": [{"service_id": service, "source": "held", "target": "new"}]})),
        ),
        ("get-service-health", format!("service/{service}/health"), None),
    ]
}

/// Returns examples about single versions of an agent and a context graph; those of the second pair run nowhere.
fn examples_of_versions(
    (agent, graph): (&str, &str),
    (unused_agent, unused_graph): (&str, &str),
) -> Vec<(&'static str, String, Option<Value>)> {
    let graphs = "organization/service_hierarchical_state_machine";
    vec![
        (
            "get-agent-version-references",
            format!("organization/agent/{agent}/version/1/references"),
            None,
        ),
        (
            "yank-agent-version",
            format!("organization/agent/{unused_agent}/version/1/yank"),
            Some(json!({"reason": "bad"})),
        ),
        (
            "unyank-agent-version",
            format!("organization/agent/{agent}/version/2/yank"),
            None,
        ),
        (
            "get-service-hierarchical-state-machine-version-references",
            format!("{graphs}/{graph}/version/1/references"),
            None,
        ),
        (
            "yank-service-hierarchical-state-machine-version",
            format!("{graphs}/{unused_graph}/version/1/yank"),
            Some(json!({"reason": "bad"})),
        ),
        (
            "unyank-service-hierarchical-state-machine-version",
            format!("{graphs}/{graph}/version/2/yank"),
            None,
        ),
    ]
}

/// Returns examples about organizations, users, roles, keys and temporary grants.
async fn examples_of_access(server: &TestServer) -> Vec<(&'static str, String, Option<Value>)> {
    let (member, leaver) = (
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    );
    let role = json!({"role_name": "Tester", "description": "Tests.", "frontend_view": "client",
        "permission_grants": [{"permission_name": "Organization:GetAgent", "conditions": {}}]});
    assert_eq!(server.admin().post("role/", role).await.status, 201);
    let key = json!({"name": null, "duration": "P1D", "role_name": "Tester"});
    let made = server.admin().post("organization/api_key/", key.clone()).await;
    let key_id = made.body["api_key_id"].as_str().unwrap().to_owned();
    vec![
        (
            "create-organization",
            format!("//v1/new-{}/organization/", server.admin().organization),
            Some(organization_body("New")),
        ),
        ("modify-organization", "organization/".to_owned(), Some(json!({}))),
        (
            "create-invited-user",
            "user/".to_owned(),
            Some(
                json!({"first_name": "Ada", "last_name": "L", "email": "ada@example.com",
                "role_name": "Tester"}),
            ),
        ),
        ("get-users", "user/".to_owned(), None),
        (
            "update-user-info",
            format!("user/{}", member.user_id),
            Some(json!({"first_name": "Ada"})),
        ),
        ("delete-user", format!("user/{}", leaver.user_id), None),
        (
            "create-role",
            "role/".to_owned(),
            Some(
                json!({"role_name": "Other", "description": "D", "permission_grants": [],
                "frontend_view": "admin"}),
            ),
        ),
        ("get_roles_v1__organization__role__get", "role/".to_owned(), None),
        (
            "modify-role",
            "role/Tester".to_owned(),
            Some(json!({"description": "Tests more."})),
        ),
        (
            "assign-role",
            "role/Tester/assign".to_owned(),
            Some(json!({"user_id": member.user_id})),
        ),
        (
            "create-temporary-permission-grant",
            "role/temporary_permission_grant/".to_owned(),
            Some(json!({"user_id": member.user_id, "duration": "PT1H", "tags": {},
                "permission_grant": {"permission_name": "Service:GetService", "conditions": {}},
                "justification": "for a test"})),
        ),
        (
            "get-temporary-permission-grants",
            "role/temporary_permission_grants/".to_owned(),
            None,
        ),
        ("create-api-key", "organization/api_key/".to_owned(), Some(key)),
        ("get-api-keys", "organization/api_key/".to_owned(), None),
        ("delete-api-key", format!("organization/api_key/{key_id}/"), None),
    ]
}

/// Returns examples about dynamic behavior sets and metrics.
async fn examples_of_behavior_sets_and_metrics(
    server: &TestServer,
) -> Vec<(&'static str, String, Option<Value>)> {
    let [set, doomed_set] = [
        behavior_set(server, "Calm").await,
        behavior_set(server, "Doomed").await,
    ];
    let [metric, doomed_metric] = [metric(server, "Calm").await, metric(server, "Doomed").await];
    let service = server.service(1).await;
    let conversation = talk::start(server, &service, "Good morning.")
        .await
        .conversation_id;
    let sets = "dynamic_behavior_set";
    vec![
        (
            "create-dynamic-behavior-set",
            format!("{sets}/"),
            Some(behavior_set_body("Another")),
        ),
        ("get-dynamic-behavior-sets", format!("{sets}/"), None),
        (
            "search-dynamic-behavior-sets",
            format!("{sets}/search?query=calm"),
            None,
        ),
        (
            "update-dynamic-behavior-set",
            format!("{sets}/{set}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-dynamic-behavior-instruction",
            format!("{sets}/{doomed_set}/"),
            None,
        ),
        (
            "create-dynamic-behavior-set-version",
            format!("{sets}/{set}/version/"),
            Some(behavior_version()),
        ),
        (
            "get-dynamic-behavior-set-versions",
            format!("{sets}/{set}/version/"),
            None,
        ),
        (
            "create-metric",
            "metric/".to_owned(),
            Some(metric_body("Another")),
        ),
        ("get-metrics", "metric/".to_owned(), None),
        (
            "update-metric",
            format!("metric/{metric}/"),
            Some(json!({"additional_notes": "Changed."})),
        ),
        ("delete-metric", format!("metric/{doomed_metric}/"), None),
        (
            "get-dynamic-behavior-invocations",
            format!("{sets}/{set}/invocation/"),
            None,
        ),
        (
            "evaluate-metrics",
            "metric/evaluate".to_owned(),
            Some(json!({"metric_ids": [metric], "conversation_id": conversation})),
        ),
        (
            "get-metric-evaluation-results",
            "metric/metric_evaluation_result".to_owned(),
            None,
        ),
    ]
}

/// Returns examples about unit tests, sets of them and runs.
async fn examples_of_simulations(server: &TestServer) -> Vec<(&'static str, String, Option<Value>)> {
    let world = World::new(server).await;
    let [test, doomed_test] = [
        world.test(server, "kept").await,
        world.test(server, "doomed").await,
    ];
    let mut sets = Vec::new();
    for name in ["kept", "doomed", "finished", "running"] {
        sets.push(world.set(server, name, &[(&test, 1)]).await);
    }
    let run = async |set: &str| {
        let created = server
            .admin()
            .post(RUNS, json!({"simulation_unit_test_set_id": set}))
            .await;
        let id = &created.body["simulation_unit_test_set_run_id"];
        id.as_str().unwrap().to_owned()
    };
    let finished = run(&sets[2]).await;
    work_off(&server.app, &organization(server), 1).await.unwrap();
    let running = run(&sets[3]).await;
    vec![
        (
            "create-simulation-unit-test",
            TESTS.to_owned(),
            Some(world.body("another")),
        ),
        ("get-simulation-unit-tests", TESTS.to_owned(), None),
        (
            "search-simulation-unit-tests",
            format!("{TESTS}search/?query=kept"),
            None,
        ),
        (
            "update-simulation-unit-test",
            format!("{TESTS}{test}/"),
            Some(json!({"description": "Changed."})),
        ),
        (
            "delete-simulation-unit-test",
            format!("{TESTS}{doomed_test}/"),
            None,
        ),
        (
            "create-simulation-unit-test-set",
            SETS.to_owned(),
            Some(set_body("another", &[(&test, 1)])),
        ),
        ("get-simulation-unit-test-sets", SETS.to_owned(), None),
        (
            "search-simulation-unit-test-sets",
            format!("{SETS}search/?query=kept"),
            None,
        ),
        (
            "update-simulation-unit-test-set",
            format!("{SETS}{}", sets[0]),
            Some(json!({"description": "Changed."})),
        ),
        (
            "delete-simulation-unit-test-set",
            format!("{SETS}{}", sets[1]),
            None,
        ),
        (
            "create-simulation-unit-test-set-run",
            RUNS.to_owned(),
            Some(json!({"simulation_unit_test_set_id": sets[0]})),
        ),
        ("get-simulation-unit-test-set-runs", RUNS.to_owned(), None),
        (
            "get-simulation-unit-test-set-run-artifacts",
            format!("{RUNS}{finished}/artifacts/"),
            None,
        ),
        (
            "cancel-simulation-unit-test-set-run",
            format!("{RUNS}{running}/"),
            None,
        ),
    ]
}

/// Returns examples about personas and scenarios.
async fn examples_of_personas_and_scenarios(
    server: &TestServer,
) -> Vec<(&'static str, String, Option<Value>)> {
    let [persona, doomed_persona] = [persona(server, "Ada").await, persona(server, "Doomed").await];
    let [scenario, doomed_scenario] = [scenario(server, "Refund").await, scenario(server, "Doomed").await];
    let (personas, scenarios) = ("simulation/persona", "simulation/scenario");
    vec![
        (
            "create-simulation-persona",
            format!("{personas}/"),
            Some(persona_body("Another")),
        ),
        ("get-simulation-personas", format!("{personas}/"), None),
        (
            "search-simulation-personas",
            format!("{personas}/search?query=ada"),
            None,
        ),
        (
            "update-simulation-persona",
            format!("{personas}/{persona}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-simulation-persona",
            format!("{personas}/{doomed_persona}/"),
            None,
        ),
        (
            "create-simulation-persona-version",
            format!("{personas}/{persona}/version/"),
            Some(persona_version()),
        ),
        (
            "get-simulation-persona-versions",
            format!("{personas}/{persona}/version/"),
            None,
        ),
        (
            "create-simulation-scenario",
            format!("{scenarios}/"),
            Some(scenario_body("Another")),
        ),
        ("get-simulation-scenarios", format!("{scenarios}/"), None),
        (
            "search-simulation-scenarios",
            format!("{scenarios}/search?query=refund"),
            None,
        ),
        (
            "update-simulation-scenario",
            format!("{scenarios}/{scenario}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-simulation-scenario",
            format!("{scenarios}/{doomed_scenario}/"),
            None,
        ),
        (
            "create-simulation-scenario-version",
            format!("{scenarios}/{scenario}/version/"),
            Some(scenario_version()),
        ),
        (
            "get-simulation-scenario-versions",
            format!("{scenarios}/{scenario}/version/"),
            None,
        ),
    ]
}

/// What the served document says about an operation that is not public.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) id: String,
    pub(crate) method: Method,
    path: String,
    pub(crate) example: Example,
}

/// Returns every operation that is not public, with its example.
pub(crate) async fn guarded(server: &TestServer) -> Vec<Guarded> {
    let document = served(server).await;
    let mut examples = Box::pin(examples(server)).await;
    let mut guarded = Vec::new();
    for (id, operation) in operations(&document) {
        let security = operation.content.get("security").unwrap_or(&document["security"]);
        let is_public = security
            .as_array()
            .unwrap()
            .iter()
            .all(|scheme| scheme.get("Bearer-Authorization").is_none());
        let is_listed = PUBLIC.iter().any(|(public, _)| *public == id);
        assert_eq!(
            is_public, is_listed,
            "`{id}` is public in only one of the document and the list"
        );
        if !is_public {
            let example = examples
                .remove(id)
                .unwrap_or_else(|| panic!("`{id}` has no example request"));
            let path = example.path.split('?').next().unwrap();
            let path = if path.starts_with("//") {
                path.to_owned()
            } else {
                format!("//v1/{}/{path}", server.admin().organization)
            };
            assert!(
                fits(operation.path, path.trim_end_matches('/')),
                "`{id}` is not at {path}"
            );
            let (id, path) = (id.to_owned(), operation.path.to_owned());
            guarded.push(Guarded {
                id,
                method: operation.method,
                path,
                example,
            });
        }
    }
    assert!(examples.is_empty(), "no longer served: {:?}", examples.keys());
    guarded
}

impl Guarded {
    pub(crate) async fn call(&self, client: &TestClient, headers: &[(&str, &str)]) -> TestResponse {
        let json = self.example.body.as_ref();
        let (content_type, body) = match json {
            Some(fields) if self.id == FORM => {
                let fields = fields.as_object().unwrap().iter();
                let fields: Vec<_> = fields
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                    .collect();
                let (content_type, body) = form(&fields);
                (Some(content_type), body)
            }
            Some(body) => (Some("application/json".to_owned()), body.to_string().into_bytes()),
            None => (None, Vec::new()),
        };
        let (method, path) = (self.method.clone(), &self.example.path);
        let mut headers = headers.to_vec();
        if path.starts_with("//") {
            // The path names an organization that is not there yet, so the client's own is in a header.
            headers.push(("x-mongo-cluster-name", "default"));
            if headers.iter().all(|(name, _)| *name != "x-org-id") {
                headers.push(("x-org-id", &client.organization));
            }
        }
        client
            .send_raw(method, path, &headers, content_type.as_deref(), body)
            .await
    }

    /// Returns `true` if the request names anything by its id.
    fn names_something(&self) -> bool {
        const IN_BODY: [&str; 7] = [
            "create-api-key",
            "create-conversation",
            "create-invited-user",
            "create-service",
            "create-temporary-permission-grant",
            "evaluate-metrics",
            "promote-version-sets",
        ];
        self.path.matches('{').count() > 1 || IN_BODY.contains(&self.id.as_str())
    }
}

/// Returns everything that a write would move: the change numbers and the lengths of the audit logs.
pub(crate) async fn state(server: &TestServer) -> Vec<(i64, usize)> {
    let mut state = Vec::new();
    for organization in [
        organization(server),
        server.stranger().organization.parse().unwrap(),
    ] {
        let mut tx = server.app.store.read().await.unwrap();
        let change_number = tx
            .find_organization(&organization)
            .await
            .unwrap()
            .unwrap()
            .change_number;
        let events = tx
            .list_audit_events(&organization, 0, 10_000)
            .await
            .unwrap()
            .into_rows()
            .len();
        state.push((change_number, events));
    }
    state
}

/// Returns the token with another signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

/// Returns the claims of one token under the signature of another.
fn grafted(claims: &str, signature: &str) -> String {
    let (signed, _) = claims.rsplit_once('.').unwrap();
    let (_, signature) = signature.rsplit_once('.').unwrap();
    format!("{signed}.{signature}")
}

#[both_engines]
async fn every_operation_asks_for_credentials_that_prove_something(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let (admin, stranger) = (server.admin(), server.stranger());
    let [own, foreign] = [admin, stranger].map(|client| client.token.clone().unwrap());
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let basic = |user: &str, token: &str| {
        (
            "authorization",
            format!("Basic {}", STANDARD.encode(format!("{user}:{token}"))),
        )
    };
    let issued_by = |organization: &str| ("x-org-id", organization.to_owned());
    let admin_name = format!("{}_{}", admin.organization, admin.user_id);
    let attempts: [Vec<(&str, String)>; 19] = [
        vec![],
        vec![bearer("garbage")],
        vec![bearer("a.b.c")],
        vec![bearer("")],
        vec![("authorization", "Bearer".to_owned())],
        vec![("authorization", own.clone())],
        vec![("authorization", format!("Digest {own}"))],
        vec![("authorization", "Basic garbage".to_owned())],
        vec![basic(&admin_name, "garbage")],
        vec![basic(&format!("{}_somebody", admin.organization), &own)],
        vec![basic(&admin.user_id, &own)],
        vec![bearer(&forged(&own))],
        vec![bearer(&grafted(&own, &foreign))],
        // The other organization's token, as it is and as if it were of this one.
        vec![bearer(&foreign)],
        vec![bearer(&foreign), issued_by(&admin.organization)],
        vec![basic(&admin_name, &foreign)],
        // This organization's token, said to be another's.
        vec![bearer(&own), issued_by(&stranger.organization)],
        vec![bearer(&own), issued_by("nowhere")],
        vec![bearer(&own), issued_by("")],
    ];
    let before = state(&server).await;
    for operation in &guarded {
        for attempt in &attempts {
            let headers = attempt.iter().map(|(name, value)| (*name, value.as_str()));
            let answer = operation
                .call(&admin.anonymous(), &headers.collect::<Vec<_>>())
                .await;
            assert_eq!(answer.status, 401, "{} with {attempt:?}", operation.id);
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert!(!answer.detail().is_empty());
            assert_eq!(answer.sequence(), None);
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn another_organizations_token_brings_no_rights_along(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let before = state(&server).await;
    for operation in &guarded {
        assert_eq!(
            operation.call(&stranger, &[]).await.status,
            401,
            "{}",
            operation.id
        );
        let answer = operation
            .call(&stranger, &[("x-org-id", &server.stranger().organization)])
            .await;
        if LISTS.contains(&operation.id.as_str()) {
            assert!(
                answer.shows_nothing(),
                "{}: {} {}",
                operation.id,
                answer.status,
                answer.body
            );
        } else {
            assert_eq!(answer.status, 403, "{}", operation.id);
        }
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn plain_users_may_call_only_what_is_meant_for_them(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let user = server.user(DefaultRole::User).await;
    let before = state(&server).await;
    let mut allowed = BTreeSet::new();
    for operation in &guarded {
        let answer = operation.call(&user, &[]).await;
        let is_for_users = FOR_USERS.iter().any(|(id, _)| *id == operation.id);
        if LISTS.contains(&operation.id.as_str()) && !is_for_users {
            assert!(
                answer.shows_nothing(),
                "{}: {} {}",
                operation.id,
                answer.status,
                answer.body
            );
        } else if answer.status.is_success() {
            allowed.insert(operation.id.as_str());
        } else {
            assert_eq!(answer.status, 403, "{}", operation.id);
        }
    }
    assert_eq!(allowed, FOR_USERS.iter().map(|(id, _)| *id).collect());
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn things_of_another_organization_are_not_there(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let before = state(&server).await;
    for operation in guarded.iter().filter(|operation| operation.names_something()) {
        let answer = operation.call(server.stranger(), &[]).await;
        assert_eq!(answer.status, 404, "{}", operation.id);
    }
    assert_eq!(state(&server).await, before);
}

#[both_engines]
async fn an_organization_that_is_not_there_is_told_before_anything_else(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let document = served(&server).await;
    let operations = operations(&document);
    for nowhere in ["nowhere", "No-Where", "no_where", "%20", &"x".repeat(65)] {
        let admin = server.admin().in_organization(nowhere);
        for client in [&admin, &admin.anonymous()] {
            for operation in &guarded {
                // The contract knows operations without a 404; there, no credentials are any good.
                let knows_404 = operations[operation.id.as_str()].content["responses"]
                    .get("404")
                    .is_some();
                let expected = if knows_404 { 404 } else { 401 };
                assert_eq!(
                    operation.call(client, &[]).await.status,
                    expected,
                    "{} in {nowhere}",
                    operation.id
                );
            }
        }
    }
}

#[both_engines]
async fn the_same_requests_succeed_with_the_right_credentials(database: TestDatabase) {
    // Only the operator's users create organizations.
    let server = TestServer::alone(&database).await;
    for operation in &Box::pin(guarded(&server)).await {
        let answer = operation.call(server.admin(), &[]).await;
        assert!(
            answer.status.is_success(),
            "{}: {} {}",
            operation.id,
            answer.status,
            answer.body
        );
    }
}

#[both_engines]
async fn an_ended_token_and_one_whose_key_was_revoked_open_nothing(server: TestServer) {
    let guarded = Box::pin(guarded(&server)).await;
    let admin = server.admin();
    let key = json!({"name": null, "duration": "P1D", "role_name": "DefaultSuperAdministratorRole"});
    let key = admin.post("organization/api_key/", key).await.body;
    let (id, secret) = (
        key["api_key_id"].as_str().unwrap(),
        key["api_key"].as_str().unwrap(),
    );
    let organization = admin.organization.parse().unwrap();
    let session =
        forge_app::access::sign_in::with_api_key(&server.app, &organization, id, secret, &admin.user_id);
    let other = admin.with_token(&session.await.unwrap().token);
    assert_eq!(other.get("service/").await.status, 200);
    assert_eq!(
        admin.delete(&format!("organization/api_key/{id}")).await.status,
        200
    );
    for operation in &guarded {
        assert_eq!(
            operation.call(&other, &[]).await.status,
            401,
            "{} with a revoked key",
            operation.id
        );
    }
    server.clock.advance_seconds(3601);
    for operation in &guarded {
        assert_eq!(
            operation.call(admin, &[]).await.status,
            401,
            "{} with an ended token",
            operation.id
        );
    }
}

#[both_engines]
async fn a_token_counts_as_a_password_and_with_its_own_organization_named(server: TestServer) {
    let (admin, guarded) = (server.admin(), Box::pin(guarded(&server)).await);
    let token = admin.token.as_ref().unwrap();
    let user = STANDARD.encode(format!("{}_{}:{token}", admin.organization, admin.user_id));
    let (basic, bearer) = (format!("Basic {user}"), format!("bearer {token}"));
    for operation in guarded.iter().filter(|operation| operation.method == Method::GET) {
        for headers in [
            vec![("authorization", basic.as_str())],
            vec![("authorization", &basic), ("x-org-id", &admin.organization)],
            vec![("authorization", &bearer), ("x-org-id", &admin.organization)],
        ] {
            let answer = operation.call(&admin.anonymous(), &headers).await;
            assert_eq!(answer.status, 200, "{} with {headers:?}", operation.id);
        }
    }
}
