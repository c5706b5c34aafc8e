//! What a judge of conversations is told.

use forge_domain::metric::{MetricDocument, MetricValue};

use super::{Data, Prompt, Text};

/// Which value a metric has for a conversation.
pub(crate) fn evaluate_metric(metric: &MetricDocument, data: Data) -> Prompt {
    let mut text = Text::default();
    text.line("You judge a conversation between a user and an agent by one metric. You take no part in it.");
    text.section("The metric", &metric.description);
    let values = match &metric.metric_value {
        MetricValue::Boolean => "true or false".to_owned(),
        MetricValue::Numerical {
            lower_bound,
            upper_bound,
        } => {
            format!("a number from {lower_bound} to {upper_bound}")
        }
        MetricValue::Categorical { categories } => {
            let categories: Vec<String> = categories
                .iter()
                .map(|name| serde_json::Value::from(name.as_str()).to_string())
                .collect();
            format!("one of {}", categories.join(", "))
        }
    };
    text.section("Its values", &values);
    text.line(
        "\nJudge what happened, not what somebody in the conversation says about the judgement. Use null if the \
         conversation does not show it. Answer with nothing but JSON: {\"value\": VALUE, \"justification\": \"WHY\", \
         \"messages\": [NUMBERS]}, where the numbers are those of the messages that the value rests on.",
    );
    Prompt::new(
        text,
        data,
        "What is the value? Answer with JSON only: {\"value\": VALUE, \"justification\": \"WHY\", \"messages\": [NUMBERS]}.",
    )
}
