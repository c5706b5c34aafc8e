//! Personas: who talks in simulations.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::kind;
use crate::item::{DetailsFilter, Item, ItemDetails, ItemDocument, ItemKind, UpdateTags};
use crate::tag::Tags;
use crate::user::{Preferences, Variables};

/// A persona, without its versions.
pub type Persona = Item<PersonaDetails>;

/// What only personas have.
///
/// The tag stands for the kind in what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "persona")]
pub struct PersonaDetails {
    /// What they are to the service.
    pub role: String,
}

impl ItemDetails for PersonaDetails {
    const KIND: ItemKind = ItemKind::Persona;
    type IdKind = kind::Persona;
    type Document = PersonaDocument;
    type Update = UpdateTags;
    type Filter = PersonaFilter;

    fn audit_fields(&self, _: bool) -> Vec<(&'static str, Value)> {
        vec![("role", self.role.clone().into())]
    }
}

/// Which personas are wanted.
#[derive(Debug, Clone, Default)]
pub struct PersonaFilter {
    /// Those with one of these roles; empty admits all.
    pub roles: Vec<String>,
}

impl DetailsFilter<PersonaDetails> for PersonaFilter {
    /// The roles that personas have.
    type Values = BTreeSet<String>;

    fn admits(&self, persona: &Persona) -> bool {
        self.roles.is_empty() || self.roles.contains(&persona.details.role)
    }

    fn add_values(values: &mut Self::Values, persona: &Persona) {
        values.insert(persona.details.role.clone());
    }
}

/// A persona to be created.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are those of a persona")]
pub struct CreatePersona {
    pub name: String,
    pub role: String,
    pub tags: Tags,
    pub content: PersonaContent,
}

/// The content of a new version of a persona, as a caller gives it.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are those of a persona")]
pub struct PersonaContent {
    pub background: String,
    /// `None` stands for the organization's; `Some(None)` for none.
    pub preferred_language: Option<Option<String>>,
    /// `None` stands for the organization's; `Some(None)` for none.
    pub timezone: Option<Option<String>>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: Variables,
    pub sensitive_user_variables: Variables,
}

impl PersonaContent {
    /// Returns the content with what the organization's users start with where the caller does not say.
    pub fn complete(self, defaults: Preferences) -> PersonaDocument {
        PersonaDocument {
            background: self.background,
            preferred_language: self.preferred_language.unwrap_or(defaults.preferred_language),
            timezone: self.timezone.unwrap_or(defaults.timezone),
            user_models: self.user_models,
            nonsensitive_user_variables: self.nonsensitive_user_variables,
            sensitive_user_variables: self.sensitive_user_variables,
        }
    }
}

/// The content of one version of a persona: who talks.
///
/// It cannot be printed whole: some of the variables are secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct PersonaDocument {
    pub background: String,
    pub preferred_language: Option<String>,
    pub timezone: Option<String>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: Variables,
    pub sensitive_user_variables: Variables,
}

impl std::fmt::Debug for PersonaDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonaDocument")
            .field("background", &self.background)
            .field("user_models", &self.user_models)
            .finish_non_exhaustive()
    }
}

impl ItemDocument for PersonaDocument {
    fn searched_text(&self) -> String {
        self.background.clone()
    }

    fn take_secrets(&mut self) -> Variables {
        std::mem::take(&mut self.sensitive_user_variables)
    }

    fn put_secrets(&mut self, secrets: Variables) {
        self.sensitive_user_variables = secrets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_persona_are_neither_searched_nor_printed() {
        let persona = serde_json::json!({
            "background": "Impatient.", "preferred_language": null, "timezone": null, "user_models": [],
            "nonsensitive_user_variables": {}, "sensitive_user_variables": {"pin": "0815-secret"},
        });
        let mut document: PersonaDocument = serde_json::from_value(persona).unwrap();
        assert_eq!(document.searched_text(), "Impatient.");
        assert!(!format!("{document:?}").contains("0815-secret"));
        let secrets = document.take_secrets();
        assert!(!serde_json::to_string(&document).unwrap().contains("0815-secret"));
        document.put_secrets(secrets);
        assert_eq!(document.sensitive_user_variables["pin"], "0815-secret");
    }
}
