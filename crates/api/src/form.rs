//! Bodies that are forms: `multipart/form-data`.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use forge_domain::fault::Fault;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// How many fields a form may have.
const MAX_FIELDS: usize = 200;

/// Returns the fields of a form, each with its values in the order in which they were sent.
///
/// A file counts as the text in it: clients send the same field either way. What is no text is null; it is for the
/// endpoint to say that it wants one.
pub(crate) async fn read(headers: &HeaderMap, body: Bytes) -> Result<Value, ApiError> {
    let declared = headers.get(header::CONTENT_TYPE);
    let declared = declared.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(declared).map_err(|_| {
        let loc = vec!["header".into(), "content-type".into()];
        let msg = "the body must be `multipart/form-data`, with the boundary of its parts";
        ApiError::Invalid(vec![Fault::new(loc, "content_type", msg)])
    })?;
    let whole = futures_util::stream::iter([Ok::<Bytes, std::io::Error>(body)]);
    let mut form = multer::Multipart::new(whole, boundary);
    let mut fields = Map::new();
    let mut count = 0;
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        count += 1;
        if count > MAX_FIELDS {
            return Err(fault(
                "too_long",
                &format!("a form has at most {MAX_FIELDS} fields"),
            ));
        }
        let Some(name) = field.name().map(str::to_owned) else {
            return Err(fault("missing", "every part of the form must have a name"));
        };
        let bytes = field.bytes().await.map_err(|_| broken())?;
        let text = std::str::from_utf8(&bytes).ok();
        let text = text.filter(|text| !text.contains('\0')).map(str::to_owned);
        let values = fields.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = values {
            values.push(Value::from(text));
        }
    }
    Ok(Value::Object(fields))
}

fn broken() -> ApiError {
    fault(
        "form",
        "the body is no form whose parts are between the declared boundaries",
    )
}

fn fault(kind: &'static str, msg: &str) -> ApiError {
    ApiError::Invalid(vec![Fault::new(vec!["body".into()], kind, msg)])
}
