//! What conversations run with: `[runtime]`, `[[providers]]`, and how tools are called.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_domain::model::ModelPreference;
use forge_runtime::{
    AnswerFormat, Limits, ModelRoute, Models, ProviderKind, ProviderSettings, Runtime, Script, ToolSettings,
    Tools,
};
use serde::Deserialize;
use serde_json::json;

use super::{Config, Model, Tool};
use crate::error::{Context as _, Failure, Result};
use crate::input;

/// `[runtime]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuntimeTable {
    /// The model of interactions that a version set has no preference for.
    default_model: Option<String>,
    turn_seconds: Option<u64>,
    model_call_seconds: Option<u64>,
    max_states: Option<u32>,
    max_model_calls: Option<u32>,
    max_tokens: Option<i64>,
    max_answer_tokens: Option<u32>,
    max_prompt_bytes: Option<usize>,
    max_tool_calls: Option<u32>,
    max_tool_result_bytes: Option<usize>,
}

/// `[[providers]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    name: String,
    kind: Kind,
    base_url: Option<String>,
    /// How it holds a model to the form of an answer.
    #[serde(default)]
    answer_format: Format,
    /// What thoughts begin with that it puts into the prompt and does not send.
    swallowed_mark: Option<String>,
    /// The environment variable that holds the key. There is no other place for it.
    key_env: Option<String>,
    /// The file of a scripted provider, in the folder of the configuration unless it says otherwise.
    script: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    OpenaiCompatible,
    Anthropic,
    Gemini,
    Ollama,
    Scripted,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    #[default]
    Text,
    JsonObject,
    JsonSchema,
}

/// How a tool is called; part of `[[tools]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Call {
    url: Option<String>,
    version: Option<String>,
    description: Option<String>,
    parameters: Option<serde_json::Value>,
    timeout_seconds: Option<u64>,
    /// Values may name environment variables, as `${NAME}`.
    headers: BTreeMap<String, String>,
}

impl Config {
    /// Makes what conversations run with.
    ///
    /// Files are looked for in `folder`, and secrets in the environment.
    pub(crate) fn runtime(
        &self,
        folder: &Path,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Runtime> {
        let providers = self.providers.iter().map(|provider| {
            let kind = provider.kind(folder, &environment);
            let kind = kind.with_context(|| format!("provider `{}`", provider.name))?;
            Ok(ProviderSettings {
                name: provider.name.clone(),
                kind,
                answer_format: match provider.answer_format {
                    Format::Text => AnswerFormat::Text,
                    Format::JsonObject => AnswerFormat::JsonObject,
                    Format::JsonSchema => AnswerFormat::JsonSchema,
                },
                swallowed_mark: provider.swallowed_mark.clone(),
            })
        });
        let providers = providers.collect::<Result<Vec<_>>>()?;
        let default = self.runtime.default_model.as_ref().map(|name| ModelPreference {
            llm_name: name.clone(),
            params: serde_json::Map::new(),
        });
        let models = Models::new(providers, self.routes(), default)?;
        let tools = self
            .tools
            .iter()
            .filter_map(|tool| tool.settings(&environment).transpose());
        let tools = Tools::new(tools.collect::<Result<Vec<_>>>()?)?;
        Ok(Runtime::new(models, tools, self.runtime.limits()))
    }

    /// Returns where each model is served.
    ///
    /// A model of the built-in table whose provider is not configured is not.
    fn routes(&self) -> Vec<ModelRoute> {
        let own_name = |model: &str| self.models.model.iter().rev().find(|own| own.name == model);
        let served = self.descriptions().into_iter().filter_map(|(name, provider)| {
            let own = own_name(&name).and_then(|model: &Model| model.name_at_provider.clone());
            let is_configured = self
                .providers
                .iter()
                .any(|configured| configured.name == provider);
            let provider_model = own.or_else(|| {
                // The catalogue's names begin with the provider's, which does not use them itself.
                let stripped = name
                    .strip_prefix(&provider)
                    .and_then(|rest| rest.strip_prefix('_'));
                is_configured.then(|| stripped.unwrap_or(&name).to_owned())
            })?;
            Some(ModelRoute {
                model: name,
                provider,
                provider_model,
            })
        });
        served.collect()
    }
}

impl RuntimeTable {
    fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            states: self.max_states.unwrap_or(default.states),
            model_calls: self.max_model_calls.unwrap_or(default.model_calls),
            tokens: self.max_tokens.unwrap_or(default.tokens),
            model_call_time: self
                .model_call_seconds
                .map_or(default.model_call_time, Duration::from_secs),
            turn_time: self.turn_seconds.map_or(default.turn_time, Duration::from_secs),
            prompt_bytes: self.max_prompt_bytes.unwrap_or(default.prompt_bytes),
            answer_tokens: self.max_answer_tokens.unwrap_or(default.answer_tokens),
            tool_calls: self.max_tool_calls.unwrap_or(default.tool_calls),
            tool_result_bytes: self.max_tool_result_bytes.unwrap_or(default.tool_result_bytes),
            ..default
        }
    }
}

impl Provider {
    fn kind(&self, folder: &Path, environment: &impl Fn(&str) -> Option<String>) -> Result<ProviderKind> {
        if self.script.is_some() != (self.kind == Kind::Scripted) {
            return Err(Failure::failed(
                "`script` belongs to kind `scripted`, which needs it",
            ));
        }
        if self.key_env.is_some() && matches!(self.kind, Kind::Scripted | Kind::Ollama) {
            return Err(Failure::failed("a provider of this kind has no key"));
        }
        if let Some(url) = &self.base_url
            && (self.kind == Kind::Scripted || !(url.starts_with("https://") || url.starts_with("http://")))
        {
            return Err(Failure::failed(
                "`base_url` must begin with https:// or http://, and kind `scripted` has none",
            ));
        }
        let key = self
            .key_env
            .as_deref()
            .map(|name| key(environment, name))
            .transpose()?;
        let base_url = self.base_url.clone();
        Ok(match self.kind {
            Kind::OpenaiCompatible => ProviderKind::OpenAiCompatible {
                base_url: base_url.context("kind `openai-compatible` needs `base_url`")?,
                key,
            },
            Kind::Anthropic => ProviderKind::Anthropic {
                base_url,
                key: Some(key.context("kind `anthropic` needs `key_env`")?),
            },
            Kind::Gemini => ProviderKind::Gemini {
                base_url,
                key: Some(key.context("kind `gemini` needs `key_env`")?),
            },
            Kind::Ollama => ProviderKind::Ollama { base_url },
            Kind::Scripted => {
                let path = folder.join(self.script.as_deref().unwrap_or(Path::new("")));
                let text = input::file(&path, input::LONGEST);
                let text = text.with_context(|| format!("cannot read {}", path.display()))?;
                let text = input::text(text)
                    .map_err(Failure::failed)
                    .with_context(|| path.display().to_string())?;
                let script = Script::from_json(&text);
                ProviderKind::Scripted(script.with_context(|| path.display().to_string())?)
            }
        })
    }
}

impl Tool {
    /// Returns how the tool is called, if it can be.
    fn settings(&self, environment: &impl Fn(&str) -> Option<String>) -> Result<Option<ToolSettings>> {
        let Some(url) = &self.call.url else {
            return Ok(None);
        };
        let header = |(name, value): (&String, &String)| {
            let value = filled_in(value, environment);
            Ok((
                name.clone(),
                value.with_context(|| format!("tool `{}`, header `{name}`", self.name))?,
            ))
        };
        Ok(Some(ToolSettings {
            id: self.id,
            name: self.name.clone(),
            version: self.call.version.clone().unwrap_or_else(|| "1".to_owned()),
            description: self.call.description.clone().unwrap_or_default(),
            url: url.clone(),
            parameters: self
                .call
                .parameters
                .clone()
                .unwrap_or_else(|| json!({"type": "object"})),
            timeout: Duration::from_secs(self.call.timeout_seconds.unwrap_or(20)),
            headers: self.call.headers.iter().map(header).collect::<Result<_>>()?,
        }))
    }
}

/// Returns a secret, which is sent in a header.
///
/// Blanks and line breaks around it, such as the end of the file that it came from, are no part of it.
fn required(environment: &impl Fn(&str) -> Option<String>, name: &str) -> Result<String> {
    let value = environment(name).unwrap_or_default();
    let value = value.trim();
    if value.is_empty() {
        return Err(Failure::failed(format!(
            "the environment variable {name} is not set"
        )));
    }
    let fault = match value.chars().find(|c| c.is_control() || !c.is_ascii()) {
        None => return Ok(value.to_owned()),
        Some('\n' | '\r') => "a line break",
        Some(c) if c.is_control() => "a control character",
        Some(_) => "a character that is not ASCII",
    };
    Err(Failure::failed(format!(
        "the environment variable {name} has {fault} in it, which cannot be sent; set it anew"
    )))
}

/// Returns the key of a provider, which is one word.
fn key(environment: &impl Fn(&str) -> Option<String>, name: &str) -> Result<String> {
    let key = required(environment, name)?;
    if key.contains(' ') {
        return Err(Failure::failed(format!(
            "the environment variable {name} has a blank in it, so it is no key; set it anew"
        )));
    }
    Ok(key)
}

/// Puts environment variables into the places `${NAME}`.
fn filled_in(text: &str, environment: &impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("${") {
        let (name, after) = from.split_once('}').context("a `${` has no `}`")?;
        filled.push_str(before);
        filled.push_str(&required(environment, name)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(text: &str) -> Result<Runtime> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("script.json"), r#"{"rules": []}"#)?;
        std::fs::write(
            folder.path().join("broken.json"),
            r#"{"rules": [{"answer": "x", "wehn": 1}]}"#,
        )?;
        let environment = |name: &str| (name == "ACME_KEY").then(|| "a-key-of-acme".to_owned());
        toml::from_str::<Config>(text)?.runtime(folder.path(), environment)
    }

    #[test]
    fn nothing_configured_is_no_mistake() {
        runtime("").unwrap();
    }

    #[test]
    fn providers_models_and_tools_fit_together() {
        let shown = runtime(
            r#"
            [runtime]
            default_model = "openai_gpt-5-mini-2025-08-07"
            turn_seconds = 30

            [[providers]]
            name = "openai"
            kind = "openai-compatible"
            base_url = "https://api.openai.com/v1"
            key_env = "ACME_KEY"
            swallowed_mark = "<think>"

            [[providers]]
            name = "dry"
            kind = "scripted"
            script = "script.json"

            [[models.model]]
            name = "acme_care"
            provider = "dry"
            provider_model = "x"

            [[tools]]
            id = "65f1c0ffee65f1c0ffee65f1"
            name = "look_up"
            url = "https://tools.example/look_up"
            headers = { Authorization = "Bearer ${ACME_KEY}" }
            parameters = { type = "object", required = ["name"] }
            "#,
        );
        let shown = format!("{:?}", shown.unwrap());
        assert!(
            shown.contains("acme_care") && shown.contains("gpt-5-mini-2025-08-07"),
            "{shown}"
        );
        assert!(!shown.contains("a-key-of-acme"), "{shown}");
    }

    #[test]
    fn the_name_of_a_built_in_model_loses_its_provider() {
        let config = "[[providers]]\nname = \"google\"\nkind = \"gemini\"\nkey_env = \"K\"";
        let routes = toml::from_str::<Config>(config).unwrap().routes();
        let routes: Vec<_> = routes.iter().map(|route| route.provider_model.as_str()).collect();
        assert_eq!(routes, ["gemini-2.5-pro", "gemini-2.5-flash"]);
    }

    #[test]
    fn what_is_around_a_secret_is_no_part_of_it_and_what_cannot_be_sent_is_refused() {
        let taken = |value: &str| {
            let environment = |_: &str| Some(value.to_owned());
            let text = |result: Result<String>| result.map_err(|error| error.to_string());
            (
                text(key(&environment, "ACME_KEY")),
                text(filled_in("Bearer ${ACME_KEY}", &environment)),
            )
        };
        for value in ["k", "k\n", "k\r\n", " k\t", "\n\nk \n", "\u{a0}k\u{2028}"] {
            let expected = (Ok("k".to_owned()), Ok("Bearer k".to_owned()));
            assert_eq!(taken(value), expected, "{value:?}");
        }
        for (value, fault) in [
            ("k\nl", "a line break"),
            ("k\r\nl", "a line break"),
            ("k\0l", "a control character"),
            ("k\tl", "a control character"),
            ("k\u{9b}l", "a control character"),
            ("\u{feff}k", "not ASCII"),
            ("k\u{200b}", "not ASCII"),
            ("k\u{fffd}", "not ASCII"),
            (" \n", "is not set"),
        ] {
            let (key, header) = taken(value);
            for error in [key.unwrap_err(), header.unwrap_err()] {
                assert!(
                    error.contains("ACME_KEY") && error.contains(fault),
                    "{value:?}: {error}"
                );
            }
        }
        let (key, header) = taken("Token k");
        assert!(key.unwrap_err().contains("ACME_KEY has a blank in it"));
        assert_eq!(
            header.unwrap(),
            "Bearer Token k",
            "headers may have several words"
        );
    }

    #[test]
    fn mistakes_are_told() {
        for (text, told) in [
            (
                "[runtime]\ndefault_model = \"google_gemini-2.5-pro\"",
                "google_gemini-2.5-pro",
            ),
            ("[[providers]]\nname = \"a\"\nkind = \"anthropic\"", "key_env"),
            (
                "[[providers]]\nname = \"a\"\nkind = \"anthropic\"\nkey_env = \"UNSET\"",
                "UNSET",
            ),
            (
                "[[providers]]\nname = \"a\"\nkind = \"openai-compatible\"",
                "base_url",
            ),
            (
                "[[providers]]\nname = \"a\"\nkind = \"ollama\"\nbase_url = \"ftp://x\"",
                "base_url",
            ),
            (
                "[[providers]]\nname = \"a\"\nkind = \"ollama\"\nswallowed_mark = \"<b>\"",
                "provider `a` cannot be called: `swallowed_mark` is `<b>`",
            ),
            ("[[providers]]\nname = \"a\"\nkind = \"scripted\"", "script"),
            (
                "[[providers]]\nname = \"a\"\nkind = \"scripted\"\nscript = \"none.json\"",
                "none.json",
            ),
            (
                "[[providers]]\nname = \"a\"\nkind = \"scripted\"\nscript = \"broken.json\"",
                "wehn",
            ),
            (
                "[[models.model]]\nname = \"m\"\nprovider = \"nobody\"\nprovider_model = \"x\"",
                "nobody",
            ),
            (
                "[[tools]]\nid = \"65f1c0ffee65f1c0ffee65f1\"\nname = \"n\"\nurl = \"gopher://x\"",
                "http://",
            ),
            (
                "[[tools]]\nid = \"65f1c0ffee65f1c0ffee65f1\"\nname = \"n\"\nurl = \"http://x\"\nheaders = { A = \"${UNSET}\" }",
                "UNSET",
            ),
        ] {
            let error = runtime(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
