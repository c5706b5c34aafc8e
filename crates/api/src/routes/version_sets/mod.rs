//! Version sets.

use forge_app::AppError;
use forge_domain::SetName;

use crate::error::ApiError;

pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod lift_hold;
pub(crate) mod list;
mod options;
pub(crate) mod promote;
pub(crate) mod promote_many;
pub(crate) mod resolve;
pub(crate) mod rollback;
pub(crate) mod upsert;

pub(crate) use options::options;

/// Returns the name of a set that is to be read or deleted: a text that cannot be one is a set that is not there.
fn existing(name: &str) -> Result<SetName, ApiError> {
    name.parse()
        .map_err(|_| AppError::NotFound("the service has no version set of that name".to_owned()).into())
}
