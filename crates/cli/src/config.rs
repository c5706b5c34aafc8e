//! `forge.toml`: what an installation offers. Everything in it is optional; an unknown key is an error.

mod runtime;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use forge_app::Catalogues;
use forge_contract::contract;
use forge_domain::ToolId;
use forge_domain::agent::VoiceCatalogue;
use forge_domain::model::{ModelCatalogue, ModelDescription, builtin_models};
use serde::Deserialize;

use crate::error::{Context as _, Failure, Result};
use crate::input;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    models: Models,
    voices: Voices,
    tools: Vec<Tool>,
    providers: Vec<runtime::Provider>,
    runtime: runtime::RuntimeTable,
    limits: Limits,
    rate_limits: RateLimits,
    maintenance: Maintenance,
    simulations: Simulations,
    cors: Cors,
}

/// `[cors]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Cors {
    /// The origins whose pages may call the API from a browser.
    origins: Vec<String>,
}

impl Cors {
    fn origins(&self) -> Result<Vec<String>> {
        let origin = |text: &String| {
            let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
            let is_origin =
                host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*']));
            let is_text = text.bytes().all(|byte| byte.is_ascii_graphic());
            (is_origin && is_text).then(|| text.clone()).with_context(|| {
                format!("[cors] origins: `{text}` is no origin; expected a scheme and a host, such as `https://app.example.com`")
            })
        };
        self.origins.iter().map(origin).collect()
    }
}

/// `[rate_limits]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RateLimits {
    enabled: bool,
    /// Requests a minute by operation id, in place of the contract's.
    per_minute: HashMap<String, u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            enabled: true,
            per_minute: HashMap::new(),
        }
    }
}

/// `[maintenance]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Maintenance {
    /// Whether runtimes go on resolving.
    resolve: bool,
}

/// `[simulations]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Simulations {
    /// How many conversations of simulations the server holds at once.
    parallel: Option<usize>,
}

/// `[models]`: extends the built-in table, or replaces it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Models {
    replace: bool,
    model: Vec<Model>,
}

/// `[[models.model]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    name: String,
    provider: String,
    /// What the provider calls it; absent: its name without the provider's.
    #[serde(rename = "provider_model")]
    name_at_provider: Option<String>,
    /// JSON Schema of the parameters; absent: that of the built-in model of the same name, or any object.
    params_schema: Option<serde_json::Value>,
    /// RFC 3339.
    retires_at: Option<String>,
}

/// `[voices]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Voices {
    /// The only voices that agents may use; absent: any.
    allowed: Option<Vec<String>>,
}

/// `[[tools]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    id: ToolId,
    name: String,
    #[serde(flatten)]
    call: runtime::Call,
}

/// `[limits]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    max_body_bytes: Option<usize>,
    bodies_bytes: Option<usize>,
    answers_bytes: Option<usize>,
    max_headers: Option<usize>,
    max_header_bytes: Option<usize>,
    body_seconds: Option<u64>,
    write_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
    max_connections: Option<usize>,
}

impl Config {
    /// Reads a file; one that was not asked for by name may be missing.
    pub(crate) fn read(path: &Path, is_required: bool) -> Result<Self> {
        match input::file(path, input::LONGEST) {
            Ok(bytes) => input::text(bytes)
                .map_err(Failure::failed)
                .and_then(|text| {
                    toml::from_str(&text)
                        .map_err(|error| Failure::failed(input::without_types(&error.to_string())))
                })
                .with_context(|| format!("{} is not valid", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !is_required => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub(crate) fn limits(&self) -> Result<forge_api::Limits> {
        let default = forge_api::Limits::default();
        if let Some(unknown) = self
            .rate_limits
            .per_minute
            .keys()
            .find(|id| contract().operation(id).is_none())
        {
            return Err(Failure::failed(format!(
                "[rate_limits.per_minute] names `{unknown}`, which is no operation"
            )));
        }
        Ok(forge_api::Limits {
            max_body_bytes: self.limits.max_body_bytes.unwrap_or(default.max_body_bytes),
            bodies_bytes: self.limits.bodies_bytes.unwrap_or(default.bodies_bytes),
            answers_bytes: self.limits.answers_bytes.unwrap_or(default.answers_bytes),
            max_headers: self.limits.max_headers.unwrap_or(default.max_headers),
            max_header_bytes: self.limits.max_header_bytes.unwrap_or(default.max_header_bytes),
            body_timeout: self
                .limits
                .body_seconds
                .map_or(default.body_timeout, Duration::from_secs),
            write_timeout: self
                .limits
                .write_seconds
                .map_or(default.write_timeout, Duration::from_secs),
            heartbeat: self
                .limits
                .heartbeat_seconds
                .map_or(default.heartbeat, Duration::from_secs),
            max_connections: self.limits.max_connections.unwrap_or(default.max_connections),
            allowed_origins: self.cors.origins()?,
            rates: forge_api::RateLimits {
                is_off: !self.rate_limits.enabled,
                per_minute: self.rate_limits.per_minute.clone(),
            },
            resolve_in_maintenance: self.maintenance.resolve,
            parallel_simulations: self.simulations.parallel.unwrap_or(default.parallel_simulations),
        })
    }

    /// Returns the names of all models, each with its provider.
    fn descriptions(&self) -> Vec<(String, String)> {
        let builtin = if self.models.replace {
            Vec::new()
        } else {
            builtin_models()
        };
        let own = self
            .models
            .model
            .iter()
            .map(|model| (model.name.clone(), model.provider.clone()));
        let is_amended = |name: &str| self.models.model.iter().any(|model| model.name == name);
        let builtin = builtin.into_iter().filter(|model| !is_amended(&model.name));
        builtin
            .map(|model| (model.name, model.provider))
            .chain(own)
            .collect()
    }

    pub(crate) fn catalogues(&self) -> Result<Catalogues> {
        let builtin = builtin_models();
        let mut descriptions = if self.models.replace {
            Vec::new()
        } else {
            builtin.clone()
        };
        for model in &self.models.model {
            let known = builtin.iter().find(|known| known.name == model.name);
            descriptions.push(describe(model, known)?);
        }
        Ok(Catalogues {
            models: ModelCatalogue::new(descriptions)?,
            voices: self
                .voices
                .allowed
                .clone()
                .map_or(VoiceCatalogue::Any, VoiceCatalogue::Only),
            tools: self.tools.iter().map(|tool| tool.id).collect::<HashSet<_>>(),
        })
    }
}

fn describe(model: &Model, known: Option<&ModelDescription>) -> Result<ModelDescription> {
    let retires_at = match &model.retires_at {
        Some(text) => Some(forge_wire::parse_rfc3339(text).with_context(|| {
            format!(
                "model `{}`: `retires_at` must be a time such as 2026-12-31T00:00:00Z, not `{text}`",
                model.name
            )
        })?),
        None => None,
    };
    let params_schema = model
        .params_schema
        .clone()
        .or_else(|| known.map(|known| known.params_schema.clone()));
    Ok(ModelDescription {
        name: model.name.clone(),
        provider: model.provider.clone(),
        params_schema: params_schema.unwrap_or_else(|| serde_json::json!({"type": "object"})),
        retires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogues(text: &str) -> Result<Catalogues> {
        toml::from_str::<Config>(text)?.catalogues()
    }

    #[test]
    fn an_empty_file_offers_what_is_built_in() {
        let catalogues = catalogues("").unwrap();
        assert_eq!(catalogues.models.descriptions().count(), 20);
        assert!(catalogues.tools.is_empty() && catalogues.voices.has("any"));
    }

    #[test]
    fn models_are_extended_or_replaced() {
        let own = "[[models.model]]\nname = \"own\"\nprovider = \"us\"\n";
        assert_eq!(catalogues(own).unwrap().models.descriptions().count(), 21);
        let only = format!("[models]\nreplace = true\n{own}retires_at = \"2027-01-01T00:00:00Z\"\n");
        let models = catalogues(&only).unwrap().models;
        let model = models.descriptions().next().unwrap();
        assert_eq!((model.name.as_str(), model.retires_at.is_some()), ("own", true));
        let retired = "[[models.model]]\nname = \"google_gemini-2.5-pro\"\nprovider = \"google\"\n\
            retires_at = \"2026-01-01T00:00:00Z\"";
        let models = catalogues(retired).unwrap().models;
        assert_eq!(
            models.descriptions().count(),
            20,
            "a built-in model is amended at its place"
        );
        let gemini = models
            .descriptions()
            .find(|model| model.name == "google_gemini-2.5-pro")
            .unwrap();
        assert!(gemini.retires_at.is_some() && gemini.params_schema["properties"]["top_k"].is_object());
    }

    #[test]
    fn limits_are_set_and_checked() {
        let limits = |text: &str| toml::from_str::<Config>(text).unwrap().limits();
        assert!(!limits("").unwrap().rates.is_off);
        assert!(limits("[rate_limits]\nenabled = false").unwrap().rates.is_off);
        let set = limits("[rate_limits.per_minute]\ncreate-agent = 100").unwrap();
        assert_eq!(set.rates.per_minute["create-agent"], 100);
        assert!(limits("[rate_limits.per_minute]\ncreate-agnet = 100").is_err());
        assert_eq!(limits("[limits]\nmax_headers = 7").unwrap().max_headers, 7);
        assert_eq!(
            limits("[simulations]\nparallel = 0")
                .unwrap()
                .parallel_simulations,
            0
        );
        assert!(
            limits("[maintenance]\nresolve = true")
                .unwrap()
                .resolve_in_maintenance
        );
    }

    #[test]
    fn mistakes_are_told() {
        for bad in [
            "modles = 1",
            "[models]\nreplase = true",
            "[[tools]]\nid = \"x\"\nname = \"n\"",
            "[[models.model]]\nname = \"m\"\nprovider = \"p\"\nretires_at = \"soon\"",
            "[[models.model]]\nname = \"m\"\nprovider = \"p\"\nparams_schema = { type = \"nonsense\" }",
        ] {
            assert!(catalogues(bad).is_err(), "{bad}");
        }
    }
}
