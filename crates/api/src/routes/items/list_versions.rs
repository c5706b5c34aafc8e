//! Lists the versions of an item.

use axum::http::StatusCode;
use forge_app::items::{self, ListVersions};
use forge_domain::Id;
use forge_domain::item::ItemVersion;
use forge_wire::items::{VersionAnswers, VersionParts, version_list_key};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{VersionsQuery, token};

/// The call of a list of versions.
pub(crate) type VersionsCall<P> = Call<P, VersionsQuery, Nothing, forge_app::Caller>;

/// Answers a list of the versions of an item.
pub(crate) async fn list<D: VersionAnswers, P>(id: Id<D::IdKind>, call: VersionsCall<P>) -> Answer {
    let query = ListVersions {
        range: call.query.range()?,
        is_descending: call.query.is_descending()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let found = items::list_versions::<D>(call.server.ctx(&call.caller), id, &query).await?;
    let instance = |version: ItemVersion<D>| {
        D::version_instance(VersionParts {
            organization: &call.organization,
            id,
            object_id: version.id,
            version: version.version,
            document: version.document,
            with_secrets: found.with_secrets,
            creator: version.creator,
            created_at: version.created_at,
        })
    };
    let instances: Vec<_> = found.page.items.into_iter().map(instance).collect();
    let (key, token) = (version_list_key(D::KIND), found.page.continuation_token);
    reply::large(StatusCode::OK, forge_wire::Page::new(key, instances, token)).await
}
