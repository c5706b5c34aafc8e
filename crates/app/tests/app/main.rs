//! Use cases on both engines: races, and invariants under any sequence of calls.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conversations;
mod invariants;
mod privileges;
mod races;

use forge_app::AppError;
use forge_app::assets::{self, agents, context_graphs};
use forge_domain::access::DefaultRole;
use forge_domain::asset::AssetId;
use forge_domain::version_set::RequestedPins;
use forge_testkit::{Engine, TestServer};
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

/// Returns a caller who may do everything.
fn super_administrator(server: &TestServer) -> forge_app::Caller {
    server.caller(DefaultRole::SuperAdministrator.grants())
}

fn pins(agent: impl Into<Option<i64>>, context_graph: impl Into<Option<i64>>) -> RequestedPins {
    RequestedPins {
        agent_version_number: agent.into(),
        context_graph_version_number: context_graph.into(),
        llm_model_preferences: forge_domain::model::ModelPreferences::new(),
    }
}

/// Returns `true` if an error says that a rule or a conflict stood against the call: anything else is a fault of ours.
fn is_refusal(error: &AppError) -> bool {
    matches!(
        error,
        AppError::Refused(_)
            | AppError::Blocked(_)
            | AppError::Conflict(_)
            | AppError::NotFound(_)
            | AppError::Gone { .. }
    )
}

/// Adds a version to an agent or a context graph.
async fn add_version(server: &TestServer, id: AssetId, expected: Option<i64>) -> Result<i64, AppError> {
    let caller = super_administrator(server);
    let expected = expected.map(|number| number.try_into().unwrap());
    let created = match id {
        AssetId::Agent(id) => {
            let change = serde_json::from_value(forge_testkit::agent_version()).unwrap();
            agents::create_version(forge_app::Ctx::new(&server.app, &caller), id, expected, change).await?
        }
        AssetId::ContextGraph(id) => {
            let document = serde_json::from_value(forge_testkit::context_graph_version()).unwrap();
            context_graphs::create_version(forge_app::Ctx::new(&server.app, &caller), id, expected, &document)
                .await?
        }
    };
    Ok(created.value.0.get())
}

/// Returns the newest version of an agent or a context graph.
async fn latest(server: &TestServer, id: AssetId) -> i64 {
    let query = assets::ListAssets {
        ids: vec![id],
        is_deprecated: None,
        limit: 1,
        continuation_token: 0,
    };
    let page = assets::list(
        forge_app::Ctx::new(&server.app, &super_administrator(server)),
        id.kind(),
        &query,
    )
    .await
    .unwrap();
    page.items[0]
        .latest_version
        .map_or(0, forge_domain::VersionNumber::get)
}

/// Returns what a property over a server needs: a runtime, and a runner of so many cases.
///
/// Nothing where the engine is not there.
fn property(engine: Engine, cases: u32) -> Option<(Runtime, TestRunner)> {
    if !engine.is_available() {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    Some((runtime, TestRunner::new(config)))
}
