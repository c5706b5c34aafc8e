//! What a user's side brings to an interaction, and what may not be brought.

use crate::simulation::InitialMessageType;
use crate::time::Timestamp;

/// The longest message of the user's side, in characters.
///
/// Models read everything that was said again and again.
pub const MAX_MESSAGE_CHARACTERS: usize = 20_000;

/// How many external events may come with one message.
pub const MAX_EXTERNAL_EVENTS: usize = 50;

/// How many messages a conversation may have, the agent's thoughts included.
pub const MAX_MESSAGES: i64 = 5_000;

/// How many bytes a message and the external events that come with it may have together.
pub const MAX_SAID_BYTES: usize = 256 * 1024;

/// How many bytes of messages a conversation may have to go on, the agent's thoughts included.
pub const MAX_CONVERSATION_BYTES: i64 = 16 * 1024 * 1024;

/// What a conversation consists of before something is said.
///
/// The default is one that has not begun.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoFar {
    /// How many messages it has, the agent's thoughts included.
    pub messages: i64,
    /// How many bytes they have together.
    pub bytes: i64,
    /// When something was said last.
    pub last: Option<Timestamp>,
}

/// What reaches the agent at the beginning of an interaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInput {
    /// What the message is.
    pub message_type: InitialMessageType,
    /// The message; empty if it is skipped.
    pub message: String,
    /// What happened before it, in the order in which it happened.
    pub events: Vec<ExternalEvent>,
}

/// Something that happened outside of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalEvent {
    /// What happened.
    pub message: String,
    /// When.
    pub happened_at: Timestamp,
}

/// Why something cannot be said to the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what they mean")]
pub enum InvalidInput {
    #[error("the message is empty; say something, or let the agent speak with `skip`")]
    Empty,
    #[error("a skipped message has no text and no external events")]
    SkipWithContent,
    #[error("the message has more than {MAX_MESSAGE_CHARACTERS} characters; say it in several")]
    TooLong,
    #[error("external event {0} is empty")]
    EventEmpty(usize),
    #[error("external event {0} has more than {MAX_MESSAGE_CHARACTERS} characters")]
    EventTooLong(usize),
    #[error("there are more than {MAX_EXTERNAL_EVENTS} external events")]
    TooManyEvents,
    #[error("external event {0} is not in the past")]
    EventNotPast(usize),
    #[error(
        "external event {0} happened before the one in front of it; send them in the order of their times"
    )]
    EventOutOfOrder(usize),
    #[error("external event {0} happened before what was said last in the conversation")]
    EventTooEarly(usize),
    #[error("the conversation has {MAX_MESSAGES} messages or more; finish it and start another one")]
    ConversationTooLong,
    #[error(
        "the messages of the conversation have {MAX_CONVERSATION_BYTES} bytes or more; finish it and start another one"
    )]
    ConversationTooLarge,
    #[error(
        "the message and its external events have more than {MAX_SAID_BYTES} bytes together; say it in several"
    )]
    TooLarge,
}

impl UserInput {
    /// Returns every reason against saying this, now, to a conversation.
    ///
    /// External events are counted from 0.
    pub fn check(&self, now: Timestamp, so_far: SoFar) -> Vec<InvalidInput> {
        let mut reasons = Vec::new();
        if so_far.messages >= MAX_MESSAGES {
            reasons.push(InvalidInput::ConversationTooLong);
        }
        if so_far.bytes >= MAX_CONVERSATION_BYTES {
            reasons.push(InvalidInput::ConversationTooLarge);
        }
        let events: usize = self.events.iter().map(|event| event.message.len()).sum();
        if self.message.len() + events > MAX_SAID_BYTES {
            reasons.push(InvalidInput::TooLarge);
        }
        let is_skip = self.message_type == InitialMessageType::Skip;
        if is_skip && !(self.message.is_empty() && self.events.is_empty()) {
            reasons.push(InvalidInput::SkipWithContent);
        }
        if !is_skip && self.message.trim().is_empty() {
            reasons.push(InvalidInput::Empty);
        }
        if is_too_long(&self.message) {
            reasons.push(InvalidInput::TooLong);
        }
        if self.events.len() > MAX_EXTERNAL_EVENTS {
            reasons.push(InvalidInput::TooManyEvents);
        }
        let mut before = so_far.last;
        for (number, event) in self.events.iter().enumerate() {
            if event.message.trim().is_empty() {
                reasons.push(InvalidInput::EventEmpty(number));
            }
            if is_too_long(&event.message) {
                reasons.push(InvalidInput::EventTooLong(number));
            }
            if event.happened_at >= now {
                reasons.push(InvalidInput::EventNotPast(number));
            }
            if before.is_some_and(|before| event.happened_at < before) {
                reasons.push(match number {
                    0 => InvalidInput::EventTooEarly(0),
                    number => InvalidInput::EventOutOfOrder(number),
                });
            }
            before = Some(event.happened_at);
        }
        reasons
    }
}

fn is_too_long(text: &str) -> bool {
    // Most are shorter in bytes already, and those are known.
    text.len() > MAX_MESSAGE_CHARACTERS && text.chars().count() > MAX_MESSAGE_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn said(message: &str, events: &[(&str, i64)]) -> UserInput {
        let event = |(message, millis): &(&str, i64)| ExternalEvent {
            message: (*message).to_owned(),
            happened_at: Timestamp::from_millis(*millis),
        };
        UserInput {
            message_type: InitialMessageType::UserMessage,
            message: message.to_owned(),
            events: events.iter().map(event).collect(),
        }
    }

    fn check(said: &UserInput) -> Vec<InvalidInput> {
        let so_far = SoFar {
            messages: 4,
            bytes: 400,
            last: Some(Timestamp::from_millis(500_000)),
        };
        said.check(NOW, so_far)
    }

    #[test]
    fn a_message_says_something_and_is_not_endless() {
        assert_eq!(check(&said("hello", &[])), []);
        assert_eq!(check(&said(" \n", &[])), [InvalidInput::Empty]);
        assert_eq!(check(&said(&"ä".repeat(MAX_MESSAGE_CHARACTERS), &[])), []);
        assert_eq!(
            check(&said(&"x".repeat(MAX_MESSAGE_CHARACTERS + 1), &[])),
            [InvalidInput::TooLong]
        );
        let so_far = |messages, bytes| SoFar {
            messages,
            bytes,
            last: None,
        };
        assert_eq!(
            said("x", &[]).check(NOW, so_far(MAX_MESSAGES, 0)),
            [InvalidInput::ConversationTooLong]
        );
        assert_eq!(
            said("x", &[]).check(NOW, so_far(1, MAX_CONVERSATION_BYTES)),
            [InvalidInput::ConversationTooLarge]
        );
        assert_eq!(
            said("x", &[]).check(NOW, so_far(1, MAX_CONVERSATION_BYTES - 1)),
            []
        );
    }

    #[test]
    fn what_is_said_at_once_has_a_size_with_its_events() {
        let long = "😀".repeat(MAX_MESSAGE_CHARACTERS);
        assert_eq!(check(&said(&long, &[(&long, 600_000), (&long, 600_000)])), []);
        assert_eq!(
            check(&said(&long, &[(long.as_str(), 600_000); 3])),
            [InvalidInput::TooLarge]
        );
    }

    #[test]
    fn a_skip_says_nothing() {
        let skip = |message: &str, events: &[(&str, i64)]| UserInput {
            message_type: InitialMessageType::Skip,
            ..said(message, events)
        };
        assert_eq!(check(&skip("", &[])), []);
        assert_eq!(check(&skip("x", &[])), [InvalidInput::SkipWithContent]);
        assert_eq!(
            check(&skip("", &[("x", 600_000)])),
            [InvalidInput::SkipWithContent]
        );
    }

    #[test]
    fn external_events_lie_between_the_last_message_and_now_in_order() {
        assert_eq!(
            check(&said("x", &[("a", 500_000), ("b", 500_000), ("c", 999_999)])),
            []
        );
        assert_eq!(
            check(&said("x", &[("a", 499_999)])),
            [InvalidInput::EventTooEarly(0)]
        );
        assert_eq!(
            check(&said("x", &[("a", 1_000_000)])),
            [InvalidInput::EventNotPast(0)]
        );
        let reasons = check(&said("x", &[("a", 700_000), (" ", 600_000)]));
        assert_eq!(
            reasons,
            [InvalidInput::EventEmpty(1), InvalidInput::EventOutOfOrder(1)]
        );
        assert_eq!(
            said("x", &[("a", 1)]).check(NOW, SoFar::default()),
            [],
            "nothing was said yet"
        );
        let many = vec![("a", 600_000); MAX_EXTERNAL_EVENTS + 1];
        assert_eq!(check(&said("x", &many)), [InvalidInput::TooManyEvents]);
    }
}
