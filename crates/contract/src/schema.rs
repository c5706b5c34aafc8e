//! A schema of the document that values of requests are read by.

use std::sync::Arc;

use forge_domain::fault::{Fault, Faults};
use serde_json::Value;

use super::finding::Schemas;
use super::reading::normalise;

/// A schema that values are read by.
pub(super) struct ReadSchema {
    /// The schema, with references into the document.
    pub(super) schema: Value,
    pub(super) definitions: Arc<Value>,
    pointer: String,
    schemas: Arc<Schemas>,
}

impl ReadSchema {
    /// Creates the schema that stands at a place of the document.
    pub(super) fn new(
        schema: Value,
        pointer: String,
        schemas: &Arc<Schemas>,
        definitions: &Arc<Value>,
    ) -> Self {
        Self {
            schema,
            definitions: Arc::clone(definitions),
            pointer,
            schemas: Arc::clone(schemas),
        }
    }

    /// Makes the validator, which otherwise happens when it is first needed.
    pub(super) fn build_validator(&self) {
        self.schemas.validator(&self.pointer);
    }

    /// Brings a value into form, and refuses it unless the schema admits it.
    pub(super) fn read(&self, mut value: Value) -> Result<Value, Vec<Fault>> {
        let mut found = normalise(&mut value, &self.schema, &self.definitions);
        if !found.is_full() {
            self.schemas.find_faults(&self.pointer, &value, &mut found);
        }
        found.unless_empty().map(|()| value)
    }

    /// Reads a value exactly as it is.
    pub(super) fn read_as_is(&self, value: Value) -> Result<Value, Vec<Fault>> {
        let mut found = Faults::default();
        self.schemas.find_faults(&self.pointer, &value, &mut found);
        found.unless_empty().map(|()| value)
    }
}
