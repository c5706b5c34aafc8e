//! Lists the models that the installation offers.

use axum::http::StatusCode;
use forge_app::{Caller, models};
use forge_wire::models::{Model, Models};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Caller>) -> Answer {
    let models = models::list(call.server.ctx(&call.caller))?;
    reply::json(
        StatusCode::OK,
        &Models {
            models: models.into_iter().map(Model::from).collect(),
        },
    )
}
