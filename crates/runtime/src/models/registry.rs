//! Which provider serves which model.

use std::collections::HashMap;
use std::sync::Arc;

use forge_domain::model::{ModelPreference, ModelPreferences};
use serde_json::Map;

use super::Script;
use super::breaker::Breaker;
use super::call::{Backend, Provider, Route};
use super::hosted::Hosted;
use super::protocol::Protocol;
use super::settings::{AnswerFormat, ProviderKind, ProviderSettings};
use crate::RuntimeError;
use crate::thought::Mark;

/// The models that an installation can call.
///
/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Models {
    routes: HashMap<String, Route>,
    /// Who answers for models that have no route.
    everything_else: Option<Route>,
    default: Option<ModelPreference>,
}

/// Where a model of the catalogue is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRoute {
    /// The name in the catalogue.
    pub model: String,
    /// The name of the provider.
    pub provider: String,
    /// What the provider calls it.
    pub provider_model: String,
}

/// Providers and models do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidModels {
    /// Two providers share a name.
    #[error("two providers are called `{0}`")]
    DuplicateProvider(String),
    /// A model is served by nobody.
    #[error("model `{model}` is served by `{provider}`, which is no configured provider")]
    UnknownProvider {
        /// The model.
        model: String,
        /// The name that nobody has.
        provider: String,
    },
    /// The default model is served by nobody.
    #[error("the default model `{0}` is served by no configured provider")]
    UnservedDefault(String),
    /// A provider cannot be called.
    #[error("provider `{provider}` cannot be called: {reason}")]
    Uncallable {
        /// The provider.
        provider: String,
        /// What is wrong.
        reason: String,
    },
    /// Connections cannot be made.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

impl Models {
    /// Creates the models from the providers, where each model is served, and what interactions use that no preference
    /// is about.
    pub fn new(
        providers: Vec<ProviderSettings>,
        routes: Vec<ModelRoute>,
        default: Option<ModelPreference>,
    ) -> Result<Self, InvalidModels> {
        let http = crate::http::client().map_err(InvalidModels::Client)?;
        let mut by_name = HashMap::new();
        for ProviderSettings {
            name,
            kind,
            answer_format,
            swallowed_mark,
        } in providers
        {
            let uncallable = |reason| InvalidModels::Uncallable {
                provider: name.clone(),
                reason,
            };
            let backend = backend(&http, kind, answer_format).map_err(uncallable)?;
            let swallowed_mark = swallowed_mark.as_deref().map(mark).transpose();
            let swallowed_mark = swallowed_mark.map_err(uncallable)?;
            let provider = Arc::new(Provider {
                name: name.clone(),
                backend,
                swallowed_mark,
            });
            if by_name.insert(name.clone(), provider).is_some() {
                return Err(InvalidModels::DuplicateProvider(name));
            }
        }
        let mut found = HashMap::new();
        for ModelRoute {
            model,
            provider,
            provider_model,
        } in routes
        {
            let Some(provider) = by_name.get(&provider) else {
                return Err(InvalidModels::UnknownProvider { model, provider });
            };
            let route = Route {
                provider: Arc::clone(provider),
                model: provider_model.into(),
                breaker: Breaker::default(),
            };
            found.insert(model, route);
        }
        match default {
            Some(default) if !found.contains_key(&default.llm_name) => {
                Err(InvalidModels::UnservedDefault(default.llm_name))
            }
            default => Ok(Self {
                routes: found,
                everything_else: None,
                default,
            }),
        }
    }

    /// Creates models that all answer from one script, whatever they are called, for tests.
    pub fn scripted(script: Script) -> Self {
        let provider = Provider {
            name: "scripted".to_owned(),
            backend: Backend::Scripted(script),
            swallowed_mark: None,
        };
        Self {
            routes: HashMap::new(),
            everything_else: Some(Route {
                provider: Arc::new(provider),
                model: "scripted".into(),
                breaker: Breaker::default(),
            }),
            default: Some(ModelPreference {
                llm_name: "scripted".to_owned(),
                params: Map::new(),
            }),
        }
    }

    /// Returns the model that an interaction uses, and where it is served.
    pub(super) fn route<'a>(
        &'a self,
        interaction: &str,
        preferences: &'a ModelPreferences,
    ) -> Result<(&'a ModelPreference, &'a Route), RuntimeError> {
        let no_provider = |model: &str| RuntimeError::NoProvider {
            interaction: interaction.to_owned(),
            model: model.to_owned(),
        };
        let Some(preference) = preferences.get(interaction).or(self.default.as_ref()) else {
            return Err(no_provider("default"));
        };
        let route = self
            .routes
            .get(&preference.llm_name)
            .or(self.everything_else.as_ref());
        let route = route.ok_or_else(|| no_provider(&preference.llm_name))?;
        Ok((preference, route))
    }
}

/// Returns what answers for a provider of this kind; the error says why nothing can.
fn backend(
    http: &reqwest::Client,
    kind: ProviderKind,
    answer_format: AnswerFormat,
) -> Result<Backend, String> {
    let or = |url: Option<String>, default: &str| url.unwrap_or_else(|| default.to_owned());
    let (protocol, base_url, key) = match kind {
        ProviderKind::OpenAiCompatible { base_url, key } => (Protocol::OpenAi, base_url, key),
        ProviderKind::Anthropic { base_url, key } => {
            let url = or(base_url, "https://api.anthropic.com/v1/");
            (Protocol::Anthropic, url, key)
        }
        ProviderKind::Gemini { base_url, key } => {
            let url = or(base_url, "https://generativelanguage.googleapis.com/v1beta/");
            (Protocol::Gemini, url, key)
        }
        ProviderKind::Ollama { base_url } => {
            (Protocol::Ollama, or(base_url, "http://localhost:11434/"), None)
        }
        ProviderKind::Scripted(script) => return Ok(Backend::Scripted(script)),
    };
    Hosted::new(http, protocol, &base_url, key.as_deref(), answer_format).map(Backend::Hosted)
}

/// Returns the mark that an operator named.
fn mark(open: &str) -> Result<Mark, String> {
    Mark::that_opens(open).ok_or_else(|| {
        format!(
            "`swallowed_mark` is `{}`, which begins no thoughts that are known",
            forge_domain::shortened(open)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(name: &str) -> ProviderSettings {
        ProviderSettings {
            name: name.to_owned(),
            kind: ProviderKind::Scripted(Script::default()),
            answer_format: AnswerFormat::Text,
            swallowed_mark: None,
        }
    }

    fn route(provider: &str) -> ModelRoute {
        ModelRoute {
            model: "m".to_owned(),
            provider: provider.to_owned(),
            provider_model: "x".to_owned(),
        }
    }

    #[test]
    fn providers_and_models_have_to_fit_together() {
        let default = |name: &str| {
            Some(ModelPreference {
                llm_name: name.to_owned(),
                params: Map::new(),
            })
        };
        let made = |providers: &[&str], served_by: &str, default: Option<ModelPreference>| {
            let providers = providers.iter().map(|name| provider(name)).collect();
            Models::new(providers, vec![route(served_by)], default).err()
        };
        assert_eq!(made(&["p", "q"], "p", default("m")), None);
        assert_eq!(
            made(&["p", "p"], "p", None),
            Some(InvalidModels::DuplicateProvider("p".to_owned()))
        );
        assert!(matches!(
            made(&["p"], "q", None),
            Some(InvalidModels::UnknownProvider { .. })
        ));
        assert_eq!(
            made(&["p"], "p", default("n")),
            Some(InvalidModels::UnservedDefault("n".to_owned()))
        );
    }
}
