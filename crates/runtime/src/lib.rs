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

use forge_domain::conversation::Message;
use tokio::sync::mpsc::Sender;

/// Runs conversations with the models and tools of an installation.
#[derive(Debug, Default)]
pub struct Runtime {}

impl Runtime {
    /// Takes a turn. Events are told while it is taken; whoever drops the future cancels it.
    pub async fn interact(&self, turn: Turn<'_>, _events: &Sender<Event>) -> Result<Outcome, RuntimeError> {
        let _ = turn;
        std::future::ready(Err(Self::no_models("engage-user"))).await
    }

    /// Proposes what a person may say next.
    pub async fn recommend(
        &self,
        _setup: &Setup,
        _person: &Person,
        _transcript: &[Message],
        _context: &str,
    ) -> Result<Vec<String>, RuntimeError> {
        std::future::ready(Err(Self::no_models("recommend-responses"))).await
    }

    fn no_models(interaction: &str) -> RuntimeError {
        RuntimeError::NoProvider {
            interaction: interaction.to_owned(),
            model: String::new(),
        }
    }
}
