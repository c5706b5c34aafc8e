//! Changes an item.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::{self, ItemKind, UpdateItem};
use forge_wire::behavior_sets::UpdateBehaviorSet;
use forge_wire::metrics::UpdateMetric;
use forge_wire::personas::UpdateTags;

use super::ItemPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn behavior_set(call: Call<ItemPath, Nothing, UpdateBehaviorSet, Caller>) -> Answer {
    let body = call.body;
    let update = UpdateItem {
        name: body.name,
        is_active: body.is_active,
        tags: body.tags,
        applied_to_services: body.applied_to_services,
        additional_notes: None,
    };
    let (ctx, id) = (call.server.ctx(&call.caller), &call.path.id);
    let change_number = items::update(ctx, ItemKind::BehaviorSet, id, update).await?;
    Ok(reply::with_sequence(reply::no_content(), change_number))
}

pub(crate) async fn metric(call: Call<ItemPath, Nothing, UpdateMetric, Caller>) -> Answer {
    let body = call.body;
    let update = UpdateItem {
        tags: body.tags,
        applied_to_services: body.applied_to_services,
        additional_notes: body.additional_notes,
        ..UpdateItem::default()
    };
    let (ctx, id) = (call.server.ctx(&call.caller), &call.path.id);
    let change_number = items::update(ctx, ItemKind::Metric, id, update).await?;
    Ok(reply::with_sequence(reply::done(StatusCode::OK)?, change_number))
}

pub(crate) async fn persona(call: Call<ItemPath, Nothing, UpdateTags, Caller>) -> Answer {
    tags(ItemKind::Persona, call).await
}

pub(crate) async fn scenario(call: Call<ItemPath, Nothing, UpdateTags, Caller>) -> Answer {
    tags(ItemKind::Scenario, call).await
}

async fn tags(kind: ItemKind, call: Call<ItemPath, Nothing, UpdateTags, Caller>) -> Answer {
    let update = UpdateItem {
        tags: call.body.tags,
        ..UpdateItem::default()
    };
    let (ctx, id) = (call.server.ctx(&call.caller), &call.path.id);
    let change_number = items::update(ctx, kind, id, update).await?;
    Ok(reply::with_sequence(reply::no_content(), change_number))
}
