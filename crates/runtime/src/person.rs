//! What users say: proposals to people, and personas of simulations.

use forge_domain::conversation::{Message, MessageType};
use forge_domain::model::ModelPreferences;
use serde::Deserialize;

use crate::models::{Hints, ModelClient, Models, Request};
use crate::prompt::{self, Agent, Data};
use crate::{Limits, Person, RuntimeError, Setup, SimulatedTurn, Simulation};

/// How many answers are proposed at most.
const MOST_PROPOSALS: usize = 3;

pub(crate) async fn recommend(
    models: &Models,
    limits: &Limits,
    setup: &Setup,
    person: &Person,
    transcript: &[Message],
    context: &str,
) -> Result<Vec<String>, RuntimeError> {
    #[derive(Deserialize)]
    struct Proposed {
        responses: Vec<String>,
    }
    let agent = Agent {
        document: &setup.agent.document,
        person,
    };
    let mut data = Data::default();
    if !context.is_empty() {
        data.add([("context", context)]);
    }
    data.extend(heard(transcript, limits));
    let request = Request {
        llm_interaction: "recommend-responses",
        prompt: prompt::recommend_responses(agent, MOST_PROPOSALS, data),
        hints: hints(transcript),
    };
    let read = |text: &str| {
        let Proposed { responses } = crate::answer::object(text)?;
        let said = responses
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty());
        let said: Vec<String> = said.take(MOST_PROPOSALS).map(str::to_owned).collect();
        if said.is_empty() {
            Err("`responses` is empty".to_owned())
        } else {
            Ok(said)
        }
    };
    ModelClient::new(models, &setup.models, limits)
        .ask(request, read)
        .await
}

pub(crate) async fn speak_as(
    models: &Models,
    limits: &Limits,
    simulation: Simulation<'_>,
    preferences: &ModelPreferences,
    transcript: &[Message],
) -> Result<SimulatedTurn, RuntimeError> {
    #[derive(Deserialize)]
    struct Said {
        message: Option<String>,
    }
    let is_first = transcript.is_empty();
    let request = Request {
        llm_interaction: "simulate-user",
        prompt: prompt::simulate_user(simulation, is_first, heard(transcript, limits)),
        hints: hints(transcript),
    };
    let mut client = ModelClient::new(models, preferences, limits);
    let read = |text: &str| {
        let Said { message } = crate::answer::object(text)?;
        let message = message
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty());
        if is_first && message.is_none() {
            return Err("the conversation has not begun yet: `message` must be a text".to_owned());
        }
        Ok(message)
    };
    let message = client.ask(request, read).await?;
    Ok(SimulatedTurn {
        message,
        model_calls: client.into_calls(),
    })
}

/// Returns what a user knows of a conversation: all but the agent's thoughts.
fn heard(transcript: &[Message], limits: &Limits) -> Data {
    let is_heard = |message: &&Message| message.message_type != MessageType::AgentInnerThought;
    prompt::conversation(transcript.iter().filter(is_heard), limits.prompt_bytes / 2)
}

/// Returns what a script decides by: here, what the user was told last.
fn hints(transcript: &[Message]) -> Hints<'_> {
    let is_agent = |message: &&Message| message.message_type == MessageType::AgentMessage;
    let said = transcript
        .iter()
        .rev()
        .find(is_agent)
        .map_or("", |message| &message.message);
    Hints {
        said,
        turn: u32::try_from(transcript.iter().filter(is_agent).count())
            .unwrap_or(u32::MAX)
            .saturating_add(1),
        ..Hints::default()
    }
}
