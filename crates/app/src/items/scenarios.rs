//! Scenarios: what personas are after in simulations.

use forge_domain::VersionNumber;
use forge_domain::item::{ItemDetails, ItemDocument, ItemKind};
use forge_domain::service::Tags;
use forge_domain::simulation::ScenarioDocument;

use super::{CreateItem, authorize_create, versions};
use crate::{AppError, Ctx, Written};

/// A scenario to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a scenario")]
pub struct CreateScenario {
    pub name: String,
    pub tags: Tags,
    pub document: ScenarioDocument,
}

/// Creates a scenario with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateScenario) -> Result<Written<String>, AppError> {
    authorize_create(ctx.caller, ItemKind::Scenario, &create.name)?;
    let tx = ctx.app.write(ctx.caller).await?;
    let item = CreateItem {
        name: create.name,
        is_active: true,
        tags: create.tags,
        details: ItemDetails::Scenario {},
    };
    super::create(ctx, tx, item, ItemDocument::Scenario(create.document)).await
}

/// Creates the next version of a scenario.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: &str,
    expected: Option<VersionNumber>,
    document: ScenarioDocument,
) -> Result<Written<VersionNumber>, AppError> {
    let (tx, item) = versions::begin_version(ctx, ItemKind::Scenario, id).await?;
    versions::add_version(ctx, tx, &item, expected, ItemDocument::Scenario(document)).await
}
