//! Turns of conversations, with models that answer from scripts.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod states;
mod talk;
