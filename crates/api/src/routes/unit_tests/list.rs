//! Lists unit tests.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_tests::{self, ListUnitTests};
use forge_domain::simulation::UnitTestFilter;
use forge_domain::{MetricId, PersonaId, ScenarioId, ServiceId, UnitTestId};
use forge_wire::unit_tests::{Listed, UnitTestFilterValues, UnitTestInstance};
use serde::Deserialize;

use super::creators;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::{only_sort_key, tag_filter, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<UnitTestId>,
    limit: i64,
    continuation_token: i64,
    #[serde(default)]
    is_deleted: Option<bool>,
    service_id: Vec<ServiceId>,
    persona_id: Vec<PersonaId>,
    scenario_id: Vec<ScenarioId>,
    metric_id: Vec<MetricId>,
    creator: Vec<String>,
    tag: Vec<String>,
    sort_by: Vec<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let tags = query.tag.iter().map(|text| tag_filter("tag", text));
    let query = ListUnitTests {
        filter: UnitTestFilter {
            ids: query.id,
            is_deleted: query.is_deleted,
            services: query.service_id,
            personas: query.persona_id,
            scenarios: query.scenario_id,
            metrics: query.metric_id,
            creators: creators(&query.creator)?,
            tags: tags.collect::<Result<_, _>>()?,
        },
        by_update: only_sort_key("updated_at", &query.sort_by)?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let found = unit_tests::list(call.server.ctx(&call.caller), &query).await?;
    let instances = found.page.items.into_iter().map(|test| Listed {
        id: test.id,
        fields: UnitTestInstance::new(&call.organization, test),
    });
    let instances: Vec<_> = instances.collect();
    let page = forge_wire::Page::new("simulation_unit_tests", instances, found.page.continuation_token);
    let values = found.filter_values.map(UnitTestFilterValues::from);
    let page = page.with("filter_values", values);
    reply::large(StatusCode::OK, page).await
}
