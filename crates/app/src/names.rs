//! Names of new things, as requests give them.

use std::fmt::Display;

use forge_domain::fault::Fault;
use forge_domain::name::{self, BadName};
use forge_domain::shortened;

use crate::AppError;

/// Returns the name that the body of a request gives to something new, as it is kept.
///
/// # Errors
/// Refuses a name that cannot be seen as it is.
pub(crate) fn new_name(field: &str, text: &str) -> Result<String, AppError> {
    name::new_name(text).map_err(|bad| invalid(field, &bad))
}

/// Returns the name that the body of a request gives to a new agent or context graph, as it is kept.
///
/// # Errors
/// Refuses a name that cannot be seen as it is, or that ends like a version.
pub(crate) fn new_asset_name(field: &str, text: &str) -> Result<String, AppError> {
    name::new_asset_name(text).map_err(|bad| invalid(field, &bad))
}

/// Returns the name that something has after a change: as it was, or a new one.
///
/// What has a name that would not be given any more keeps it.
///
/// # Errors
/// Refuses a new name that cannot be seen as it is.
pub(crate) fn changed_name(old: &str, new: Option<String>) -> Result<Option<String>, AppError> {
    match new {
        Some(new) if new != old => new_name("name", &new).map(Some),
        unchanged => Ok(unchanged),
    }
}

/// Says that a name is taken, and by which thing, if the caller may see that one, and what to do.
///
/// Of a hidden one no more is told: whoever may give a name learns by that whether it is free.
pub(crate) fn taken(noun: &str, seen: Option<&impl Display>, name: &str) -> String {
    let name = shortened(name);
    match seen {
        Some(id) => format!("the {noun} {id} is named `{name}` already; choose another name"),
        None => format!("the name `{name}` is taken by another {noun}; choose another name"),
    }
}

fn invalid(field: &str, bad: &BadName) -> AppError {
    let loc = vec![field.into()];
    AppError::Invalid(vec![Fault::new(loc, bad.kind(), bad.to_string())])
}
