//! Returns `true` if the server lives, and whether it can do its work.

use axum::http::StatusCode;
use forge_app::{App, AppError};
use serde_json::json;

use crate::reply::{self, Answer};

/// The process answers.
pub(crate) async fn live(_: App) -> Answer {
    reply::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// The database would take a write, too.
pub(crate) async fn ready(app: App) -> Answer {
    app.store.readiness().await.map_err(AppError::NotReady)?;
    reply::json(StatusCode::OK, &json!({"status": "ok"}))
}
