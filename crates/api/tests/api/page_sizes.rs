//! How large pages are: a page ends where there is no room for the next row, and the list goes on there.

use std::collections::BTreeSet;

use forge_contract::contract;
use forge_store::MOST_BYTES;
use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use crate::items::talk;
use crate::simulation::{RUNS, SETS, TESTS, World};
use crate::support::grants;
use crate::support::items;
use crate::support::models::large_set;

/// Returns the operations that answer with pages.
fn paged() -> BTreeSet<&'static str> {
    let served = forge_api::served_operations();
    let operations = contract()
        .operations()
        .filter(|operation| served.contains(operation.id.as_str()));
    let paged = operations.filter(|operation| operation.method == "GET");
    let has_limit = |operation: &&forge_contract::Operation| {
        let mut names = operation.parameters.iter().map(|parameter| &parameter.name);
        names.any(|name| name == "continuation_token")
    };
    paged
        .filter(has_limit)
        .map(|operation| operation.id.as_str())
        .collect()
}

/// A list with rows in it.
struct List {
    operation: &'static str,
    path: String,
    key: &'static str,
}

fn list(operation: &'static str, path: impl Into<String>, key: &'static str) -> List {
    let path = path.into();
    List { operation, path, key }
}

impl List {
    async fn page(&self, client: &TestClient, token: &Value) -> Value {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        let answer = client
            .get(&format!("{}{mark}continuation_token={token}", self.path))
            .await;
        assert_eq!(answer.status, 200, "{}: {}", self.path, answer.body);
        answer.body
    }

    fn rows<'b>(&self, body: &'b Value) -> &'b [Value] {
        body[self.key]
            .as_array()
            .unwrap_or_else(|| panic!("{}: {body}", self.path))
    }

    /// Reads the list page by page and returns the pages.
    async fn pages(&self, client: &TestClient) -> Vec<Value> {
        let (mut pages, mut token) = (Vec::new(), json!(0));
        while !token.is_null() {
            let page = self.page(client, &token).await;
            token = page["continuation_token"].clone();
            assert_eq!(page["has_more"], json!(!token.is_null()), "{}", self.path);
            pages.push(page);
            assert!(pages.len() < 1000, "{}: paging ends", self.path);
        }
        pages
    }
}

/// Creates two things at least of every kind that there are lists of, and returns the lists.
#[expect(clippy::too_many_lines, reason = "there are that many lists")]
async fn lists(server: &TestServer) -> Vec<List> {
    let (admin, world) = (server.admin(), World::new(server).await);
    items::persona(server, "Otto").await;
    items::scenario(server, "A lost parcel").await;
    items::metric(server, "brevity").await;
    let mut calm = items::behavior_set_body("Calm");
    let talked = server.service(1).await;
    calm["applied_to_services"] = json!([talked]);
    let calm = items::behavior_set_of(server, calm).await;
    items::behavior_set(server, "Brief").await;
    for (path, version) in [
        (format!("dynamic_behavior_set/{calm}/"), items::behavior_version()),
        (
            format!("simulation/persona/{}/", world.persona),
            items::persona_version(),
        ),
        (
            format!("simulation/scenario/{}/", world.scenario),
            items::scenario_version(),
        ),
    ] {
        let answer = admin.post(&format!("{path}version/"), version).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    }
    let tests = [
        world.test(server, "kind").await,
        world.test(server, "brief").await,
    ];
    let sets = [
        world.set(server, "day", &[(&tests[0], 2)]).await,
        world.set(server, "night", &[(&tests[1], 1)]).await,
    ];
    for set in sets {
        let run = admin
            .post(RUNS, json!({"simulation_unit_test_set_id": set}))
            .await;
        assert_eq!(run.status, 201, "{}", run.body);
    }
    let begun = talk::start(server, &talked, "The user is angry. I am!").await;
    talk::say(server, begun.conversation_id, "The user is angry. Still!").await;
    talk::start(server, &world.service, "Good morning.").await;
    for metric in [
        &world.metric,
        &items::metric(server, "check: contains \"angry\"").await,
    ] {
        let body = json!({"metric_ids": [metric], "conversation_id": begun.conversation_id});
        let answer = admin.post("metric/evaluate", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let user = server.user(forge_domain::access::DefaultRole::User).await;
    for _ in 0..2 {
        let body = json!({"user_id": user.user_id, "duration": "PT30M", "tags": {}, "justification": "to help out",
            "permission_grant": grants::any("Service:GetService")});
        let answer = admin.post("role/temporary_permission_grant/", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    for (set, pins) in [
        ("test", version_set(2, 1)),
        ("test", version_set(1, 1)),
        ("more", version_set(1, 1)),
    ] {
        let path = format!("service/{}/version_sets/{set}/", world.service);
        assert_eq!(admin.put(&path, json!({"version_set": pins})).await.status, 204);
    }
    let found = admin.get(&format!("service/?id={}", world.service)).await.body;
    let id = |field: &str| found["services"][0][field].as_str().unwrap().to_owned();
    let (agent, graph) = (id("agent_id"), id("service_hierarchical_state_machine_id"));
    let other = forge_testkit::service_body("Another one", &agent, &graph);
    let other = admin.post("service/", other).await.id();
    let pinned = json!({"version_set": version_set(1, 1)});
    assert_eq!(
        admin
            .put(&format!("service/{other}/version_sets/test/"), pinned)
            .await
            .status,
        204
    );
    let graphs = "organization/service_hierarchical_state_machine";
    vec![
        list("get-agents", "organization/agent", "agents"),
        list(
            "get-agent-versions",
            format!("organization/agent/{agent}/version?sort_by=-version"),
            "agent_versions",
        ),
        list(
            "get-agent-version-references",
            format!("organization/agent/{agent}/version/1/references"),
            "services",
        ),
        list(
            "get-service-hierarchical-state-machines",
            graphs,
            "service_hierarchical_state_machines",
        ),
        list(
            "get-service-hierarchical-state-machine-versions",
            format!("{graphs}/{graph}/version"),
            "state_machine_versions",
        ),
        list(
            "get-service-hierarchical-state-machine-version-references",
            format!("{graphs}/{graph}/version/1/references"),
            "services",
        ),
        list("get-services", "service/", "services"),
        list("get-services", "service/?sort_by=-name", "services"),
        list(
            "get-services",
            format!("service/?id={other}&id={}", world.service),
            "services",
        ),
        list(
            "get-version-set-history",
            format!("service/{}/version_sets/test/history", world.service),
            "revisions",
        ),
        list("get-audit-events", "audit_event/?limit=100", "audit_events"),
        list("get-users", "user/", "users"),
        list("get-users", "user/?sort_by=-email", "users"),
        list("get-conversations", "conversation/", "conversations"),
        list(
            "get-conversations",
            "conversation/?sort_by=-created_at",
            "conversations",
        ),
        list(
            "get-conversation-messages",
            format!("conversation/{}/messages/", begun.conversation_id),
            "messages",
        ),
        list(
            "get-conversation-messages",
            format!(
                "conversation/{}/messages/?sort_by=-created_at",
                begun.conversation_id
            ),
            "messages",
        ),
        list(
            "get-dynamic-behavior-sets",
            "dynamic_behavior_set/",
            "dynamic_behavior_sets",
        ),
        list(
            "get-dynamic-behavior-set-versions",
            format!("dynamic_behavior_set/{calm}/version/"),
            "dynamic_behavior_set_versions",
        ),
        list(
            "get-dynamic-behavior-invocations",
            format!("dynamic_behavior_set/{calm}/invocation/"),
            "dynamic_behavior_invocations",
        ),
        list("get-metrics", "metric/", "metrics"),
        list(
            "get-metric-evaluation-results",
            "metric/metric_evaluation_result",
            "metric_evaluation_results",
        ),
        list(
            "get-simulation-personas",
            "simulation/persona/",
            "simulation_personas",
        ),
        list(
            "get-simulation-personas",
            "simulation/persona/?sort_by=-updated_at",
            "simulation_personas",
        ),
        list(
            "get-simulation-persona-versions",
            format!("simulation/persona/{}/version/", world.persona),
            "simulation_persona_versions",
        ),
        list(
            "get-simulation-scenarios",
            "simulation/scenario/",
            "simulation_scenarios",
        ),
        list(
            "get-simulation-scenario-versions",
            format!("simulation/scenario/{}/version/", world.scenario),
            "simulation_scenario_versions",
        ),
        list("get-simulation-unit-tests", TESTS, "simulation_unit_tests"),
        list(
            "get-simulation-unit-tests",
            format!("{TESTS}?sort_by=-updated_at"),
            "simulation_unit_tests",
        ),
        list("get-simulation-unit-test-sets", SETS, "simulation_unit_test_sets"),
        list(
            "get-simulation-unit-test-sets",
            format!("{SETS}?sort_by=-updated_at"),
            "simulation_unit_test_sets",
        ),
        list(
            "get-simulation-unit-test-set-runs",
            RUNS,
            "simulation_unit_test_set_runs",
        ),
        list(
            "get-simulation-unit-test-set-runs",
            format!("{RUNS}?sort_by=-created_at"),
            "simulation_unit_test_set_runs",
        ),
        list(
            "get-temporary-permission-grants",
            "role/temporary_permission_grants/",
            "temporary_permission_grants",
        ),
    ]
}

/// Reads a list of large rows and asserts that no page is larger than it may be, and that each row comes once.
async fn assert_pages_fit(client: &TestClient, list: &List, rows: usize) {
    let pages = list.pages(client).await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.to_string().len()).collect();
    assert!(
        sizes.iter().all(|size| *size <= MOST_BYTES),
        "{}: {sizes:?}",
        list.path
    );
    assert!(pages.len() > 1, "{}: {sizes:?}", list.path);
    let all: BTreeSet<String> = pages
        .iter()
        .flat_map(|page| list.rows(page))
        .map(Value::to_string)
        .collect();
    assert_eq!(all.len(), rows, "{}: each comes once", list.path);
    assert_eq!(
        pages.iter().map(|page| list.rows(page).len()).sum::<usize>(),
        rows,
        "{}",
        list.path
    );
}

#[both_engines]
async fn every_list_goes_on_where_there_was_no_room_for_the_next_row(server: TestServer) {
    let lists = lists(&server).await;
    let tested: BTreeSet<&str> = lists.iter().map(|list| list.operation).collect();
    assert_eq!(tested, paged());
    for list in &lists {
        server.app.store.limit_room(MOST_BYTES);
        let whole = list.pages(server.admin()).await;
        let rows: Vec<&Value> = whole.iter().flat_map(|page| list.rows(page)).collect();
        assert!(rows.len() > 1, "{}: {whole:?}", list.path);
        server.app.store.limit_room(1);
        let small = list.pages(server.admin()).await;
        let told: Vec<usize> = small.iter().map(|page| list.rows(page).len()).collect();
        assert_eq!(told, vec![1; rows.len()], "{}", list.path);
        assert_eq!(
            small.iter().flat_map(|page| list.rows(page)).collect::<Vec<_>>(),
            rows,
            "{}",
            list.path
        );
        let values = |page: &Value| page["filter_values"].clone();
        assert_eq!(values(&small[0]), values(&whole[0]), "{}", list.path);
    }
}

#[both_engines]
async fn pages_of_large_rows_have_as_many_as_fit_in(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    for number in 0..14 {
        // Some revisions of one set, and many sets.
        for set in ["test", &format!("test{number}")] {
            let path = format!("service/{service}/version_sets/{set}/");
            let answer = admin.put(&path, large_set(number)).await;
            assert_eq!(answer.status, 204, "{}", answer.body);
        }
    }
    let history = list(
        "get-version-set-history",
        format!("service/{service}/version_sets/test/history"),
        "revisions",
    );
    assert_pages_fit(admin, &history, 14).await;
    let events = list("get-audit-events", "audit_event/?limit=100", "audit_events");
    let pages = events.pages(admin).await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.to_string().len()).collect();
    assert!(
        sizes.iter().all(|size| *size <= MOST_BYTES) && sizes.len() > 1,
        "{sizes:?}"
    );
}

#[both_engines]
async fn a_service_comes_with_all_of_its_sets_or_on_the_next_page(server: TestServer) {
    let (admin, services) = (server.admin(), [server.service(1).await, server.service(1).await]);
    for service in &services {
        for number in 0..12 {
            let path = format!("service/{service}/version_sets/test{number}/");
            assert_eq!(admin.put(&path, large_set(number)).await.status, 204);
        }
    }
    let list = list("get-services", "service/", "services");
    let pages = list.pages(admin).await;
    let told: Vec<usize> = pages.iter().map(|page| list.rows(page).len()).collect();
    assert_eq!(told, [1, 1]);
    assert_eq!(
        list.rows(&pages[1])[0]["version_sets"].as_object().unwrap().len(),
        14
    );
}
