//! Tells what one set pins, and what that means now.

use axum::http::{HeaderValue, StatusCode, header};
use forge_app::{AppError, Caller, version_sets};

use super::existing;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::SetPath;
use crate::views::set_instance;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let view = version_sets::get(call.server.ctx(&call.caller), call.path.service_id, &name).await?;
    let etag = HeaderValue::try_from(format!("\"{}\"", view.set.revision));
    let etag = etag.map_err(|error| AppError::Internal(Box::new(error)))?;
    let mut response = reply::large(StatusCode::OK, set_instance(view)).await?;
    response.headers_mut().insert(header::ETAG, etag);
    Ok(response)
}
