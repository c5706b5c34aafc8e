//! The language models that an installation offers.
//!
//! The catalogue is data: a built-in table (`models.json`), which the installation's configuration extends or
//! replaces. A version set may only prefer a model of the catalogue that is not retired, with parameters that the
//! model's schema admits.

use std::sync::Arc;

use indexmap::IndexMap;
use jsonschema::Validator;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::number;
use crate::text::{cut, shortened};
use crate::time::Timestamp;

/// How many faults of a model's parameters are told, and how many characters of each.
const MOST_REASONS: usize = 10;
const MOST_LETTERS: usize = 300;

/// Parameters that say what is asked of whom, in the words of the providers that Forge speaks with.
///
/// They are Forge's to set, whatever the model's schema admits: otherwise another model would answer than the one that
/// everybody is shown, or another question.
const RESERVED: [&str; 14] = [
    "model",
    "messages",
    "system",
    "contents",
    "systemInstruction",
    "system_instruction",
    "cachedContent",
    "cached_content",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
];

/// Returns `true` if a parameter of that name is Forge's to set.
pub fn is_reserved(parameter: &str) -> bool {
    RESERVED.contains(&parameter)
}

/// The model preferred for one interaction, and how to call it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelPreference {
    /// A name from the catalogue.
    pub llm_name: String,
    /// Parameters that the model's schema admits.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// Parameters are compared by value: `1` and `1.0` are the same number.
impl PartialEq for ModelPreference {
    fn eq(&self, other: &Self) -> bool {
        let is_equal = |(name, value): (&String, &Value)| {
            let other = other.params.get(name);
            other.is_some_and(|other| number::is_same(value, other))
        };
        self.llm_name == other.llm_name
            && self.params.len() == other.params.len()
            && self.params.iter().all(is_equal)
    }
}

/// Preferred models by interaction; an interaction that is absent uses its own default.
pub type ModelPreferences = IndexMap<String, ModelPreference>;

/// A model, as the catalogue describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDescription {
    /// The name that preferences use.
    pub name: String,
    /// Who serves it.
    pub provider: String,
    /// JSON Schema of the parameters; by default any object.
    #[serde(default = "any_object")]
    pub params_schema: Value,
    /// The moment from which the provider no longer serves it, where known.
    #[serde(default)]
    pub retires_at: Option<Timestamp>,
}

fn any_object() -> Value {
    serde_json::json!({"type": "object"})
}

/// Every model of an installation, in the order they are listed.
#[derive(Debug, Clone)]
pub struct ModelCatalogue {
    models: Arc<IndexMap<String, CatalogueEntry>>,
}

#[derive(Debug)]
struct CatalogueEntry {
    description: ModelDescription,
    parameters: Validator,
}

/// The description of a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the parameter schema of model `{model}` is no JSON Schema: {reason}")]
pub struct InvalidModel {
    /// The model described.
    pub model: String,
    /// What is wrong with its schema.
    pub reason: String,
}

/// Why a preferred model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelProblem {
    /// The catalogue does not have it.
    Unknown,
    /// Its provider no longer serves it.
    Retired,
    /// Its schema does not admit the parameters; says where and why.
    Parameters(String),
}

#[derive(Deserialize)]
struct BuiltinTable {
    parameter_schemas: IndexMap<String, Value>,
    models: Vec<BuiltinModel>,
}

#[derive(Deserialize)]
struct BuiltinModel {
    name: String,
    provider: String,
    parameters: String,
}

/// Returns the models that every installation knows unless its configuration replaces them.
///
/// Their names are the contract's `LLMType`. No retirement dates are built in: providers move them, and an
/// outdated one would block a release; an installation states those that bind it in its configuration.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test reads the whole built-in table"
)]
pub fn builtin_models() -> Vec<ModelDescription> {
    let table: BuiltinTable =
        serde_json::from_str(include_str!("models.json")).expect("the built-in table is valid");
    let describe = |model: BuiltinModel| ModelDescription {
        params_schema: table.parameter_schemas[&model.parameters].clone(),
        name: model.name,
        provider: model.provider,
        retires_at: None,
    };
    table.models.into_iter().map(describe).collect()
}

impl ModelCatalogue {
    /// Creates a catalogue; of several descriptions of one name the last counts, at the place of the first.
    pub fn new(descriptions: impl IntoIterator<Item = ModelDescription>) -> Result<Self, InvalidModel> {
        let mut models = IndexMap::new();
        for description in descriptions {
            let parameters =
                jsonschema::validator_for(&description.params_schema).map_err(|error| InvalidModel {
                    model: description.name.clone(),
                    reason: error.to_string(),
                })?;
            models.insert(
                description.name.clone(),
                CatalogueEntry {
                    description,
                    parameters,
                },
            );
        }
        Ok(Self {
            models: Arc::new(models),
        })
    }

    /// Returns the descriptions of all models.
    pub fn descriptions(&self) -> impl Iterator<Item = &ModelDescription> {
        self.models.values().map(|entry| &entry.description)
    }

    /// Returns when a model retires, where it is known and that is said of it.
    pub fn retires_at(&self, model: &str) -> Option<Timestamp> {
        self.models.get(model)?.description.retires_at
    }

    /// Returns what keeps the preferred model from being used at `now`, if anything does.
    pub fn problem(&self, preference: &ModelPreference, now: Timestamp) -> Option<ModelProblem> {
        let Some(entry) = self.models.get(&preference.llm_name) else {
            return Some(ModelProblem::Unknown);
        };
        if entry
            .description
            .retires_at
            .is_some_and(|retires_at| retires_at <= now)
        {
            return Some(ModelProblem::Retired);
        }
        let params = Value::Object(preference.params.clone());
        let reserved = preference.params.keys().filter(|name| is_reserved(name));
        let reserved = reserved.map(|name| format!("`{name}` is not a parameter: Forge sets it"));
        let misfits = entry.parameters.iter_errors(&params).map(|error| {
            let text = error.to_string();
            let reason = cut(&text, MOST_LETTERS);
            match error.instance_path().as_str() {
                "" => reason.into_owned(),
                place => format!("{}: {reason}", shortened(place.trim_start_matches('/'))),
            }
        });
        let reasons: Vec<String> = reserved.chain(misfits).take(MOST_REASONS).collect();
        (!reasons.is_empty()).then(|| ModelProblem::Parameters(reasons.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn preference(name: &str, params: Value) -> ModelPreference {
        serde_json::from_value(json!({"llm_name": name, "params": params})).unwrap()
    }

    #[test]
    fn the_builtin_table_is_complete() {
        let catalogue = ModelCatalogue::new(builtin_models()).unwrap();
        assert_eq!(catalogue.descriptions().count(), 20);
        for model in catalogue.descriptions() {
            assert_eq!(catalogue.problem(&preference(&model.name, json!({})), NOW), None);
        }
    }

    #[test]
    fn faults_of_parameters_are_told_in_short() {
        let catalogue = ModelCatalogue::new(builtin_models()).unwrap();
        let name = catalogue.descriptions().next().unwrap().name.clone();
        let params: Map<String, Value> = (0..500)
            .map(|n| (format!("x{n}{}", "y".repeat(500)), json!(1)))
            .collect();
        let Some(ModelProblem::Parameters(told)) = catalogue.problem(&preference(&name, params.into()), NOW)
        else {
            panic!("these parameters are admitted");
        };
        assert!(told.len() < MOST_REASONS * (MOST_LETTERS + 100), "{}", told.len());
    }

    #[test]
    fn parameters_must_fit_the_models_schema() {
        let catalogue = ModelCatalogue::new(builtin_models()).unwrap();
        let problem = |params| catalogue.problem(&preference("aws_claude-sonnet-4-6", params), NOW);
        assert_eq!(problem(json!({"temperature": 0.5})), None);
        for bad in [
            json!({"temperature": 3}),
            json!({"temperature": "warm"}),
            json!({"temprature": 1}),
        ] {
            assert!(
                matches!(problem(bad.clone()), Some(ModelProblem::Parameters(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn no_parameter_says_what_is_asked_of_whom() {
        let open = ModelDescription {
            name: "m".into(),
            provider: "p".into(),
            params_schema: any_object(),
            retires_at: None,
        };
        let catalogue = ModelCatalogue::new([open]).unwrap();
        for name in RESERVED {
            let problem = catalogue.problem(&preference("m", json!({name: "dear"})), NOW);
            let Some(ModelProblem::Parameters(told)) = problem else {
                panic!("{name} is admitted");
            };
            assert_eq!(told, format!("`{name}` is not a parameter: Forge sets it"));
        }
        assert_eq!(
            catalogue.problem(&preference("m", json!({"top_k": 3})), NOW),
            None
        );
    }

    #[test]
    fn unknown_and_retired_models_cannot_be_used() {
        let model = |retires_at| ModelDescription {
            name: "m".into(),
            provider: "p".into(),
            params_schema: any_object(),
            retires_at,
        };
        let problem = |retires_at, name| {
            ModelCatalogue::new([model(retires_at)])
                .unwrap()
                .problem(&preference(name, json!({"x": 1})), NOW)
        };
        assert_eq!(problem(None, "n"), Some(ModelProblem::Unknown));
        assert_eq!(problem(None, "m"), None);
        assert_eq!(problem(Some(NOW.plus_seconds(1)), "m"), None);
        assert_eq!(problem(Some(NOW), "m"), Some(ModelProblem::Retired));
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        let description = ModelDescription {
            name: "m".into(),
            provider: "p".into(),
            params_schema: json!({"type": "nonsense"}),
            retires_at: None,
        };
        assert!(ModelCatalogue::new([description]).is_err());
    }
}
