//! Models.

use forge_domain::model::ModelDescription;
use serde::Serialize;
use serde_json::Value;

use crate::rfc3339;

/// A model, with our additions to the contract's two fields.
#[derive(Debug, Serialize)]
pub struct Model<'a> {
    /// Its name.
    pub name: &'a str,
    /// JSON Schema of its parameters.
    pub params_model_schema: &'a Value,
    /// Who serves it.
    pub provider: &'a str,
    /// From when on it is no longer served, where known.
    pub retires_at: Option<String>,
}

impl<'a> From<&'a ModelDescription> for Model<'a> {
    fn from(model: &'a ModelDescription) -> Self {
        Self {
            name: &model.name,
            params_model_schema: &model.params_schema,
            provider: &model.provider,
            retires_at: model.retires_at.map(rfc3339),
        }
    }
}

/// The answer of get-models.
#[derive(Debug, Serialize)]
pub struct Models<'a> {
    /// Every model.
    pub models: Vec<Model<'a>>,
}
