//! Conversations as they run: walks context graphs, calls models and tools.
//!
//! Nothing here is stored and nobody is authorised: `app` reads what a conversation runs on, gives it to [`Runtime`] as
//! a [`Turn`], and keeps the [`TurnOutcome`]. Whoever stops waiting for an answer cancels it: all work is done in the
//! future that was asked for.

mod answer;
mod engine;
mod error;
mod http;
mod json;
mod judge;
mod limits;
mod models;
mod person;
mod prompt;
mod runtime;
mod text;
mod thought;
mod tools;
mod turn;

pub use error::RuntimeError;
pub use limits::Limits;
pub use models::{
    AnswerFormat, InvalidModels, InvalidScript, ModelRoute, Models, ProviderKind, ProviderSettings, Script,
};
pub use runtime::Runtime;
pub use tools::{InvalidTool, ToolSettings, Tools};
pub use turn::{
    AgentVersion, Behavior, Event, Ids, Incoming, Person, Setup, SimulatedTurn, Simulation, Turn,
    TurnOutcome, Verdict,
};
