//! The API over its router, on both engines. Every answer is held against the contract by the client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod api_keys;
mod audit_events;
mod bad_input;
mod commits;
mod context_graphs;
mod conversations;
mod costs;
mod diff;
mod heads;
mod health;
mod idempotency;
mod items;
mod limits;
mod linearizability;
mod maintenance;
mod memory;
mod names;
mod openapi;
mod organization_changes;
mod organizations;
mod outages;
mod page_sizes;
mod paging;
mod promotion;
mod rate_limits;
mod rebind;
mod resolve;
mod rights;
mod roles;
mod rollback;
mod rules;
mod secrets;
mod services;
mod settled;
mod sign_in;
mod simulation;
mod strict;
mod strict_everywhere;
mod temporary_grants;
mod unauthorized;
mod users;
mod version_sets;
mod watch;
