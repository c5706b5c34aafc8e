//! Another agent or context graph for a service, and what becomes of its sets.

use forge_domain::version_set::ResolvedPins;
use forge_testkit::{both_engines, service_body, version_set};
use serde_json::json;

use super::{
    assert_updated, binding, create, delete_set, deprecate_agent, deprecate_context_graph, foreign_binding,
    put_set, read, update,
};
use crate::support::assertions::assert_refused;
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::change_number;
use crate::support::revisions::{actions, history};

/// Returns numbers as a revision has them.
fn numbers(agent: i64, context_graph: i64) -> ResolvedPins {
    ResolvedPins {
        agent_version: agent.try_into().ok(),
        context_graph_version: context_graph.try_into().ok(),
    }
}

#[both_engines]
async fn a_rebind_appends_one_revision_to_every_set(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(2, 3)).await;
    put_set(
        &server,
        &id,
        "preview",
        with_model(version_set(None, 1), "engage-user", MODEL, json!({})),
    )
    .await;
    let sets = ["edge", "preview", "release", "test"];
    let mut before = Vec::new();
    for set in sets {
        before.push(history(&server, &id, set).await);
    }
    let (agent, graph) = (server.agent(2).await, server.context_graph(4).await);
    let changes =
        json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph, "name": "Rebound"});
    let answer = update(&server, &id, changes).await;
    assert_updated(&answer);
    let resolved = [numbers(2, 4), numbers(2, 1), numbers(2, 4), numbers(2, 3)];
    for ((set, before), resolved) in sets.into_iter().zip(before).zip(resolved) {
        let after = history(&server, &id, set).await;
        assert_eq!(after[..before.len()], before, "history is never rewritten");
        let [rebind] = &after[before.len()..] else {
            panic!("one revision each, not {after:?}")
        };
        let last = before.last().unwrap();
        assert_eq!(
            (rebind.action.as_str(), rebind.revision),
            ("rebind", last.revision + 1)
        );
        assert_eq!(rebind.agent_id.to_string(), agent);
        assert_eq!(rebind.context_graph_id.to_string(), graph);
        assert_eq!((&rebind.pins, rebind.resolved), (&last.pins, resolved), "{set}");
        assert_eq!(Some(rebind.change_number), answer.sequence());
        assert_eq!(rebind.actor.user.user_id, server.admin().user_id);
        let told = server
            .admin()
            .get(&format!("service/{id}/version_sets/{set}/"))
            .await;
        assert_eq!(told.body["revision"], json!(rebind.revision));
        assert_eq!(told.body["resolved"], json!(resolved));
        let resolution = server
            .admin()
            .get(&format!("service/{id}/version_sets/{set}/resolve"))
            .await;
        assert_eq!(
            resolution.body["agent_version_info"],
            json!([agent, resolved.agent_version])
        );
    }
    assert_eq!(read(&server, &id).await["name"], json!("Rebound"));
}

#[both_engines]
async fn either_half_of_a_service_is_rebound_alone(server: TestServer) {
    let id = server.service(2).await;
    put_set(&server, &id, "test", version_set(2, 2)).await;
    let agent = server.agent(2).await;
    assert_updated(&update(&server, &id, json!({"agent_id": agent})).await);
    let graph = server.context_graph(5).await;
    assert_updated(
        &update(
            &server,
            &id,
            json!({"service_hierarchical_state_machine_id": graph}),
        )
        .await,
    );
    let revisions = history(&server, &id, "test").await;
    let [_, first, second] = revisions.as_slice() else {
        panic!("{revisions:?}")
    };
    assert_eq!(
        (first.agent_id, second.agent_id),
        (agent.parse().unwrap(), agent.parse().unwrap())
    );
    assert_ne!(first.context_graph_id, second.context_graph_id);
    assert_eq!(second.resolved, numbers(2, 2));
    let release = history(&server, &id, "release").await;
    assert_eq!(release.last().unwrap().resolved, numbers(2, 5));
}

#[both_engines]
async fn a_rebind_is_refused_while_a_set_pins_a_version_that_the_new_one_lacks(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(3, None)).await;
    put_set(&server, &id, "preview", version_set(2, 2)).await;
    put_set(&server, &id, "release", version_set(1, 3)).await;
    let (agent, graph) = (server.agent(1).await, server.context_graph(2).await);
    let (service, before) = (read(&server, &id).await, change_number(&server).await);
    let refused = update(&server, &id, json!({"agent_id": agent})).await;
    let of_agent = [
        "`test` pins version 3 of the agent",
        "`preview` pins version 2 of the agent",
    ];
    assert_refused(&refused, &of_agent);
    assert!(!refused.detail().contains("`release`"), "{}", refused.detail());
    let changes =
        json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph, "name": "Rebound"});
    let refused = update(&server, &id, changes.clone()).await;
    assert_refused(
        &refused,
        &[
            of_agent[0],
            of_agent[1],
            "`release` pins version 3 of the context graph",
        ],
    );
    assert_eq!(change_number(&server).await, before);
    assert_eq!(read(&server, &id).await, service);
    for set in ["test", "preview", "release"] {
        put_set(&server, &id, set, version_set(1, 1)).await;
    }
    assert_updated(&update(&server, &id, changes).await);
}

#[both_engines]
async fn a_service_is_rebound_only_to_living_assets_that_have_versions(server: TestServer) {
    let id = server.service(1).await;
    let (empty_agent, empty_graph) = binding(&server, 0).await;
    let (old_agent, old_graph) = binding(&server, 1).await;
    deprecate_agent(&server, &old_agent).await;
    deprecate_context_graph(&server, &old_graph).await;
    let (foreign_agent, foreign_graph) = foreign_binding(&server).await;
    let old_told = [
        format!("agent {old_agent} is deprecated"),
        format!("context graph {old_graph} is deprecated"),
    ];
    let (agent, graph) = ("agent_id", "service_hierarchical_state_machine_id");
    for is_active in [true, false] {
        update(&server, &id, json!({"is_active": is_active})).await;
        let before = change_number(&server).await;
        for (changes, told) in [
            (
                json!({agent: UNKNOWN_ID}),
                vec![format!("there is no agent {UNKNOWN_ID}")],
            ),
            (
                json!({graph: UNKNOWN_ID}),
                vec![format!("there is no context graph {UNKNOWN_ID}")],
            ),
            (
                json!({agent: UNKNOWN_ID, graph: UNKNOWN_ID}),
                vec![
                    format!("no agent {UNKNOWN_ID}"),
                    format!("no context graph {UNKNOWN_ID}"),
                ],
            ),
            (
                json!({agent: foreign_agent, graph: foreign_graph}),
                vec![
                    format!("no agent {foreign_agent}"),
                    format!("no context graph {foreign_graph}"),
                ],
            ),
            (
                json!({agent: empty_agent}),
                vec![format!("agent {empty_agent} has no versions yet")],
            ),
            (
                json!({graph: empty_graph}),
                vec![format!("context graph {empty_graph} has no versions yet")],
            ),
            (json!({agent: old_agent, graph: old_graph}), old_told.to_vec()),
        ] {
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            assert_refused(&update(&server, &id, changes).await, &told);
        }
        assert_eq!(change_number(&server).await, before);
    }
}

#[both_engines]
async fn an_inactive_service_on_a_deprecated_agent_can_still_change_its_graph(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let id = create(&server, service_body("Care", &agent, &graph)).await;
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    deprecate_agent(&server, &agent).await;
    let graph = server.context_graph(1).await;
    assert_updated(
        &update(
            &server,
            &id,
            json!({"service_hierarchical_state_machine_id": graph}),
        )
        .await,
    );
}

#[both_engines]
async fn deleted_sets_survive_a_rebind_and_can_come_back(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(3, 3)).await;
    delete_set(&server, &id, "test").await;
    // What it pinned once does not count: it pins nothing any more.
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let changes = json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph});
    assert_updated(&update(&server, &id, changes).await);
    assert_eq!(actions(&server, &id, "test").await, ["create", "delete"]);
    let path = format!("service/{id}/version_sets/test");
    let gone = server.admin().get(&format!("{path}/resolve")).await;
    assert_eq!((gone.status.as_u16(), &gone.body["revision"]), (410, &json!(2)));
    let too_new = server
        .admin()
        .put(&format!("{path}/"), json!({"version_set": version_set(3, 3)}))
        .await;
    assert_refused(&too_new, &["has no version 3"]);
    put_set(&server, &id, "test", version_set(1, 1)).await;
    assert_eq!(
        actions(&server, &id, "test").await,
        ["create", "delete", "create"]
    );
    let last = history(&server, &id, "test").await.pop().unwrap();
    assert_eq!(
        (last.revision, last.agent_id.to_string(), last.resolved),
        (3, agent, numbers(1, 1))
    );
    let resolution = server.admin().get(&format!("{path}/resolve")).await;
    assert_eq!(
        resolution.body["service_hierarchical_state_machine_version_info"],
        json!([graph, 1])
    );
}
