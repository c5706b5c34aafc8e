//! Scenarios: what personas are after in simulations.

use forge_domain::simulation::{CreateScenario, ScenarioDetails, ScenarioDocument};
use forge_domain::{ScenarioId, VersionNumber};

use super::{authorize_create, versions};
use crate::{AppError, Ctx, Written};

/// Creates a scenario with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateScenario) -> Result<Written<ScenarioId>, AppError> {
    authorize_create::<ScenarioDetails>(ctx.caller, &create.name)?;
    let tx = ctx.app.write(ctx.caller).await?;
    super::create(ctx, tx, create.into()).await
}

/// Creates the next version of a scenario.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: ScenarioId,
    expected: Option<VersionNumber>,
    document: ScenarioDocument,
) -> Result<Written<VersionNumber>, AppError> {
    let (tx, item) = versions::begin_version::<ScenarioDetails>(ctx, id).await?;
    versions::add_version(ctx, tx, &item, expected, document).await
}
