//! What the rest of Forge calls.

use std::future::Future;
use std::time::Duration;

use forge_domain::agent::AgentDocument;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::conversation::Message;
use forge_domain::metric::MetricDocument;
use forge_domain::model::ModelPreferences;
use forge_domain::prompt::LongPrompt;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::{
    Event, Limits, Models, Person, RuntimeError, Setup, SimulatedTurn, Simulation, Tools, Turn, TurnOutcome,
    Verdict,
};

/// Runs conversations with the models and tools of an installation.
///
/// The default one has neither.
#[derive(Debug, Default)]
pub struct Runtime {
    models: Models,
    tools: Tools,
    limits: Limits,
}

impl Runtime {
    /// Creates a runtime.
    pub fn new(models: Models, tools: Tools, limits: Limits) -> Self {
        Self {
            models,
            tools,
            limits,
        }
    }

    /// Takes one turn of a conversation.
    ///
    /// What happens is told to `events` as it happens; nobody has to listen to the end. Whoever drops the future
    /// cancels the turn.
    pub async fn interact(
        &self,
        turn: Turn<'_>,
        events: &Sender<Event>,
    ) -> Result<TurnOutcome, RuntimeError> {
        let walk = crate::engine::Walk::new(&self.models, &self.tools, &self.limits, turn, events);
        within(self.limits.turn_time, walk.run()).await
    }

    /// Returns how many bytes of messages are enough for every prompt that tells of a conversation.
    ///
    /// Prompts leave some of them out, and nobody has to hold more.
    pub fn transcript_bytes(&self) -> usize {
        self.limits.prompt_bytes.saturating_mul(4).max(256 * 1024)
    }

    /// Returns `true` if documents of so many bytes, those of an agent and a context graph together, may make a prompt
    /// that is too long; only then [`Self::long_prompt`] need be asked.
    pub fn may_have_long_prompt(&self, document_bytes: usize) -> bool {
        crate::prompt::may_be_longer(document_bytes, self.limits.prompt_bytes)
    }

    /// Returns the longest prompt of an agent in a context graph's own states, if it is too long before anybody has
    /// said a word.
    pub fn long_prompt(&self, agent: &AgentDocument, graph: &ContextGraphDocument) -> Option<LongPrompt> {
        let most = self.limits.prompt_bytes;
        let bytes = crate::prompt::longest(agent, graph);
        (bytes > most).then_some(LongPrompt { bytes, most })
    }

    /// Proposes what the user may want to say next.
    pub async fn recommend(
        &self,
        setup: &Setup,
        person: &Person,
        transcript: &[Message],
        context: &str,
    ) -> Result<Vec<String>, RuntimeError> {
        let work = crate::person::recommend(&self.models, &self.limits, setup, person, transcript, context);
        within(self.limits.turn_time, work).await
    }

    /// Judges a conversation by a metric.
    ///
    /// A metric whose description begins with a check needs no model.
    pub async fn judge(
        &self,
        metric: &MetricDocument,
        models: &ModelPreferences,
        transcript: &[Message],
    ) -> Result<Verdict, RuntimeError> {
        let work = crate::judge::judge(&self.models, &self.limits, metric, models, transcript);
        within(self.limits.turn_time, work).await
    }

    /// Says what a persona says next in a scenario.
    pub async fn speak_as(
        &self,
        simulation: Simulation<'_>,
        models: &ModelPreferences,
        transcript: &[Message],
    ) -> Result<SimulatedTurn, RuntimeError> {
        let work = crate::person::speak_as(&self.models, &self.limits, simulation, models, transcript);
        within(self.limits.turn_time, work).await
    }
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, RuntimeError>>,
) -> Result<T, RuntimeError> {
    let too_long = |_| {
        Err(RuntimeError::Limit(format!(
            "it took longer than {} seconds",
            time.as_secs_f64()
        )))
    };
    timeout(time, work).await.unwrap_or_else(too_long)
}
