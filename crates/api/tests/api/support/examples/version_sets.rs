//! Examples of operations on version sets and versions.

use forge_testkit::{TestServer, version_set};
use serde_json::{Value, json};

/// Adds sets: two plain ones, one that can go back, and one that did and is held since.
pub(crate) async fn add_sets(server: &TestServer, sets: &str) {
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

/// Returns examples about what moves a set, and what tells of it.
pub(crate) fn examples_of_release(sets: &str, service: &str) -> Vec<(&'static str, String, Option<Value>)> {
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
pub(crate) fn examples_of_versions(
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
