//! Nobody moves a thing into their own conditions: whoever changes what conditions are about gains nothing by it.

use forge_domain::access::{CHANGEABLE_ATTRIBUTES, ChangeableAttribute, OperationNeeds, Permission};
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::simulation::World;
use crate::support::grants::{any, create_role, equals, grant};
use crate::support::items::behavior_set;
use crate::support::users::user_with;

/// The role whose grants are changed from call to call.
const ROLE: &str = "Mover";

/// The values of attributes before and after a change, by which things are named and roles too.
const VALUES: [&str; 2] = ["Old", "New"];

/// A call that changes an attribute of a thing.
struct Move {
    attribute: &'static ChangeableAttribute,
    /// Has the new value at `{value}`, like the body.
    path: String,
    body: String,
}

impl Move {
    async fn to(&self, client: &TestClient, value: &str) -> TestResponse {
        let body = self.body.replace("{value}", value);
        let path = self.path.replace("{value}", value);
        client.post(&path, serde_json::from_str(&body).unwrap()).await
    }
}

/// Gives the role some grants, beside one that it is never without.
async fn hold(server: &TestServer, mut grants: Vec<Value>) {
    grants.push(any("Nothing:AtAll"));
    let path = format!("role/{ROLE}");
    let answer = server
        .admin()
        .post(&path, json!({"permission_grants": grants}))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Returns everything that an operation asks but one permission, and that one on things with some values of an
/// attribute.
fn asked_with(attribute: &ChangeableAttribute, permission: Permission, values: &[&str]) -> Vec<Value> {
    let asked = OperationNeeds::of(attribute.operation)
        .unwrap()
        .asked()
        .into_iter();
    let others = asked.filter(|other| *other != permission);
    let conditions = json!({attribute.name: {"type": "In", "values": values}});
    others
        .map(|other| any(other.name()))
        .chain([grant(permission.name(), &conditions)])
        .collect()
}

/// Returns a call for each attribute that can be changed to a value of the caller's choice.
async fn moves(server: &TestServer) -> Vec<Move> {
    let admin = server.admin();
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = service_body(VALUES[0], &agent, &graph);
    let service = admin.post("service/", service).await.id();
    let behavior = behavior_set(server, VALUES[0]).await;
    let world = World::new(server).await;
    let test = world.test(server, "A test").await;
    let tests = world.set(server, VALUES[0], &[(&test, 1)]).await;
    let user = user_with(server, VALUES[0], vec![any("Nothing:AtAll")])
        .await
        .user_id;
    let lesser = vec![grant("Nothing:AtAll", &equals("x", "y"))];
    assert_eq!(create_role(admin, VALUES[1], lesser).await.status, 201);
    let name = || r#"{"name": "{value}"}"#.to_owned();
    let calls = [
        ("update-service", format!("service/{service}/"), name()),
        (
            "update-dynamic-behavior-set",
            format!("dynamic_behavior_set/{behavior}/"),
            name(),
        ),
        (
            "update-simulation-unit-test-set",
            format!("simulation/unit_test_set/{tests}/"),
            name(),
        ),
        (
            "assign-role",
            "role/{value}/assign".to_owned(),
            json!({"user_id": user}).to_string(),
        ),
    ];
    // A role gets an id that nobody chooses.
    let chosen = CHANGEABLE_ATTRIBUTES
        .iter()
        .filter(|attribute| attribute.operation != "modify-role");
    chosen
        .map(|attribute| {
            let call = calls
                .iter()
                .find(|(operation, ..)| *operation == attribute.operation);
            let (_, path, body) = call.unwrap_or_else(|| panic!("no call changes {}", attribute.name));
            Move {
                attribute,
                path: path.clone(),
                body: body.clone(),
            }
        })
        .collect()
}

#[both_engines]
async fn whatever_conditions_are_about_is_not_changed_for_a_right(server: TestServer) {
    let admin = server.admin();
    let mover = user_with(&server, ROLE, vec![any("Nothing:AtAll")]).await;
    let [old, new] = VALUES;
    for call in moves(&server).await {
        for permission in call.attribute.permissions() {
            let what = format!("{} for {}", call.attribute.operation, permission.name());
            hold(&server, asked_with(call.attribute, permission, &[new])).await;
            let refused = call.to(&mover, new).await;
            assert_eq!(refused.status, 403, "{what}: {}", refused.body);
            assert!(
                refused.detail().contains(permission.name()),
                "{what}: {}",
                refused.detail()
            );
            // Who has it before loses or keeps it.
            let mut kept = asked_with(call.attribute, permission, &[old, new]);
            kept.extend(asked_with(call.attribute, permission, &[new]).pop());
            hold(&server, kept).await;
            let moved = call.to(&mover, new).await;
            assert!(
                moved.status.is_success(),
                "{what}: {} {}",
                moved.status,
                moved.body
            );
            let back = call.to(admin, old).await;
            assert!(back.status.is_success(), "{what}: {} {}", back.status, back.body);
        }
    }
}

#[both_engines]
async fn a_service_is_not_renamed_to_change_its_release_and_named_back(server: TestServer) {
    let admin = server.admin();
    let (agent, graph) = (server.agent(2).await, server.context_graph(2).await);
    let service = admin
        .post("service/", service_body("Billing", &agent, &graph))
        .await
        .id();
    let mover = user_with(
        &server,
        ROLE,
        vec![
            any("Service:UpdateService"),
            grant("Service:UpdateVersionSet", &equals("service_name", "Sandbox")),
            grant("Service:CreateVersionSet", &equals("service_name", "Sandbox")),
        ],
    )
    .await;
    let path = format!("service/{service}/");
    for query in ["", "?dry_run=true"] {
        let renamed = mover
            .post(&format!("{path}{query}"), json!({"name": "Sandbox"}))
            .await;
        assert_eq!(renamed.status, 403, "{}", renamed.body);
    }
    let body = json!({"version_set": version_set(1, 1)});
    let release = format!("{path}version_sets/release/");
    assert_eq!(mover.put(&release, body.clone()).await.status, 403);
    assert_eq!(mover.post(&path, json!({"name": "Invoices"})).await.status, 200);
    // A grant for a while counts like any other.
    let given = admin
        .post(
            "role/temporary_permission_grant/",
            json!({
        "user_id": mover.user_id, "duration": "PT1H", "tags": {}, "justification": "It is a test.",
        "permission_grant": grant("Service:DeleteVersionSet", &equals("service_name", "Old bills"))}),
        )
        .await;
    assert_eq!(given.status, 201, "{}", given.body);
    let renamed = mover.post(&path, json!({"name": "Old bills"})).await;
    assert_eq!(renamed.status, 403, "{}", renamed.body);
    assert!(
        renamed.detail().contains("Service:DeleteVersionSet"),
        "{}",
        renamed.detail()
    );
}

#[both_engines]
async fn a_role_is_not_changed_to_be_seen_under_its_new_id(server: TestServer) {
    let created = create_role(server.admin(), "Hidden", vec![any("Nothing:AtAll")]).await;
    let id = created.body["role_id"].as_str().unwrap().to_owned();
    let not_hidden = json!({"role_id": {"type": "NotEquals", "value": id}});
    let held = |condition: &Value| {
        vec![
            any("Role:ModifyRole"),
            any("Nothing:Else"),
            grant("Role:GetRole", condition),
        ]
    };
    let mover = user_with(&server, ROLE, held(&not_hidden)).await;
    let change = json!({"permission_grants": [any("Nothing:Else")]});
    hold(&server, held(&not_hidden)).await;
    let refused = mover.post("role/Hidden", change.clone()).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.detail().contains("Role:GetRole"), "{}", refused.detail());
    hold(&server, held(&json!({}))).await;
    let changed = mover.post("role/Hidden", change).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
}
