//! Personas: who talks in simulations.

use forge_domain::item::{ItemDetails, ItemDocument, ItemKind};
use forge_domain::service::Tags;
use forge_domain::simulation::PersonaDocument;
use forge_domain::user::Variables;
use forge_domain::{OrganizationId, VersionNumber};
use forge_store::Tx;

use super::{CreateItem, authorize_create, versions};
use crate::{AppError, Ctx, Written};

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

/// The content of a new version of a persona.
///
/// It cannot be printed: some of the variables are secrets.
#[derive(Clone)]
#[expect(missing_docs, reason = "the fields are those of a persona")]
pub struct PersonaContent {
    pub background: String,
    /// Nothing stands for the organization's; `Some(None)` for none.
    pub preferred_language: Option<Option<String>>,
    /// Nothing stands for the organization's; `Some(None)` for none.
    pub timezone: Option<Option<String>>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: Variables,
    pub sensitive_user_variables: Variables,
}

impl PersonaContent {
    /// Returns the content with what the organization has where the caller does not say.
    async fn complete(self, tx: &mut Tx, organization: &OrganizationId) -> Result<ItemDocument, AppError> {
        let organization = tx.find_organization(organization).await?;
        let defaults = organization.map(|organization| organization.default_user_preferences);
        let defaults = defaults.unwrap_or_default();
        Ok(ItemDocument::Persona(PersonaDocument {
            background: self.background,
            preferred_language: self.preferred_language.unwrap_or(defaults.preferred_language),
            timezone: self.timezone.unwrap_or(defaults.timezone),
            user_models: self.user_models,
            nonsensitive_user_variables: self.nonsensitive_user_variables,
            sensitive_user_variables: self.sensitive_user_variables,
        }))
    }
}

/// Creates a persona with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreatePersona) -> Result<Written<String>, AppError> {
    authorize_create(ctx.caller, ItemKind::Persona, &create.name)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let document = create.content.complete(&mut tx, &ctx.caller.organization).await?;
    let item = CreateItem {
        name: create.name,
        is_active: true,
        tags: create.tags,
        details: ItemDetails::Persona { role: create.role },
    };
    super::create(ctx, tx, item, document).await
}

/// Creates the next version of a persona.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: &str,
    expected: Option<VersionNumber>,
    content: PersonaContent,
) -> Result<Written<VersionNumber>, AppError> {
    let (mut tx, item) = versions::begin_version(ctx, ItemKind::Persona, id).await?;
    let document = content.complete(&mut tx, &ctx.caller.organization).await?;
    versions::add_version(ctx, tx, &item, expected, document).await
}
