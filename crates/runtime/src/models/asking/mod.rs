//! What providers are asked, in the words of their protocols: where it goes, with which headers, and the body.
//!
//! How they answer is read in [`super::protocol`].

mod anthropic;
mod claude;
mod gemini;
mod ollama;
mod openai;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use forge_domain::model::is_reserved;

use super::options::Options;
use super::protocol::Protocol;

/// What a model is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The provider's own name of the model, as the operator wrote it.
    pub(super) model: &'a str,
    pub(super) system: &'a str,
    pub(super) user: &'a str,
    pub(super) options: &'a Options,
}

/// Where a provider is, and what it knows us by.
#[derive(Clone)]
pub(super) struct Door {
    protocol: Protocol,
    base_url: Url,
    /// The key among them.
    headers: HeaderMap,
}

impl Door {
    /// Creates the way to a provider; says of an address or a key that is none what is wrong with it.
    pub(super) fn new(protocol: Protocol, base_url: &str, key: Option<&str>) -> Result<Self, String> {
        let base_url = Url::parse(base_url).ok();
        let base_url = base_url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut headers = HeaderMap::new();
        if protocol == Protocol::Anthropic {
            let version = HeaderValue::from_static(anthropic::VERSION);
            headers.insert(HeaderName::from_static("anthropic-version"), version);
        }
        if let Some(key) = key {
            let (name, value) = match protocol {
                Protocol::OpenAi | Protocol::Ollama => ("authorization", format!("Bearer {key}")),
                Protocol::Anthropic => ("x-api-key", key.to_owned()),
                Protocol::Gemini => ("x-goog-api-key", key.to_owned()),
            };
            let value = HeaderValue::from_str(&value);
            let mut value = value.map_err(|_| "its key has characters that no header can carry")?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(Self {
            protocol,
            base_url: base_url.ok_or("its `base_url` is no http or https URL")?,
            headers,
        })
    }

    pub(super) fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    /// Returns where a model is asked.
    pub(super) fn url(&self, model: &str) -> Url {
        let mut url = self.base_url.clone();
        // Every URL that was let in has segments.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty();
            match self.protocol {
                Protocol::OpenAi => path.extend(["chat", "completions"]),
                Protocol::Anthropic => path.push("messages"),
                Protocol::Gemini => path
                    .push("models")
                    .extend(format!("{model}:streamGenerateContent").split('/')),
                Protocol::Ollama => path.extend(["api", "chat"]),
            };
        }
        if self.protocol == Protocol::Gemini {
            url.query_pairs_mut().append_pair("alt", "sse");
        }
        url
    }

    /// Returns what a model is asked.
    pub(super) fn body(&self, asked: &Asked<'_>) -> Value {
        let mut body = match self.protocol {
            Protocol::OpenAi => openai::body(asked),
            Protocol::Anthropic => anthropic::body(asked),
            Protocol::Gemini => gemini::body(asked),
            // It has its parameters in an object of their own, and takes no others.
            Protocol::Ollama => return Value::Object(ollama::body(asked)),
        };
        // Whoever prefers parameters of a provider's own knows better, but not what is asked of whom.
        let rest = asked.options.rest.iter();
        body.extend(
            rest.filter(|(name, _)| !self.has_elsewhere(name) && !is_reserved(name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        Value::Object(body)
    }

    /// Returns `true` if a parameter that is passed on has a place of its own.
    fn has_elsewhere(&self, name: &str) -> bool {
        self.protocol == Protocol::Gemini && name == "top_k"
    }
}

/// Sets a field, if there is anything to set it to.
fn set(fields: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_added_to_what_the_operator_wrote() {
        for (protocol, base_url, expected) in [
            (
                Protocol::OpenAi,
                "https://a.example/v1/",
                "https://a.example/v1/chat/completions",
            ),
            (
                Protocol::OpenAi,
                "https://a.example",
                "https://a.example/chat/completions",
            ),
            (
                Protocol::OpenAi,
                "https://a.example/v1?api-version=1",
                "https://a.example/v1/chat/completions?api-version=1",
            ),
            (
                Protocol::Anthropic,
                "https://a.example/v1",
                "https://a.example/v1/messages",
            ),
            (
                Protocol::Gemini,
                "https://a.example/v1beta/",
                "https://a.example/v1beta/models/m/x:streamGenerateContent?alt=sse",
            ),
            (
                Protocol::Ollama,
                "http://localhost:11434",
                "http://localhost:11434/api/chat",
            ),
        ] {
            let door = Door::new(protocol, base_url, None).unwrap();
            assert_eq!(door.url("m/x").as_str(), expected);
        }
        let door = Door::new(Protocol::Gemini, "https://a.example/", None).unwrap();
        let url = door.url("../../x?y#z");
        assert_eq!(
            url.path(),
            "/models/x%3Fy%23z:streamGenerateContent",
            "a name leads nowhere else"
        );
    }

    #[test]
    fn an_address_or_a_key_that_is_none_is_told_without_it() {
        for (base_url, key, what) in [
            ("ftp://a.example/", None, "base_url"),
            ("nonsense", None, "base_url"),
            ("https://a.example/", Some("sk-secret\n"), "key"),
        ] {
            for protocol in [Protocol::OpenAi, Protocol::Anthropic, Protocol::Gemini] {
                let error = Door::new(protocol, base_url, key).err().unwrap();
                assert!(error.contains(what) && !error.contains("secret"), "{error}");
            }
        }
    }

    #[test]
    fn a_key_is_in_no_debugging_output() {
        for protocol in [Protocol::OpenAi, Protocol::Anthropic, Protocol::Gemini] {
            let door = Door::new(protocol, "https://a.example/", Some("sk-secret")).unwrap();
            assert!(!format!("{:?}", door.headers()).contains("secret"));
        }
    }
}
