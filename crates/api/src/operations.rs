//! Which function answers which operation.

use std::collections::BTreeMap;

use axum::body::Bytes;
use forge_contract::{Operation, contract};
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::caller::{CallerKind, Identification};
use crate::endpoint::{Answering, Endpoint};
use crate::reply::Answer;
use crate::routes;
use crate::server::Server;

/// The operation that tells all operations, itself included.
const OPENAPI: &str = "get-openapi";

/// What answers an operation.
pub(crate) enum Answerer {
    /// The endpoint of an operation that belongs to an organization, and what it wants to know of its caller.
    Endpoint(Identification, Endpoint),
    /// A function of the server alone.
    Plain(Box<dyn Fn(Server) -> Answering + Send + Sync>),
}

/// Collects the operations; methods and paths come from the contract.
#[derive(Default)]
pub(crate) struct Operations(BTreeMap<&'static str, (&'static Operation, Answerer)>);

impl Operations {
    /// Adds an operation that belongs to an organization.
    fn add<P, Q, B, C, F, Fut>(self, id: &'static str, handle: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        C: CallerKind,
        F: Fn(Call<P, Q, B, C>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send,
    {
        let identification = C::IDENTIFICATION;
        self.insert(id, Answerer::Endpoint(identification, Endpoint::new(handle)))
    }

    /// Adds an operation of the server itself.
    fn add_plain<F, Fut>(self, id: &'static str, handle: F) -> Self
    where
        F: Fn(Server) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let answer = move |server: Server| -> Answering { Box::pin(handle(server)) };
        self.insert(id, Answerer::Plain(Box::new(answer)))
    }

    #[expect(
        clippy::panic,
        reason = "the router is made at start, and every test makes it"
    )]
    fn insert(mut self, id: &'static str, answerer: Answerer) -> Self {
        let operation = contract()
            .operation(id)
            .unwrap_or_else(|| panic!("the contract has no operation `{id}`"));
        if let Answerer::Endpoint(identification, _) = &answerer {
            assert_eq!(
                operation.needs_user,
                identification.needs_user(),
                "`{id}` and the contract differ about credentials"
            );
        }
        self.0.insert(id, (operation, answerer));
        self
    }

    /// Returns the ids of the operations.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

impl IntoIterator for Operations {
    type Item = (&'static Operation, Answerer);
    type IntoIter = std::collections::btree_map::IntoValues<&'static str, Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

/// Returns all operations, each with what answers it.
pub(crate) fn operations() -> Operations {
    let operations = add_conversations(add_simulations(add_items(add_core(Operations::default()))));
    let ids = operations.ids().chain([OPENAPI]).collect();
    let document = Bytes::from(contract().serving(&ids).to_string());
    operations.add_plain(OPENAPI, move |_| {
        std::future::ready(Ok(routes::server::openapi::answer(document.clone())))
    })
}

/// Adds the operations on organizations and who acts in them, on what is released, and on the server.
fn add_core(operations: Operations) -> Operations {
    use routes::{
        agents, api_keys, assets, audit_events, changes, context_graphs, models, organizations, roles,
        server, services, temporary_grants, users, version_sets,
    };
    operations
        .add("sign-in-with-api-key", users::sign_in::handle)
        .add("create-invited-user", users::invite::handle)
        .add("get-users", users::list::handle)
        .add("update-user-info", users::update::handle)
        .add("delete-user", users::delete::handle)
        .add("create-role", roles::create::handle)
        .add("get_roles_v1__organization__role__get", roles::list::handle)
        .add("modify-role", roles::modify::handle)
        .add("assign-role", roles::assign::handle)
        .add(
            "create-temporary-permission-grant",
            temporary_grants::create::handle,
        )
        .add("get-temporary-permission-grants", temporary_grants::list::handle)
        .add("create-api-key", api_keys::create::handle)
        .add("get-api-keys", api_keys::list::handle)
        .add("delete-api-key", api_keys::delete::handle)
        .add("create-organization", organizations::create::handle)
        .add("modify-organization", organizations::modify::handle)
        .add("get-organization", organizations::get::handle)
        .add("create-agent", assets::create::agent)
        .add("get-agents", assets::list::agents)
        .add("create-agent-version", agents::create_version::handle)
        .add("get-agent-versions", assets::list_versions::agent)
        .add("delete-agent", assets::delete::agent)
        .add(
            "create-service-hierarchical-state-machine",
            assets::create::context_graph,
        )
        .add(
            "get-service-hierarchical-state-machines",
            assets::list::context_graphs,
        )
        .add(
            "create-service-hierarchical-state-machine-version",
            context_graphs::create_version::handle,
        )
        .add(
            "get-service-hierarchical-state-machine-versions",
            assets::list_versions::context_graph,
        )
        .add(
            "delete-service-hierarchical-state-machine",
            assets::delete::context_graph,
        )
        .add("get-services", services::list::handle)
        .add("create-service", services::create::handle)
        .add("update-service", services::update::handle)
        .add("upsert-service-version-set", version_sets::upsert::handle)
        .add("delete-service-version-set", version_sets::delete::handle)
        .add("get-version-sets", version_sets::list::handle)
        .add("get-version-set", version_sets::get::handle)
        .add("resolve-version-set", version_sets::resolve::handle)
        .add("compare-version-sets", version_sets::diff::handle)
        .add("get-version-set-history", version_sets::history::handle)
        .add("promote-version-set", version_sets::promote::handle)
        .add("roll-back-version-set", version_sets::rollback::handle)
        .add("lift-version-set-hold", version_sets::lift_hold::handle)
        .add("promote-version-sets", version_sets::promote_many::handle)
        .add("get-service-health", services::health::handle)
        .add("get-agent-version-references", assets::references::agent)
        .add("yank-agent-version", assets::yank::agent)
        .add("unyank-agent-version", assets::yank::agent_back)
        .add(
            "get-service-hierarchical-state-machine-version-references",
            assets::references::context_graph,
        )
        .add(
            "yank-service-hierarchical-state-machine-version",
            assets::yank::context_graph,
        )
        .add(
            "unyank-service-hierarchical-state-machine-version",
            assets::yank::context_graph_back,
        )
        .add("watch-organization", changes::watch::handle)
        .add("get-audit-events", audit_events::list::handle)
        .add("get-audit-head", audit_events::head::handle)
        .add("export-audit-events", audit_events::export::handle)
        .add("get-models", models::list::handle)
        .add_plain("get-liveness", server::health::live)
        .add_plain("get-readiness", server::health::ready)
}

/// Adds the operations on dynamic behavior sets, metrics, personas and scenarios.
fn add_items(operations: Operations) -> Operations {
    use routes::{behavior_sets, metrics, personas, scenarios};
    operations
        .add("create-dynamic-behavior-set", behavior_sets::create::handle)
        .add("get-dynamic-behavior-sets", behavior_sets::list::handle)
        .add("search-dynamic-behavior-sets", behavior_sets::search::handle)
        .add("update-dynamic-behavior-set", behavior_sets::update::handle)
        .add(
            "delete-dynamic-behavior-instruction",
            behavior_sets::delete::handle,
        )
        .add(
            "create-dynamic-behavior-set-version",
            behavior_sets::create_version::handle,
        )
        .add(
            "get-dynamic-behavior-set-versions",
            behavior_sets::list_versions::handle,
        )
        .add(
            "get-dynamic-behavior-invocations",
            behavior_sets::invocations::handle,
        )
        .add("evaluate-metrics", metrics::evaluate::handle)
        .add("get-metric-evaluation-results", metrics::results::handle)
        .add("create-metric", metrics::create::handle)
        .add("get-metrics", metrics::list::handle)
        .add("update-metric", metrics::update::handle)
        .add("delete-metric", metrics::delete::handle)
        .add("create-simulation-persona", personas::create::handle)
        .add("get-simulation-personas", personas::list::handle)
        .add("search-simulation-personas", personas::search::handle)
        .add("update-simulation-persona", personas::update::handle)
        .add("delete-simulation-persona", personas::delete::handle)
        .add(
            "create-simulation-persona-version",
            personas::create_version::handle,
        )
        .add("get-simulation-persona-versions", personas::list_versions::handle)
        .add("create-simulation-scenario", scenarios::create::handle)
        .add("get-simulation-scenarios", scenarios::list::handle)
        .add("search-simulation-scenarios", scenarios::search::handle)
        .add("update-simulation-scenario", scenarios::update::handle)
        .add("delete-simulation-scenario", scenarios::delete::handle)
        .add(
            "create-simulation-scenario-version",
            scenarios::create_version::handle,
        )
        .add(
            "get-simulation-scenario-versions",
            scenarios::list_versions::handle,
        )
}

/// Adds the operations on unit tests, sets of them and runs.
fn add_simulations(operations: Operations) -> Operations {
    use routes::{unit_test_set_runs, unit_test_sets, unit_tests};
    operations
        .add("create-simulation-unit-test", unit_tests::create::handle)
        .add("get-simulation-unit-tests", unit_tests::list::handle)
        .add("update-simulation-unit-test", unit_tests::update::handle)
        .add("delete-simulation-unit-test", unit_tests::delete::handle)
        .add("search-simulation-unit-tests", unit_tests::search::handle)
        .add("create-simulation-unit-test-set", unit_test_sets::create::handle)
        .add("get-simulation-unit-test-sets", unit_test_sets::list::handle)
        .add("update-simulation-unit-test-set", unit_test_sets::update::handle)
        .add("delete-simulation-unit-test-set", unit_test_sets::delete::handle)
        .add("search-simulation-unit-test-sets", unit_test_sets::search::handle)
        .add(
            "create-simulation-unit-test-set-run",
            unit_test_set_runs::create::handle,
        )
        .add(
            "get-simulation-unit-test-set-runs",
            unit_test_set_runs::list::handle,
        )
        .add(
            "get-simulation-unit-test-set-run-artifacts",
            unit_test_set_runs::artifacts::handle,
        )
        .add(
            "download-simulation-unit-test-set-run-artifacts",
            unit_test_set_runs::download::handle,
        )
        .add(
            "cancel-simulation-unit-test-set-run",
            unit_test_set_runs::cancel::handle,
        )
}

/// Adds the operations on conversations.
fn add_conversations(operations: Operations) -> Operations {
    use routes::conversations;
    operations
        .add("create-conversation", conversations::create::handle)
        .add("interact-with-conversation", conversations::interact::handle)
        .add("finish-conversation", conversations::finish::handle)
        .add("delete-conversation", conversations::delete::handle)
        .add("get-conversations", conversations::list::handle)
        .add("get-conversation-messages", conversations::messages::handle)
        .add("get-interaction-insights", conversations::insights::handle)
        .add(
            "recommend-responses-for-interaction",
            conversations::recommend::handle,
        )
}
