//! A schema of the document that values of requests are read by.

use std::sync::{Arc, OnceLock};

use forge_domain::fault::Fault;
use jsonschema::{Registry, Validator};
use serde_json::Value;

use super::document::reference;
use super::reading::{faults, normalise};

/// A schema that values are read by; its validator is made when it is first needed.
pub(super) struct ReadSchema {
    /// The schema, with references into the document.
    pub(super) schema: Value,
    pub(super) pointer: String,
    pub(super) document: Arc<Registry<'static>>,
    pub(super) definitions: Arc<Value>,
    validator: OnceLock<Validator>,
}

impl ReadSchema {
    /// Makes the schema that stands at a place of the document.
    pub(super) fn new(
        schema: Value,
        pointer: String,
        document: &Arc<Registry<'static>>,
        definitions: &Arc<Value>,
    ) -> Self {
        Self {
            schema,
            pointer,
            document: Arc::clone(document),
            definitions: Arc::clone(definitions),
            validator: OnceLock::new(),
        }
    }

    #[expect(
        clippy::expect_used,
        reason = "a test builds the validator of every schema of the document"
    )]
    pub(super) fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| {
            jsonschema::options()
                .with_registry(&self.document)
                .should_validate_formats(true)
                .build(&reference(&self.pointer))
                .expect("the contract's schemas are sound")
        })
    }

    pub(super) fn read(&self, mut value: Value) -> Result<Value, Vec<Fault>> {
        let mut found = normalise(&mut value, &self.schema, &self.definitions);
        found.extend(faults(self.validator(), &value));
        if found.is_empty() { Ok(value) } else { Err(found) }
    }

    /// Reads a value exactly as it is.
    pub(super) fn read_as_is(&self, value: Value) -> Result<Value, Vec<Fault>> {
        let found = faults(self.validator(), &value);
        if found.is_empty() { Ok(value) } else { Err(found) }
    }
}
