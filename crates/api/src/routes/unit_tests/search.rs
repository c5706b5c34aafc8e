//! Searches unit tests.

use std::collections::HashMap;

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_tests;
use forge_domain::simulation::UnitTestFilter;
use forge_domain::{MetricId, PersonaId, ScenarioId, ServiceId};
use forge_wire::unit_tests::{Found, UnitTestInstance};
use serde::Deserialize;

use super::creators;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::tag_filter;

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(rename = "query")]
    text: String,
    creator: Vec<String>,
    tag: Vec<String>,
    service_id: Vec<ServiceId>,
    persona_id: Vec<PersonaId>,
    scenario_id: Vec<ScenarioId>,
    metric_id: Vec<MetricId>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let tags = query.tag.iter().map(|text| tag_filter("tag", text));
    let filter = UnitTestFilter {
        services: query.service_id,
        personas: query.persona_id,
        scenarios: query.scenario_id,
        metrics: query.metric_id,
        creators: creators(&query.creator)?,
        tags: tags.collect::<Result<_, _>>()?,
        ..UnitTestFilter::default()
    };
    let found = unit_tests::search(call.server.ctx(&call.caller), &query.text, &filter).await?;
    let found = found.into_iter().map(|test| Found {
        id: test.id,
        fields: UnitTestInstance::new(&call.organization, test),
    });
    let found: Vec<_> = found.collect();
    reply::large(StatusCode::OK, HashMap::from([("simulation_unit_tests", found)])).await
}
