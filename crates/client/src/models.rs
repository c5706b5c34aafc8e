//! The models that a server offers.

use serde::Deserialize;

use crate::request::Request;
use crate::{Client, ClientError, Document};

/// The models that a server offers.
#[derive(Debug, Clone, Deserialize)]
pub struct Models {
    /// Each of them.
    pub models: Vec<Model>,
}

/// A model.
#[derive(Debug, Clone, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Who serves it.
    #[serde(default)]
    pub provider: String,
    /// From when on it is no longer served, in RFC 3339, or `None` if that is not known.
    #[serde(default)]
    pub retires_at: Option<String>,
}

impl Client {
    /// Lists the models that version sets may prefer.
    ///
    /// # Errors
    ///
    /// Fails as every call does (see [`ClientError`]).
    pub async fn models(&self) -> Result<Document<Models>, ClientError> {
        self.read(Request::get("admin/get_models/")).await
    }
}
