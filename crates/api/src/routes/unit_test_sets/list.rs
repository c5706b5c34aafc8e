//! Lists sets of unit tests.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_sets::{self, ListUnitTestSets};
use forge_domain::simulation::UnitTestSetFilter;
use forge_domain::{UnitTestId, UnitTestSetId};
use forge_wire::unit_test_sets::{UnitTestSetFilterValues, UnitTestSetInstance};
use forge_wire::unit_tests::Listed;
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::unit_tests::creators;
use crate::routes::{only_sort_key, tag_filter, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<UnitTestSetId>,
    limit: i64,
    continuation_token: i64,
    #[serde(default)]
    is_deleted: Option<bool>,
    unit_test_id: Vec<UnitTestId>,
    creator: Vec<String>,
    tag: Vec<String>,
    sort_by: Vec<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let tags = query.tag.iter().map(|text| tag_filter("tag", text));
    let query = ListUnitTestSets {
        filter: UnitTestSetFilter {
            ids: query.id,
            is_deleted: query.is_deleted,
            unit_tests: query.unit_test_id,
            creators: creators(&query.creator)?,
            tags: tags.collect::<Result<_, _>>()?,
        },
        by_update: only_sort_key("updated_at", &query.sort_by)?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let found = unit_test_sets::list(call.server.ctx(&call.caller), &query).await?;
    let instances = found.page.items.into_iter().map(|set| Listed {
        id: set.id,
        fields: UnitTestSetInstance::new(&call.organization, set),
    });
    let instances: Vec<_> = instances.collect();
    let token = found.page.continuation_token;
    let page = forge_wire::Page::new("simulation_unit_test_sets", instances, token);
    let values = found.filter_values.map(UnitTestSetFilterValues::from);
    let page = page.with("filter_values", values);
    reply::large(StatusCode::OK, page).await
}
