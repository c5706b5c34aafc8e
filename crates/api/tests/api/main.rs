//! The API over its router, on both engines. Every answer is held against the contract by the client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod bad_input;
mod context_graphs;
mod openapi;
mod organizations;
mod services;
mod sign_in;
mod unauthorized;
mod version_sets;
