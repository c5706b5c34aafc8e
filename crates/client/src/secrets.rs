//! Secrets of the user, which no message may have in it, whatever a server sends back.

use std::fmt;

use serde::de::Error as _;
use serde_json::Value;

/// A shorter text is nobody's secret, and may be a part of any word.
const SHORTEST: usize = 8;

/// What was sent with a request and is nobody else's business.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// The key, and the token if there is one.
    pub(crate) fn new(api_key: &str, token: Option<&str>) -> Self {
        let all = [("[API key]", Some(api_key)), ("[token]", token)];
        let all = all.into_iter().filter_map(|(word, secret)| Some((word, secret?)));
        let long = all.filter(|(_, secret)| secret.len() >= SHORTEST);
        Self(long.map(|(word, secret)| (word, secret.to_owned())).collect())
    }

    /// Returns a text with words in their places.
    pub(crate) fn without(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (word, secret) in &self.0 {
            if text.contains(secret) {
                text = text.replace(secret, word);
            }
        }
        text
    }

    /// Returns a document with words in their places.
    pub(crate) fn without_in(&self, document: Value) -> Value {
        match document {
            Value::String(text) => Value::String(self.without(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.without_in(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (self.without(&name), self.without_in(value)))
                .collect(),
            other => other,
        }
    }

    /// Returns why a document could not be read, which may quote it.
    pub(crate) fn without_error(&self, error: serde_json::Error) -> serde_json::Error {
        let text = error.to_string();
        let without = self.without(&text);
        if without == text {
            error
        } else {
            serde_json::Error::custom(without)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_take_the_places_of_secrets_wherever_they_are() {
        let secrets = Secrets::new("a-long-key", Some("a-long-token"));
        let said = json!({"detail": ["Bearer a-long-token", {"a-long-key": 1}, "a-long-keya-long-key"]});
        assert_eq!(
            secrets.without_in(said),
            json!({"detail": ["Bearer [token]", {"[API key]": 1}, "[API key][API key]"]})
        );
        let error = serde_json::from_str::<i64>("\"a-long-key\"").unwrap_err();
        let told = secrets.without_error(error).to_string();
        assert!(told.starts_with("invalid type: string \"[API key]\""), "{told}");
        assert!(!format!("{secrets:?}").contains("long"));
        // What is no secret stays.
        assert_eq!(Secrets::new("a", Some("")).without("a bad key"), "a bad key");
    }
}
