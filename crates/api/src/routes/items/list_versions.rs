//! Lists the versions of an item.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::{self, ItemKind};
use forge_wire::items::{VersionParts, version_instance, version_list_key};

use super::ItemPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{VersionsQuery, token};

type VersionsCall = Call<ItemPath, VersionsQuery, Nothing, Caller>;

pub(crate) async fn behavior_set(call: VersionsCall) -> Answer {
    list(ItemKind::BehaviorSet, call).await
}

pub(crate) async fn persona(call: VersionsCall) -> Answer {
    list(ItemKind::Persona, call).await
}

pub(crate) async fn scenario(call: VersionsCall) -> Answer {
    list(ItemKind::Scenario, call).await
}

async fn list(kind: ItemKind, call: VersionsCall) -> Answer {
    let query = items::ListVersions {
        range: call.query.range()?,
        is_descending: call.query.is_descending()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let (ctx, id) = (call.server.ctx(&call.caller), &call.path.id);
    let (page, with_secrets) = items::list_versions(ctx, kind, id, &query).await?;
    let instance = |version: &items::Version| {
        version_instance(&VersionParts {
            organization: &call.organization,
            id,
            object_id: &version.object_id,
            version: version.version,
            document: &version.document,
            with_secrets,
            creator: &version.creator,
            created_at: version.created_at,
        })
    };
    let instances: Vec<_> = page.items.iter().map(instance).collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new(version_list_key(kind), instances, page.continuation_token),
    )
    .await
}
