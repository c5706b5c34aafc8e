//! Judging conversations by metrics.

mod check;

use std::collections::HashMap;

use forge_domain::MessageId;
use forge_domain::conversation::{Message, MessageType};
use forge_domain::metric::{MeasuredValue, MetricDocument, MetricValue};
use forge_domain::model::ModelPreferences;
use serde::Deserialize;
use serde_json::Value;

use crate::models::{Hints, ModelClient, Models, Request};
use crate::{Limits, RuntimeError, Verdict, prompt};

pub(crate) async fn judge(
    models: &Models,
    limits: &Limits,
    metric: &MetricDocument,
    preferences: &ModelPreferences,
    transcript: &[Message],
) -> Result<Verdict, RuntimeError> {
    // What the agent thought is no part of what happened.
    let is_heard = |message: &&Message| message.message_type != MessageType::AgentInnerThought;
    let heard: Vec<&Message> = transcript.iter().filter(is_heard).collect();
    if let Some(result) = check::run(metric, &heard) {
        return Ok(result);
    }
    let data = prompt::conversation(heard.iter().copied(), limits.prompt_bytes / 2);
    let is_agent = |message: &&&Message| message.message_type == MessageType::AgentMessage;
    let options: &[&str] = match &metric.metric_value {
        MetricValue::Categorical { categories } => &categories.iter().map(String::as_str).collect::<Vec<_>>(),
        MetricValue::Boolean => &["false", "true"],
        MetricValue::Numerical { .. } => &[],
    };
    let request = Request {
        llm_interaction: "evaluate-metric",
        prompt: prompt::evaluate_metric(metric, data),
        hints: Hints {
            said: heard
                .iter()
                .rev()
                .find(is_agent)
                .map_or("", |message| &message.message),
            options,
            turn: u32::try_from(heard.iter().filter(is_agent).count()).unwrap_or(u32::MAX),
            ..Hints::default()
        },
    };
    let mut client = ModelClient::new(models, preferences, limits);
    let read = |text: &str| read(text, &metric.metric_value, &heard);
    let (value, justification, references) = client.ask(request, read).await?;
    Ok(Verdict {
        value,
        justification,
        references,
        model_calls: client.into_calls(),
    })
}

type Judgement = (Option<MeasuredValue>, String, Vec<MessageId>);

fn read(text: &str, values: &MetricValue, heard: &[&Message]) -> Result<Judgement, String> {
    #[derive(Deserialize)]
    struct Judged {
        value: Value,
        #[serde(default)]
        justification: Option<String>,
        #[serde(default)]
        messages: Vec<Value>,
    }
    let judged: Judged = crate::answer::object(text)?;
    let value = match (&judged.value, values) {
        (Value::Null, _) => None,
        (value, values) => Some(measured(value, values)?),
    };
    // Numbers that no message has say nothing, but do not spoil the value either.
    let by_number: HashMap<u64, MessageId> = (1..).zip(heard.iter().map(|message| message.id)).collect();
    let mut references: Vec<MessageId> = Vec::new();
    for id in judged
        .messages
        .iter()
        .filter_map(|number| by_number.get(&number.as_u64()?))
    {
        if !references.contains(id) {
            references.push(*id);
        }
    }
    Ok((
        value,
        judged.justification.unwrap_or_default().trim().to_owned(),
        references,
    ))
}

/// Reads a value of a metric.
fn measured(value: &Value, values: &MetricValue) -> Result<MeasuredValue, String> {
    let text = value.as_str().map(str::trim);
    let (found, wanted) = match values {
        MetricValue::Boolean => {
            let said = value
                .as_bool()
                .or_else(|| match text?.to_ascii_lowercase().as_str() {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                });
            (said.map(MeasuredValue::Boolean), "true or false".to_owned())
        }
        MetricValue::Numerical {
            lower_bound,
            upper_bound,
        } => {
            let number = value.as_f64().or_else(|| text?.parse().ok());
            (
                number.map(MeasuredValue::Number),
                format!("a number from {lower_bound} to {upper_bound}"),
            )
        }
        MetricValue::Categorical { categories } => {
            let exact = categories.iter().find(|name| Some(name.as_str()) == text);
            let category = exact.or_else(|| {
                categories
                    .iter()
                    .find(|name| text.is_some_and(|text| name.eq_ignore_ascii_case(text)))
            });
            (
                category.cloned().map(MeasuredValue::Category),
                "one of the categories".to_owned(),
            )
        }
    };
    found
        .filter(|value| values.admits(value))
        .ok_or_else(|| format!("`value` must be {wanted}, or null"))
}
