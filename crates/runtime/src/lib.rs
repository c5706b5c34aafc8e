//! Conversations as they run: walks context graphs, calls models and tools.
//!
//! Nothing here is stored and nobody is authorised: `app` reads what a conversation runs on, gives it to [`Runtime`] as
//! a [`Turn`], and keeps the [`Outcome`]. Whoever stops waiting for an answer cancels it: all work is done in the
//! future that was asked for.

mod error;
mod turn;

pub use error::RuntimeError;
pub use turn::{
    AgentVersion, Arrival, Behavior, Event, Ids, Outcome, Person, Setup, SimulatedTurn, Simulation, Turn,
    Verdict,
};

/// Runs conversations with the models and tools of an installation.
#[derive(Debug, Default)]
pub struct Runtime {}
