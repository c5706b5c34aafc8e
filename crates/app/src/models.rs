//! The models that the installation offers.

use forge_domain::access::{Attributes, Permission};
use forge_domain::model::ModelDescription;

use crate::{App, AppError, Caller};

/// Returns every model, retired ones included: sets may still name them.
pub fn list<'a>(app: &'a App, caller: &Caller) -> Result<Vec<&'a ModelDescription>, AppError> {
    caller.authorize(Permission::GetModels, &Attributes::default())?;
    Ok(app.catalogues.models.descriptions().collect())
}
