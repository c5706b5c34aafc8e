//! Tells the end of the audit log.

use axum::http::StatusCode;
use forge_app::{Caller, audit};
use forge_wire::audit::HeadInstance;

use super::checkpoint;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Caller>) -> Answer {
    let (signed, public_key) = audit::head(call.server.ctx(&call.caller)).await?;
    let head = HeadInstance {
        sequence: signed.checkpoint.sequence,
        hash: signed.checkpoint.hash.clone(),
        checkpoint: checkpoint(&signed),
        public_key,
    };
    reply::json(StatusCode::OK, &head)
}
