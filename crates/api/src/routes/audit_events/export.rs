//! Sends the whole audit log, one JSON text a line, with a signed checkpoint as the last one.

use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse as _;
use forge_app::audit::{self, Export};
use forge_app::{AppError, Caller};
use forge_wire::audit::{CheckpointLine, EventInstance};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};

use super::checkpoint;
use crate::call::{Call, Nothing};
use crate::error::causes;
use crate::reply::Answer;

#[derive(Deserialize)]
pub(crate) struct Query {
    after_sequence: i64,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let export = audit::export(&call.server.app, &call.caller, call.query.after_sequence).await?;
    let lines = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((lines, Body::from_stream(chunks(export))).into_response())
}

/// Returns the lines, some at a time and only as fast as they are taken. After a failure the answer breaks off, which
/// clients notice, and the checkpoint is missing.
fn chunks(export: Export) -> impl Stream<Item = Result<Vec<u8>, AppError>> {
    stream::try_unfold(Some(export), async |rest| {
        let Some(mut export) = rest else { return Ok(None) };
        let next = next_chunk(&mut export).await.inspect_err(|error| {
            tracing::error!(cause = causes(error), "an export of an audit log broke off");
        });
        let (chunk, is_last) = next?;
        Ok(Some((chunk, (!is_last).then_some(export))))
    })
}

async fn next_chunk(export: &mut Export) -> Result<(Vec<u8>, bool), AppError> {
    let events = export.next_events().await?;
    let mut chunk = Vec::new();
    let is_last = events.is_empty();
    for event in events {
        write_line(&mut chunk, &EventInstance::new(event))?;
    }
    if is_last {
        let checkpoint = checkpoint(&export.checkpoint);
        write_line(&mut chunk, &CheckpointLine { checkpoint })?;
    }
    Ok((chunk, is_last))
}

fn write_line(out: &mut Vec<u8>, line: &impl Serialize) -> Result<(), AppError> {
    serde_json::to_writer(&mut *out, line).map_err(|error| AppError::Internal(Box::new(error)))?;
    out.push(b'\n');
    Ok(())
}
