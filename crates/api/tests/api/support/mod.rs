//! What the tests of several subjects need: one file for each kind of it.

pub(crate) mod assertions;
pub(crate) mod bodies;
pub(crate) mod connections;
pub(crate) mod examples;
pub(crate) mod grants;
pub(crate) mod graphs;
pub(crate) mod ids;
pub(crate) mod items;
pub(crate) mod models;
pub(crate) mod operations;
pub(crate) mod organization;
pub(crate) mod pages;
pub(crate) mod releases;
pub(crate) mod revisions;
pub(crate) mod users;
