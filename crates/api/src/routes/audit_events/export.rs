//! Sends the whole audit log, one JSON text a line, with a signed checkpoint as the last one.

use std::sync::Arc;

use axum::BoxError;
use axum::body::Body;
use axum::http::header;
use axum::response::IntoResponse as _;
use forge_app::audit::{self, Export};
use forge_app::{AppError, Caller};
use forge_wire::audit::{CheckpointLine, EventInstance};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};

use super::checkpoint;
use crate::bodies::Holders;
use crate::call::{Call, Nothing};
use crate::error::causes;
use crate::reading::Places;
use crate::reply::Answer;

#[derive(Deserialize)]
pub(crate) struct Query {
    after_sequence: i64,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let export = audit::export(call.server.ctx(&call.caller), call.query.after_sequence).await?;
    let (places, holders) = (call.server.reading.clone(), Arc::clone(call.place.holders()));
    let rest = Rest {
        export,
        places,
        holders,
    };
    let lines = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((lines, Body::from_stream(chunks(rest))).into_response())
}

/// What is still to be sent, and the places of those who read: each part takes one while it is read.
struct Rest {
    export: Export,
    places: Places,
    holders: Holders,
}

/// Returns the lines, some at a time and only as fast as they are taken.
///
/// After a failure the answer breaks off, which clients notice, and the checkpoint is missing.
fn chunks(rest: Rest) -> impl Stream<Item = Result<Vec<u8>, BoxError>> {
    stream::try_unfold(Some(rest), async |rest| {
        let Some(mut rest) = rest else { return Ok(None) };
        let Ok(place) = rest.places.take(&rest.holders).await else {
            tracing::info!("an export of an audit log broke off: its caller reads too much at once");
            return Err(BoxError::from("too much is read at once"));
        };
        let next = next_chunk(&mut rest.export).await.inspect_err(|error| {
            tracing::error!(cause = causes(error), "an export of an audit log broke off");
        });
        let (chunk, is_last) = next?;
        drop(place);
        Ok(Some((chunk, (!is_last).then_some(rest))))
    })
}

async fn next_chunk(export: &mut Export) -> Result<(Vec<u8>, bool), AppError> {
    let events = export.next_events().await?;
    let mut chunk = Vec::new();
    let is_last = events.is_empty();
    for (event, hash) in events {
        write_line(&mut chunk, &EventInstance::new(event, hash))?;
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
