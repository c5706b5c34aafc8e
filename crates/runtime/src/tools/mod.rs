//! Tools: what agents can call over HTTP.

mod call;
mod version;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use forge_domain::ToolId;
use jsonschema::Validator;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

pub(crate) use call::{ToolFailure, Validated};
pub(crate) use version::satisfies;

/// The tools of an installation.
#[derive(Debug, Default)]
pub struct Tools {
    by_id: HashMap<ToolId, Tool>,
}

/// A tool, as an installation configures it.
#[derive(Clone)]
pub struct ToolSettings {
    /// Its id, which context graphs refer to.
    pub id: ToolId,
    /// The name that models call it by.
    pub name: String,
    /// Its version, which version constraints are about, such as `1` or `2.1`.
    pub version: String,
    /// What it does, for models.
    pub description: String,
    /// Where it is called, by POST with the parameters as JSON.
    pub url: String,
    /// JSON Schema of its parameters.
    pub parameters: Value,
    /// How long a call may take.
    pub timeout: Duration,
    /// Headers of every call; their values may be secrets.
    pub headers: Vec<(String, String)>,
}

/// A tool that can be called.
pub(crate) struct Tool {
    pub(crate) id: ToolId,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) parameters: Value,
    validator: Validator,
    http: reqwest::Client,
    url: Url,
    timeout: Duration,
    headers: HeaderMap,
}

/// A tool cannot be used as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tool `{tool}`: {reason}")]
pub struct InvalidTool {
    /// The tool's name.
    pub tool: String,
    /// What is wrong; never the value of a header.
    pub reason: String,
}

impl fmt::Debug for ToolSettings {
    /// Leaves URL and headers out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolSettings")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Tool {
    /// Leaves URL and headers out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Tools {
    /// Creates the tools of an installation.
    pub fn new(settings: Vec<ToolSettings>) -> Result<Self, InvalidTool> {
        let mut by_id = HashMap::new();
        if settings.is_empty() {
            return Ok(Self { by_id });
        }
        let http = crate::http::client();
        for settings in settings {
            let invalid = |reason: String| InvalidTool {
                tool: settings.name.clone(),
                reason,
            };
            let tool = Tool::new(http.clone().map_err(invalid)?, settings)?;
            let is_known = by_id.values().any(|known: &Tool| known.name == tool.name);
            let invalid = |reason: &str| InvalidTool {
                tool: tool.name.clone(),
                reason: reason.to_owned(),
            };
            if is_known {
                return Err(invalid("another tool has this name"));
            }
            if by_id.contains_key(&tool.id) {
                return Err(invalid("another tool has its id"));
            }
            by_id.insert(tool.id, tool);
        }
        Ok(Self { by_id })
    }

    pub(crate) fn find(&self, id: ToolId) -> Option<&Tool> {
        self.by_id.get(&id)
    }
}

impl Tool {
    fn new(http: reqwest::Client, settings: ToolSettings) -> Result<Self, InvalidTool> {
        let invalid = |reason: String| InvalidTool {
            tool: settings.name.clone(),
            reason,
        };
        let url: Url = settings
            .url
            .parse()
            .map_err(|error| invalid(format!("`{}` is no URL: {error}", settings.url)))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("its URL must begin with http:// or https://".to_owned()));
        }
        if !version::is_version(&settings.version) {
            return Err(invalid(format!(
                "`{}` is no version such as 1 or 2.1",
                settings.version
            )));
        }
        let validator = jsonschema::validator_for(&settings.parameters)
            .map_err(|error| invalid(format!("`parameters` is no JSON Schema: {error}")))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name: HeaderName = name
                .parse()
                .map_err(|_| invalid(format!("`{name}` is no name of a header")))?;
            let mut value: HeaderValue = value
                .parse()
                .map_err(|_| invalid(format!("the value of header `{name}` cannot be sent")))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self {
            id: settings.id,
            name: settings.name,
            version: settings.version,
            description: settings.description,
            parameters: settings.parameters,
            validator,
            http,
            url,
            timeout: settings.timeout,
            headers,
        })
    }
}
