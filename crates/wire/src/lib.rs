//! The JSON of the API, exactly as clients see it.
//!
//! The modules hold the shapes of requests and answers and their conversion from and to the domain's types, each in the
//! file of its noun. What of a request is accepted at all is decided before, by the document in the crate
//! `forge-contract`.

pub mod api_keys;
pub mod assets;
pub mod audit;
pub mod behavior_sets;
pub mod changes;
pub mod conversations;
mod erasable;
pub mod health;
pub mod items;
pub mod json;
pub mod metrics;
pub mod models;
pub mod organizations;
pub mod personas;
pub mod promotion;
pub mod roles;
pub mod scenarios;
pub mod services;
pub mod sign_in;
pub mod temporary_grants;
mod time;
pub mod unit_test_set_runs;
pub mod unit_test_sets;
pub mod unit_tests;
pub mod users;
pub mod version_sets;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use time::{parse_rfc3339, rfc3339};

/// The answer of a creation.
#[derive(Debug, Serialize)]
pub struct Created<T> {
    /// The id of what was created.
    pub id: T,
}

/// Makes the answer of a list: the rows under `key`, and how to get the next ones.
pub fn page<T: Serialize>(key: &str, rows: &[T], continuation_token: Option<i64>) -> Map<String, Value> {
    let mut page = Map::new();
    page.insert(key.to_owned(), json!(rows));
    page.insert("has_more".to_owned(), continuation_token.is_some().into());
    page.insert("continuation_token".to_owned(), json!(continuation_token));
    page
}
