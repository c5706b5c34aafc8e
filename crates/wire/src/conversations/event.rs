//! What a conversation tells while it runs: one JSON text a line.

use forge_domain::conversation::AgentAction;
use regex::{Regex, RegexBuilder};
use serde::Serialize;
use serde_json::Value;

/// The longest pattern, in characters.
const MAX_PATTERN: usize = 1000;

/// How much memory a compiled pattern may take, in bytes.
const MAX_COMPILED: usize = 256 * 1024;

/// Something that a conversation tells.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum ConversationEvent {
    ConversationCreated {
        conversation_id: String,
    },
    UserMessageAvailable {
        message_id: String,
        user_message: String,
    },
    CurrentAgentAction {
        action: Value,
    },
    NewMessage {
        message: String,
        /// Always null: there is no sound that the text could be aligned with.
        transcript_alignment: Option<()>,
        stop: bool,
        sequence_number: u32,
        message_id: String,
    },
    InteractionComplete {
        message_id: String,
        interaction_id: String,
        full_message: String,
        conversation_completed: bool,
    },
    Error {
        http_error_code: u16,
        error_description: String,
    },
}

impl ConversationEvent {
    /// Returns the event as a line.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        Ok(line)
    }
}

/// Which of the agent's steps somebody wants to be told, by a pattern on their types.
#[derive(Debug, Clone)]
pub struct ActionFilter(Regex);

/// The text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no regular expression that can be used: {0}")]
pub struct InvalidActionFilter(String);

impl std::str::FromStr for ActionFilter {
    type Err = InvalidActionFilter;

    fn from_str(pattern: &str) -> Result<Self, InvalidActionFilter> {
        if pattern.chars().count() > MAX_PATTERN {
            return Err(InvalidActionFilter(format!(
                "it has more than {MAX_PATTERN} characters"
            )));
        }
        let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build();
        built.map(Self).map_err(|error| {
            // The whole text draws the pattern over several lines; the last one says what is wrong.
            let text = error.to_string();
            InvalidActionFilter(text.lines().last().unwrap_or_default().trim().to_owned())
        })
    }
}

impl ActionFilter {
    /// Returns the event about a step of the agent, if it is wanted.
    pub fn event(&self, action: &AgentAction) -> Option<ConversationEvent> {
        let action = serde_json::to_value(action).ok()?;
        let is_wanted = self.0.is_match(action["type"].as_str()?);
        is_wanted.then_some(ConversationEvent::CurrentAgentAction { action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pattern: &str) -> bool {
        let action = AgentAction::NavigateStateMachineDecisionStateDecisionStarted {};
        pattern.parse::<ActionFilter>().unwrap().event(&action).is_some()
    }

    #[test]
    fn steps_are_told_by_a_pattern_on_their_type() {
        assert!(wanted("^.*$") && wanted("decision") && wanted("^navigate-state-machine-"));
        assert!(!wanted("^$") && !wanted("tool"));
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused() {
        for pattern in ["(", "(?=x)", "(a{1000}){1000}", &"x".repeat(MAX_PATTERN + 1)] {
            assert!(pattern.parse::<ActionFilter>().is_err(), "{pattern}");
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let event = ConversationEvent::NewMessage {
            message: "a\nb".to_owned(),
            transcript_alignment: None,
            stop: false,
            sequence_number: 0,
            message_id: "m".to_owned(),
        };
        let expected = r#"{"type":"new-message","message":"a\nb","transcript_alignment":null,"stop":false,"sequence_number":0,"message_id":"m"}"#;
        assert_eq!(event.line().unwrap(), format!("{expected}\n"));
    }
}
