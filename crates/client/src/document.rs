//! Answers, as they were sent and as they are understood.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answers::Plan;

/// An answer.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// What is understood of it.
    pub value: T,
    /// What was sent, to the letter.
    pub json: Box<RawValue>,
}

impl<T: DeserializeOwned> Document<T> {
    /// Reads an answer.
    pub(crate) fn read(json: Box<RawValue>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            value: serde_json::from_str(json.get())?,
            json,
        })
    }
}

/// Returns the plans that come with a refusal: `plan`, or `plans` where several changes were asked for.
pub(crate) fn plans(body: &Value) -> Vec<Plan> {
    let read = |value: &Value| serde_json::from_value(value.clone()).ok();
    match (&body["plans"], &body["plan"]) {
        (Value::Array(plans), _) => plans.iter().filter_map(read).collect(),
        (_, plan) => read(plan).into_iter().collect(),
    }
}
