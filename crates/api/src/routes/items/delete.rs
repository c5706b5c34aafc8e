//! Deletes an item.

use axum::http::StatusCode;
use axum::response::Response;
use forge_app::Caller;
use forge_app::items::{self, ItemKind};

use super::ItemPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

type DeleteCall = Call<ItemPath, Nothing, Nothing, Caller>;

pub(crate) async fn behavior_set(call: DeleteCall) -> Answer {
    delete(ItemKind::BehaviorSet, call, reply::done(StatusCode::OK)?).await
}

pub(crate) async fn metric(call: DeleteCall) -> Answer {
    delete(ItemKind::Metric, call, reply::done(StatusCode::OK)?).await
}

pub(crate) async fn persona(call: DeleteCall) -> Answer {
    delete(ItemKind::Persona, call, reply::no_content()).await
}

pub(crate) async fn scenario(call: DeleteCall) -> Answer {
    delete(ItemKind::Scenario, call, reply::no_content()).await
}

async fn delete(kind: ItemKind, call: DeleteCall, answer: Response) -> Answer {
    let deleted = items::delete(call.server.ctx(&call.caller), kind, &call.path.id).await?;
    Ok(reply::with_sequence(answer, Some(deleted.change_number)))
}
