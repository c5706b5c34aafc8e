//! What is sent to conversations.

use std::collections::HashMap;

use forge_domain::ServiceId;
use forge_domain::conversation::{ExternalEvent, UserInput};
use forge_domain::fault::Fault;
use forge_domain::simulation::InitialMessageType;
use forge_domain::tag::Tags;
use serde::Deserialize;

use crate::parse_rfc3339;

/// The body that starts a conversation.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateConversation {
    pub service_id: ServiceId,
    #[serde(default = "release")]
    pub service_version_set_name: String,
    #[serde(default)]
    pub initial_message: Option<String>,
    #[serde(default)]
    pub initial_message_type: Option<InitialType>,
    #[serde(default)]
    pub tags: Tags,
}

fn release() -> String {
    "release".to_owned()
}

/// What the message is that a conversation begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the contract's")]
pub enum InitialType {
    UserMessage,
    ExternalEvent,
}

impl CreateConversation {
    /// Returns what the conversation begins with; nothing lets the agent speak first.
    pub fn said(&self) -> Result<Option<UserInput>, Vec<Fault>> {
        let message_type = match (&self.initial_message, self.initial_message_type) {
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                let loc = vec!["body".into(), "initial_message_type".into()];
                let msg = "there is no `initial_message` whose type this could be; send both or neither";
                return Err(vec![Fault::new(loc, "without_message", msg)]);
            }
            (Some(_), None | Some(InitialType::UserMessage)) => InitialMessageType::UserMessage,
            (Some(_), Some(InitialType::ExternalEvent)) => InitialMessageType::ExternalEvent,
        };
        Ok(Some(UserInput {
            message_type,
            message: self.initial_message.clone().unwrap_or_default(),
            events: Vec::new(),
        }))
    }
}

/// The body that asks for proposals.
#[derive(Debug, Deserialize)]
pub struct RecommendResponses {
    /// In what context; by default that of a typical user.
    #[serde(default = "typical_user")]
    pub context: String,
}

fn typical_user() -> String {
    "\nPERSONA:\nName: User\nBackground: A typical person seeking this service.\n---\nSCENARIO:\nName: Complete \
        Service\nObjective: Successfully complete the service interaction.\nInstructions: Engage naturally with the \
        agent to achieve the service objective.\n"
        .to_owned()
}

/// A form: each field's values in the order in which they were sent.
///
/// What is no text is nothing.
pub type Form = HashMap<String, Vec<Option<String>>>;

const TYPE: &str = "initial_message_type";
const MESSAGE: &str = "recorded_message";
const CONTENT: &str = "external_event_message_content";
const TIME: &str = "external_event_message_timestamp";

/// Returns what a form says to a conversation.
///
/// Whether that can be said is for a rule to decide.
pub fn form_fields(form: &Form) -> Result<UserInput, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fault = |field: &str, kind, msg: &str| {
        faults.push(Fault::new(vec!["body".into(), field.into()], kind, msg));
    };
    for field in [TYPE, MESSAGE, CONTENT, TIME] {
        if form.get(field).is_some_and(|values| values.contains(&None)) {
            fault(
                field,
                "string_unicode",
                "expected a text in UTF-8 without the NUL character",
            );
        }
    }
    // Which of them counts would be a guess.
    for field in [TYPE, MESSAGE] {
        if form.get(field).is_some_and(|values| values.len() > 1) {
            fault(field, "duplicate", "this is given more than once; give it once");
        }
    }
    let all = |field: &str| -> Vec<&String> { form.get(field).into_iter().flatten().flatten().collect() };
    let message_type = match all(TYPE).last().map(|text| text.as_str()) {
        Some("user-message") => Some(InitialMessageType::UserMessage),
        Some("external-event") => Some(InitialMessageType::ExternalEvent),
        Some("skip") => Some(InitialMessageType::Skip),
        Some(_) => {
            fault(
                TYPE,
                "enum",
                "expected `user-message`, `external-event` or `skip`",
            );
            None
        }
        None => {
            fault(TYPE, "missing", "this field is required");
            None
        }
    };
    let message = all(MESSAGE).pop();
    if !form.contains_key(MESSAGE) {
        fault(
            MESSAGE,
            "missing",
            "this field is required; a skipped message is empty",
        );
    }
    if all(CONTENT).len() != all(TIME).len() {
        let msg = "there must be as many times as contents: one for each external event";
        fault(TIME, "length", msg);
    }
    if all(CONTENT).iter().any(|text| text.is_empty()) {
        fault(CONTENT, "string_too_short", "an external event has a text");
    }
    if message_type == Some(InitialMessageType::Skip) {
        if message.is_some_and(|message| !message.is_empty()) {
            fault(MESSAGE, "string_too_long", "a skipped message is empty");
        }
        if !all(CONTENT).is_empty() {
            let msg = "external events cannot be sent with a skip; send them with the next message";
            fault(CONTENT, "too_long", msg);
        }
    }
    let mut times = Vec::new();
    for text in all(TIME) {
        match parse_rfc3339(text) {
            Some(time) => times.push(time),
            None => fault(
                TIME,
                "format",
                "expected times in RFC 3339 with an offset, such as 2026-11-23T15:29:16Z",
            ),
        }
    }
    match (message_type, message) {
        (Some(message_type), Some(message)) if faults.is_empty() => Ok(UserInput {
            message_type,
            message: message.trim().to_owned(),
            events: all(CONTENT)
                .iter()
                .zip(times)
                .map(|(message, happened_at)| ExternalEvent {
                    message: message.trim().to_owned(),
                    happened_at,
                })
                .collect(),
        }),
        _ => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Result<UserInput, Vec<String>> {
        let mut form = Form::new();
        for (name, value) in fields {
            form.entry((*name).to_owned())
                .or_default()
                .push(Some((*value).to_owned()));
        }
        form_fields(&form).map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_form_says_what_is_said_and_what_happened_before() {
        let said = read(&[
            (TYPE, "user-message"),
            (MESSAGE, " hello\n"),
            (CONTENT, "the parcel was sent"),
            (CONTENT, "the parcel arrived"),
            (TIME, "2026-11-23T12:00:00Z"),
            (TIME, "2026-11-23T13:00:00+00:30"),
        ])
        .unwrap();
        assert_eq!(said.message, "hello");
        assert_eq!(said.message_type, InitialMessageType::UserMessage);
        let events: Vec<_> = said.events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(events, ["the parcel was sent", "the parcel arrived"]);
        assert_eq!(
            said.events[1].happened_at,
            said.events[0].happened_at.plus_seconds(1800)
        );
        let skip = read(&[(TYPE, "skip"), (MESSAGE, "")]).unwrap();
        assert_eq!(skip.message_type, InitialMessageType::Skip);
    }

    #[test]
    fn each_wrong_field_of_a_form_is_named() {
        let faults = read(&[(CONTENT, "x"), (TIME, "today"), (TIME, "2026-11-23T12:00:00")]).unwrap_err();
        let places: Vec<&str> = faults
            .iter()
            .map(|fault| fault.split(':').next().unwrap())
            .collect();
        let time = format!("body.{TIME}");
        assert_eq!(
            places,
            [
                &format!("body.{TYPE}"),
                &format!("body.{MESSAGE}"),
                &time,
                &time,
                &time
            ]
        );
        assert_eq!(read(&[(TYPE, "shout"), (MESSAGE, "x")]).unwrap_err().len(), 1);
        assert_eq!(read(&[(TYPE, "skip"), (MESSAGE, "x")]).unwrap_err().len(), 1);
        let sound = HashMap::from([
            (TYPE.to_owned(), vec![Some("user-message".to_owned())]),
            (MESSAGE.to_owned(), vec![None]),
        ]);
        assert_eq!(form_fields(&sound).unwrap_err().len(), 1, "a sound is no text");
        for twice in [(TYPE, "user-message"), (MESSAGE, "x"), (MESSAGE, "y")] {
            let fields = [(TYPE, "user-message"), (MESSAGE, "x"), twice];
            let told = format!("body.{}: this is given more than once; give it once", twice.0);
            assert_eq!(read(&fields).unwrap_err(), [told]);
        }
        let with_event = [
            (TYPE, "skip"),
            (MESSAGE, ""),
            (CONTENT, ""),
            (TIME, "2026-11-23T12:00:00Z"),
        ];
        assert_eq!(read(&with_event).unwrap_err().len(), 2);
    }

    #[test]
    fn a_type_without_a_message_is_refused() {
        let read = |text: &str| {
            let body: CreateConversation = serde_json::from_str(text).unwrap();
            body.said().map_err(|faults| faults.len())
        };
        let id = "0123456789abcdef01234567";
        assert_eq!(read(&format!(r#"{{"service_id": "{id}"}}"#)), Ok(None));
        let without = format!(r#"{{"service_id": "{id}", "initial_message_type": "user-message"}}"#);
        assert_eq!(read(&without), Err(1));
        let said = read(&format!(r#"{{"service_id": "{id}", "initial_message": "x"}}"#))
            .unwrap()
            .unwrap();
        assert_eq!(said.message_type, InitialMessageType::UserMessage);
    }
}
