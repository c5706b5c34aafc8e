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
pub mod unit_test_set_runs;
pub mod unit_test_sets;
pub mod unit_tests;
pub mod users;
pub mod version_sets;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use forge_domain::{parse_rfc3339, rfc3339};

/// The answer of a creation.
#[derive(Debug, Serialize)]
pub struct Created<T> {
    /// The id of what was created.
    pub id: T,
}

/// The answer of a list: the rows under a key, how to get the next ones, and what else is told.
#[derive(Debug)]
pub struct Page<R> {
    key: &'static str,
    rows: R,
    continuation_token: Option<i64>,
    more: Map<String, Value>,
}

impl<R> Page<R> {
    /// Builds the answer of a list of these rows, which are told as an array.
    pub fn new(key: &'static str, rows: R, continuation_token: Option<i64>) -> Self {
        Self {
            key,
            rows,
            continuation_token,
            more: Map::new(),
        }
    }

    /// Adds what else is told.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.more.insert(name.to_owned(), json!(value));
        self
    }
}

impl<R: Serialize> Serialize for Page<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_map(None)?;
        page.serialize_entry(self.key, &self.rows)?;
        page.serialize_entry("has_more", &self.continuation_token.is_some())?;
        page.serialize_entry("continuation_token", &self.continuation_token)?;
        for (name, value) in &self.more {
            page.serialize_entry(name, value)?;
        }
        page.end()
    }
}
