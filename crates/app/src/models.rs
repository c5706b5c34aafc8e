//! The models that the installation offers.

use forge_domain::access::{Attributes, Permission};
use forge_domain::model::ModelDescription;

use crate::{AppError, Ctx};

/// Returns every model, retired ones included: sets may still name them.
pub fn list(ctx: Ctx<'_>) -> Result<Vec<&ModelDescription>, AppError> {
    ctx.caller
        .authorize(Permission::GetModels, &Attributes::default())?;
    Ok(ctx.app.catalogues.models.descriptions().collect())
}
