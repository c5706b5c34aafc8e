//! What a model is told that writes for a user.

use forge_domain::simulation::InitialMessageType;

use super::{Agent, Data, Prompt, Shape, Text};
use crate::Simulation;

/// What the user may want to answer.
pub(crate) fn recommend_responses(agent: Agent<'_>, most: usize, data: Data) -> Prompt {
    let mut text = Text::default();
    let identity = &agent.document.identity;
    text.line(&format!(
        "A user talks with {}, {}.",
        identity.name, identity.role
    ));
    text.line(&format!(
        "\nPropose up to {most} short messages that the user may want to send next, each of another kind, in the user's \
         own words and language. Answer with nothing but JSON: {{\"responses\": [\"MESSAGE\"]}}"
    ));
    Prompt::new(
        text,
        data,
        "Which messages? Answer with JSON only: {\"responses\": [\"MESSAGE\"]}.",
        Shape::texts("responses"),
    )
}

/// What a persona says next.
pub(crate) fn simulate_user(simulation: Simulation<'_>, is_first: bool, data: Data) -> Prompt {
    let Simulation {
        persona,
        name,
        role,
        scenario,
    } = simulation;
    let mut text = Text::default();
    text.line(&format!(
        "You play {name}, {role}, who talks with an agent. You are the user, never the agent."
    ));
    text.section("Your background", &persona.background);
    text.list(
        "What is known of you",
        persona.user_models.iter().map(String::as_str),
    );
    let variables: Vec<String> = persona
        .nonsensitive_user_variables
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    text.list("Your particulars", variables.iter().map(String::as_str));
    text.section("What you are after", &scenario.objective);
    text.section("How you go about it", &scenario.instructions);
    if let Some(language) = &persona.preferred_language {
        text.line(&format!("\nYou speak the language `{language}`."));
    }
    if is_first && scenario.initial_message_type == InitialMessageType::ExternalEvent {
        text.line(
            "\nYou have not spoken yet: describe, as a message, the event that the conversation begins with.",
        );
    }
    text.line(
        "\nStay who you are, and say what this person would say next, briefly. If they have what they are after, or would \
         leave, say nothing. Answer with nothing but JSON: {\"message\": \"WHAT YOU SAY\"}, or {\"message\": null} if you \
         are done.",
    );
    Prompt::new(
        text,
        data,
        "What do you say next? Answer with JSON only: {\"message\": \"WHAT YOU SAY\"} or {\"message\": null}.",
        Shape::optional_text("message"),
    )
}
