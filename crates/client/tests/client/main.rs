//! The client against a server that answers what a script says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod paging;
mod resolving;
mod retries;
mod scripted;
mod streams;
mod tokens;
