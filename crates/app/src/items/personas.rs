//! Personas: who talks in simulations.

use forge_domain::item::{CreateItem, ItemFields};
use forge_domain::simulation::{CreatePersona, PersonaDetails};
use forge_domain::simulation::{PersonaContent, PersonaDocument};
use forge_domain::{OrganizationId, PersonaId, VersionNumber};
use forge_store::Tx;

use super::{authorize_create, versions};
use crate::{AppError, Ctx, Written};

/// Returns content with what the organization has where the caller does not say.
async fn completed(
    tx: &mut Tx,
    organization: &OrganizationId,
    content: PersonaContent,
) -> Result<PersonaDocument, AppError> {
    let organization = tx.find_organization(organization).await?;
    let defaults = organization.map(|organization| organization.default_user_preferences);
    Ok(content.complete(defaults.unwrap_or_default()))
}

/// Creates a persona with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreatePersona) -> Result<Written<PersonaId>, AppError> {
    authorize_create::<PersonaDetails>(ctx.caller, &create.name)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let create = CreateItem {
        fields: ItemFields {
            name: create.name,
            is_active: true,
            tags: create.tags,
            details: PersonaDetails { role: create.role },
        },
        document: completed(&mut tx, &ctx.caller.organization, create.content).await?,
    };
    super::create(ctx, tx, create).await
}

/// Creates the next version of a persona.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: PersonaId,
    expected: Option<VersionNumber>,
    content: PersonaContent,
) -> Result<Written<VersionNumber>, AppError> {
    let (mut tx, item) = versions::begin_version::<PersonaDetails>(ctx, id).await?;
    let document = completed(&mut tx, &ctx.caller.organization, content).await?;
    versions::add_version(ctx, tx, &item, expected, document).await
}
