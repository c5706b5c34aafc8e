//! The tools that a graph calls.

use forge_testkit::{KNOWN_TOOL, both_engines};
use serde_json::json;

use super::{UNKNOWN, add_version, new_graph, with};
use crate::support::graphs::{graph_of_every_type, tool_spec};

#[both_engines]
async fn tools_must_be_known_wherever_they_are_called(server: TestServer) {
    let id = new_graph(server.admin(), "g").await;
    for pointer in [
        "/states/0/action_tool_call_specs",
        "/states/0/exit_condition_tool_call_specs",
        "/states/2/tool_call_specs",
        "/states/5/tool_call_specs",
        "/states/6/tool_call_specs",
    ] {
        let document = |tool| {
            with(
                graph_of_every_type(),
                pointer,
                json!([tool_spec(KNOWN_TOOL), tool_spec(tool)]),
            )
        };
        for query in ["", "?dry_run=true"] {
            let refused = add_version(server.admin(), &id, query, document(UNKNOWN)).await;
            assert_eq!(refused.status, 404, "{pointer}");
            assert!(refused.detail().contains(UNKNOWN), "{}", refused.detail());
        }
        assert_eq!(
            add_version(server.admin(), &id, "", document(KNOWN_TOOL))
                .await
                .status,
            201
        );
    }
    let document = with(
        graph_of_every_type(),
        "/states/6/designated_tool/tool_id",
        json!(UNKNOWN),
    );
    assert_eq!(add_version(server.admin(), &id, "", document).await.status, 404);
}
