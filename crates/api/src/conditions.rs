//! The conditions on which something is changed, as the headers of a request state them.

use forge_app::version_sets::promotion::Precondition;
use forge_domain::fault::Fault;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::tags::opaque;

/// What `If-Match` and `If-None-Match` are about.
pub(crate) struct About<T> {
    /// What may be there or not.
    pub(crate) thing: &'static str,
    /// What the tags in `If-Match` are, with an example.
    pub(crate) tags: &'static str,
    /// Reads what a tag says.
    pub(crate) read: fn(&str) -> Option<T>,
}

/// Returns what the headers of a request ask.
pub(crate) fn precondition<T>(
    headers: &Map<String, Value>,
    about: &About<T>,
) -> Result<Precondition<T>, ApiError> {
    let text = |name: &str| headers.get(name).and_then(Value::as_str).map(str::trim);
    let About { thing, tags, read } = about;
    match (text("If-Match"), text("If-None-Match")) {
        (None, None) => Ok(Precondition::None),
        (Some(_), Some(_)) => {
            let msg = format!("the header cannot be combined with If-Match: {thing} is there or it is not");
            Err(invalid_header("If-None-Match", msg))
        }
        (None, Some("*")) => Ok(Precondition::IsAbsent),
        (None, Some(_)) => {
            let msg = format!("expected `*`: {thing} must not be there yet");
            Err(invalid_header("If-None-Match", msg))
        }
        (Some("*"), None) => Ok(Precondition::Exists),
        (Some(list), None) => {
            let wanted: Option<Vec<T>> = list.split(',').map(|part| read(opaque(part))).collect();
            let msg = format!("expected {tags}, or `*`: {thing} must be there");
            wanted
                .map(Precondition::IsAt)
                .ok_or_else(|| invalid_header("If-Match", msg))
        }
    }
}

fn invalid_header(name: &str, msg: String) -> ApiError {
    let place = vec!["header".into(), name.into()];
    ApiError::Invalid(vec![Fault::new(place, "invalid", msg)])
}
