//! The store on both engines: statements, schema, constraints, opening, transactions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod constraints;
mod conversations;
mod fresh;
mod opening;
mod page_cursors;
mod place;
mod rows;
mod schema;
mod sets;
mod shared_commits;
mod transactions;
mod yanks;
