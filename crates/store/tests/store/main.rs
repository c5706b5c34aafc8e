//! The store on both engines: statements, schema, constraints, opening, transactions.

mod constraints;
mod opening;
mod schema;
mod transactions;
