//! A server for tests, on either engine, and clients that hold every answer against the contract.
//!
//! ```text
//! #[both_engines]
//! async fn an_agent_is_created(server: TestServer) {
//!     let agent = server.admin().post("organization/agent", json!({"agent_name": "Mira"})).await;
//!     assert_eq!(agent.status, 201);
//! }
//! ```

mod budget;
mod client;
mod clock;
mod database;
mod dice;
mod examples;
pub mod load;
pub mod record;
mod search;
mod server;

pub use budget::Budget;
pub use client::{TestClient, TestResponse, form};
pub use clock::TestClock;
pub use database::{Engine, TestDatabase};
pub use dice::Dice;
pub use examples::{agent_version, context_graph_version, service_body, version_set};
pub use forge_testkit_macros::both_engines;
pub use search::{SearchError, Summary, search};
pub use server::{KNOWN_TOOL, TestServer, limits};

/// What [`both_engines`] makes of a test.
#[doc(hidden)]
#[macro_export]
macro_rules! on_both_engines {
    ($(#[$attribute:meta])* async fn $name:ident($argument:ident: $type:ident $(,)?) $body:block) => {
        $(#[$attribute])* mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "not every test uses what its file imports")]
            use super::*;

            async fn on_one_engine($argument: $crate::$type) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on_one_engine($crate::$type::start($crate::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if $crate::Engine::Postgres.is_available() {
                    on_one_engine($crate::$type::start($crate::Engine::Postgres).await).await;
                }
            }
        }
    };
}
