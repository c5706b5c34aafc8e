//! Checks: metrics that are computed instead of judged. Their form is in `docs/simulations.md`.
//!
//! The first line of a metric's description is a check if it begins with `check:`. Then no model is asked.

use forge_domain::MessageId;
use forge_domain::conversation::{Message, MessageType};
use forge_domain::metric::{MeasuredValue, MetricDocument};
use regex::{Regex, RegexBuilder};

use crate::Verdict;

#[derive(Debug)]
enum Check {
    /// Whether somebody says something.
    Says {
        who: Who,
        what: Pattern,
        is_negated: bool,
    },
    /// In how many messages somebody says something.
    Count { who: Who, what: Pattern },
    /// How many interactions there were.
    Interactions,
    /// Whether there were as many as that.
    InteractionsCompare { verb: String, number: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Agent,
    User,
}

#[derive(Debug)]
enum Pattern {
    Text(String),
    Regex(Regex),
}

/// Returns the verdict of a metric's check, if it has one.
///
/// A check that cannot be read has no value and says why.
pub(super) fn run(metric: &MetricDocument, heard: &[&Message]) -> Option<Verdict> {
    let first = metric.description.trim_start().lines().next()?;
    let text = first.trim().strip_prefix("check:")?.trim();
    let (value, justification, references) = match parse(text) {
        Ok(check) => check.run(heard),
        Err(reason) => (
            None,
            format!("the check `{text}` cannot be read: {reason}"),
            Vec::new(),
        ),
    };
    let (value, justification) = match value {
        Some(value) if !metric.metric_value.admits(&value) => {
            let kind = metric.metric_value.kind();
            (
                None,
                format!("{justification}; the {kind} metric does not admit that value"),
            )
        }
        value => (value, justification),
    };
    Some(Verdict {
        value,
        justification,
        references,
        model_calls: Vec::new(),
    })
}

impl Check {
    fn run(&self, heard: &[&Message]) -> (Option<MeasuredValue>, String, Vec<MessageId>) {
        match self {
            Self::Says {
                who,
                what,
                is_negated,
            } => {
                let found = what.found(*who, heard);
                let justification = format!("{} of the {}'s messages", times(found.len()), who.name());
                (
                    Some(MeasuredValue::Boolean(found.is_empty() == *is_negated)),
                    justification,
                    found,
                )
            }
            Self::Count { who, what } => {
                let found = what.found(*who, heard);
                let justification = format!("{} of the {}'s messages", times(found.len()), who.name());
                (
                    Some(MeasuredValue::Number(number(found.len()))),
                    justification,
                    found,
                )
            }
            Self::Interactions => {
                let count = interactions(heard);
                (
                    Some(MeasuredValue::Number(number(count))),
                    format!("{count} interactions"),
                    Vec::new(),
                )
            }
            Self::InteractionsCompare { verb, number } => {
                let count = interactions(heard);
                let holds = match verb.as_str() {
                    "<=" => count <= *number,
                    "<" => count < *number,
                    ">=" => count >= *number,
                    ">" => count > *number,
                    "!=" => count != *number,
                    _ => count == *number,
                };
                (
                    Some(MeasuredValue::Boolean(holds)),
                    format!("{count} interactions"),
                    Vec::new(),
                )
            }
        }
    }
}

fn times(count: usize) -> String {
    match count {
        0 => "found in none".to_owned(),
        count => format!("found in {count}"),
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

fn interactions(heard: &[&Message]) -> usize {
    let mut ids: Vec<_> = heard.iter().map(|message| message.interaction_id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::User => "user",
        }
    }

    fn message_type(self) -> MessageType {
        match self {
            Self::Agent => MessageType::AgentMessage,
            Self::User => MessageType::UserMessage,
        }
    }
}

impl Pattern {
    fn found(&self, who: Who, heard: &[&Message]) -> Vec<MessageId> {
        let said = heard
            .iter()
            .filter(|message| message.message_type == who.message_type());
        said.filter(|message| self.is_in(&message.message))
            .map(|message| message.id)
            .collect()
    }

    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(part) => text.to_lowercase().contains(&part.to_lowercase()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn parse(text: &str) -> Result<Check, String> {
    let (who, rest) = match text.split_once(char::is_whitespace) {
        Some(("user", rest)) => (Who::User, rest.trim()),
        Some(("agent", rest)) => (Who::Agent, rest.trim()),
        _ => (Who::Agent, text),
    };
    let (is_negated, rest) = match rest.split_once(char::is_whitespace) {
        Some(("not", rest)) => (true, rest.trim()),
        _ => (false, rest),
    };
    let (word, rest) = rest
        .split_once(char::is_whitespace)
        .map_or((rest, ""), |(word, rest)| (word, rest.trim()));
    match word {
        "contains" => Ok(Check::Says {
            who,
            what: quoted(rest)?,
            is_negated,
        }),
        "matches" => Ok(Check::Says {
            who,
            what: regex(rest)?,
            is_negated,
        }),
        "count" if !is_negated => {
            let what = if rest.starts_with('/') {
                regex(rest)?
            } else {
                quoted(rest)?
            };
            Ok(Check::Count { who, what })
        }
        "interactions" if !is_negated && rest.is_empty() => Ok(Check::Interactions),
        "interactions" if !is_negated => {
            let end = rest.find(|character: char| !"=!<>".contains(character));
            let (verb, number) = rest.split_at(end.unwrap_or(rest.len()));
            if !["==", "!=", "<=", "<", ">=", ">"].contains(&verb) {
                return Err("after `interactions`, one of == != <= < >= > must follow".to_owned());
            }
            let number = number
                .trim()
                .parse()
                .map_err(|_| format!("after `{verb}`, a number must follow"))?;
            Ok(Check::InteractionsCompare {
                verb: verb.to_owned(),
                number,
            })
        }
        _ => Err("it must be `contains`, `matches`, `count` or `interactions`".to_owned()),
    }
}

fn quoted(text: &str) -> Result<Pattern, String> {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match inner.filter(|inner| !inner.is_empty()) {
        Some(inner) => Ok(Pattern::Text(inner.to_owned())),
        None => Err("a text in double quotes must follow".to_owned()),
    }
}

fn regex(text: &str) -> Result<Pattern, String> {
    let inner = text.strip_prefix('/').and_then(|text| text.strip_suffix('/'));
    let inner = inner.ok_or_else(|| "a regular expression between slashes must follow".to_owned())?;
    let regex = RegexBuilder::new(inner).size_limit(1 << 20).build();
    regex
        .map(Pattern::Regex)
        .map_err(|_| "the regular expression is not valid".to_owned())
}
