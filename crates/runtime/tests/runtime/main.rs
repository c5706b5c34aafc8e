//! Turns of conversations, with models that answer from scripts, and with servers of models and tools that are played.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod behaviors;
mod endless;
mod injection;
mod judging;
mod limits;
mod memory;
mod people;
mod played;
mod protocols;
mod providers;
mod references;
mod requests;
mod speech;
mod states;
mod talk;
mod thoughts;
mod tools;
