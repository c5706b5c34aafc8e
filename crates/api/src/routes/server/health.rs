//! Whether the server lives, and whether it can do its work.

use axum::http::StatusCode;
use forge_app::AppError;
use serde_json::json;

use crate::reply::{self, Answer};
use crate::server::Server;

/// The process answers.
pub(crate) async fn live(_: Server) -> Answer {
    reply::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// The database would take a write, too.
pub(crate) async fn ready(server: Server) -> Answer {
    server.app.store.readiness().await.map_err(AppError::NotReady)?;
    reply::json(StatusCode::OK, &json!({"status": "ok"}))
}
