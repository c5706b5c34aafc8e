//! A provider that answers from a file instead of a model, for tests and dry runs.
//!
//! Whoever adds a condition adds it to `docs/models.md` too.

use std::time::Duration;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use tokio::time::sleep;

use super::request::{Answer, Failure, Hints, Pieces, Request};

/// What is answered when.
///
/// The first rule that fits decides; with the same conversation it is always the same one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    rules: Vec<Rule>,
}

/// The text is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the script is not valid: {0}")]
pub struct InvalidScript(String);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// The named interaction; absent: any.
    interaction: Option<String>,
    /// The current state's name.
    state: Option<String>,
    /// A part of what the agent was told last, in capitals or not.
    contains: Option<String>,
    /// A regular expression that what the agent was told last matches.
    #[serde(default, deserialize_with = "regex")]
    matches: Option<Regex>,
    /// Which turn of the agent, from 1.
    turn: Option<u32>,
    /// Which attempt, from 1.
    attempt: Option<u32>,
    /// Which round of tool calls, from 0.
    round: Option<u32>,
    /// How long the answer takes, in milliseconds.
    #[serde(default)]
    delay_ms: u64,
    #[serde(flatten)]
    reply: Reply,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    /// This text.
    Answer(String),
    /// One text for each turn; the last one for all later ones.
    Answers(Vec<String>),
    /// One of the options.
    Choose(Choice),
    /// This text, and then the limit of tokens cuts the answer off.
    CutOff(String),
    /// The provider refuses the prompt for this reason.
    Refuse(String),
    /// The call fails for this reason, as if the provider could not be reached.
    Fail(String),
}

/// What comes of a call.
struct Played {
    text: String,
    failure: Option<Failure>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    First,
    Last,
    None,
    /// The first one that is a part of what the agent was told last. Without one, the rule does not fit.
    Mentioned,
}

fn regex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    let regex = RegexBuilder::new(&pattern).size_limit(1 << 20).build();
    regex.map(Some).map_err(serde::de::Error::custom)
}

impl Script {
    /// Reads a script from JSON.
    pub fn from_json(text: &str) -> Result<Self, InvalidScript> {
        serde_json::from_str(text).map_err(|error| InvalidScript(error.to_string()))
    }

    /// Puts the rules of this script before those of another one.
    #[must_use]
    pub fn before(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        self
    }

    pub(super) async fn call(
        &self,
        request: &Request<'_>,
        attempt: u32,
        pieces: Option<&mut Pieces<'_>>,
    ) -> Result<Answer, Failure> {
        let found = self.rules.iter().find_map(|rule| {
            let played = rule.reply(request, attempt)?;
            Some((rule, played))
        });
        let Some((rule, Played { text, failure })) = found else {
            return Err(Failure::lasting("the script has no rule for this call"));
        };
        if rule.delay_ms > 0 {
            sleep(Duration::from_millis(rule.delay_ms)).await;
        }
        if let Some(pieces) = pieces {
            for word in text.split_inclusive(' ') {
                pieces.push(word).await?;
            }
            if failure.is_none() {
                pieces.end().await;
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(Answer {
                text,
                ..Answer::default()
            }),
        }
    }
}

impl Rule {
    /// Returns what the rule plays, if it fits.
    fn reply(&self, request: &Request<'_>, attempt: u32) -> Option<Played> {
        let hints = &request.hints;
        let fits = is(self.interaction.as_deref(), request.llm_interaction)
            && is(self.state.as_deref(), hints.state)
            && is(self.turn, hints.turn)
            && is(self.attempt, attempt)
            && is(self.round, hints.round)
            && self
                .contains
                .as_ref()
                .is_none_or(|part| is_part(part, hints.said))
            && self
                .matches
                .as_ref()
                .is_none_or(|regex| regex.is_match(hints.said));
        if !fits {
            return None;
        }
        let (text, failure) = match &self.reply {
            Reply::Answer(text) => (text.as_str(), None),
            Reply::Answers(texts) => {
                let index = (hints.turn.max(1) as usize - 1).min(texts.len().checked_sub(1)?);
                (texts[index].as_str(), None)
            }
            Reply::Choose(choice) => {
                let number = choice.of(hints)?;
                return Some(Played {
                    text: format!("{{\"choice\": {number}}}"),
                    failure: None,
                });
            }
            Reply::CutOff(text) => {
                let reason = "the limit of tokens cut the answer off";
                (text.as_str(), Some(Failure::cut_off(reason)))
            }
            Reply::Refuse(reason) => ("", Some(Failure::refused(reason.as_str()))),
            Reply::Fail(reason) => ("", Some(Failure::temporary(reason.as_str()))),
        };
        Some(Played {
            text: filled_in(text, request.llm_interaction, hints),
            failure,
        })
    }
}

impl Choice {
    /// Returns the number of the option, from 1, or 0 for none.
    fn of(self, hints: &Hints<'_>) -> Option<usize> {
        match self {
            Self::First => (!hints.options.is_empty()).then_some(1),
            Self::Last => (!hints.options.is_empty()).then_some(hints.options.len()),
            Self::None => Some(0),
            Self::Mentioned => {
                let position = hints
                    .options
                    .iter()
                    .position(|option| is_part(option, hints.said))?;
                Some(position + 1)
            }
        }
    }
}

fn is<T: PartialEq>(wanted: Option<T>, found: T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn is_part(part: &str, text: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Puts what the call is about into the places that an answer has for it.
///
/// What is put in is not looked at again.
fn filled_in(text: &str, interaction: &str, hints: &Hints<'_>) -> String {
    let turn = hints.turn.to_string();
    let places = [
        ("{user}", hints.said),
        ("{state}", hints.state),
        ("{action}", hints.action),
        ("{interaction}", interaction),
        ("{turn}", turn.as_str()),
    ];
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let place = places.iter().find(|(place, _)| from.starts_with(place));
        let (put_in, length) = place.map_or(("{", 1), |(place, value)| (*value, place.len()));
        filled.push_str(put_in);
        rest = &from[length..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{Prompt, Shape};

    fn request<'a>(llm_interaction: &'static str, said: &'a str, options: &'a [&'a str]) -> Request<'a> {
        Request {
            llm_interaction,
            prompt: Prompt {
                system: String::new(),
                user: String::new(),
                shape: Shape::Text,
            },
            hints: Hints {
                said,
                state: "start",
                options,
                turn: 2,
                ..Hints::default()
            },
        }
    }

    async fn answer(rules: &str, request: &Request<'_>) -> Result<String, Failure> {
        let script = Script::from_json(&format!("{{\"rules\": {rules}}}")).unwrap();
        script.call(request, 1, None).await.map(|answer| answer.text)
    }

    #[tokio::test]
    async fn the_first_rule_that_fits_decides() {
        let rules = r#"[
            {"interaction": "decide", "answer": "another interaction"},
            {"state": "end", "answer": "another state"},
            {"turn": 1, "answer": "another turn"},
            {"attempt": 2, "answer": "another attempt"},
            {"round": 1, "answer": "another round"},
            {"contains": "BYE", "answer": "it contains that"},
            {"matches": "^h.llo", "answers": ["one", "two"]},
            {"choose": "mentioned"}
        ]"#;
        assert_eq!(
            answer(rules, &request("reflect", "goodbye", &[])).await.unwrap(),
            "it contains that"
        );
        assert_eq!(
            answer(rules, &request("reflect", "hello", &[])).await.unwrap(),
            "two"
        );
        let chosen = answer(rules, &request("reflect", "Coffee or tea?", &["milk", "tea"])).await;
        assert_eq!(chosen.unwrap(), "{\"choice\": 2}");
        let failure = answer(rules, &request("reflect", "neither", &["milk", "tea"]))
            .await
            .unwrap_err();
        assert!(!failure.is_temporary());
    }

    #[tokio::test]
    async fn places_are_filled_in_once() {
        let rules = r#"[{"answer": "{\"{user}\" in {state}, {interaction} {turn} {other}"}]"#;
        let filled = answer(rules, &request("reflect", "{state}", &[])).await.unwrap();
        assert_eq!(filled, "{\"{state}\" in start, reflect 2 {other}");
    }

    #[test]
    fn a_script_with_a_mistake_is_refused() {
        for rules in [
            r#"[{"interaction": "decide"}]"#,
            r#"[{"answer": "x", "wehn": 1}]"#,
            r#"[{"answer": "x", "matches": "("}]"#,
            r#"[{"choose": "best"}]"#,
            r#"[{"answer": "x", "choose": "first"}]"#,
        ] {
            assert!(
                Script::from_json(&format!("{{\"rules\": {rules}}}")).is_err(),
                "{rules}"
            );
        }
    }
}
