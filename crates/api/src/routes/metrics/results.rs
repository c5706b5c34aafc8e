//! Lists the results of metrics.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::evaluations::{self, ListResults, MetricResultSort};
use forge_domain::evaluation::{EvaluationSourceType, ListedMetricResult};
use forge_domain::numeral::integer;
use forge_domain::{ConversationId, MetricId, Sort, UnitTestSetRunId, VersionNumber};
use forge_wire::metrics::ResultInstance;
use forge_wire::rfc3339;
use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{moment, sort_key, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    timestamp_after: Option<String>,
    #[serde(default)]
    timestamp_before: Option<String>,
    metric_id: Vec<MetricId>,
    metric_id_and_version: Vec<String>,
    source_type: Vec<EvaluationSourceType>,
    conversation_id: Vec<ConversationId>,
    simulation_unit_test_set_run_id: Vec<UnitTestSetRunId>,
    sort_by: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let at = |name: &str, text: Option<String>| text.map(|text| moment(name, &text)).transpose();
    let mut metrics: Vec<_> = query.metric_id.into_iter().map(|id| (id, None)).collect();
    for text in &query.metric_id_and_version {
        metrics.push(metric_and_version(text)?);
    }
    let sort = query.sort_by.iter().map(|text| sort(text));
    let list = ListResults {
        evaluated_after: at("timestamp_after", query.timestamp_after)?,
        evaluated_before: at("timestamp_before", query.timestamp_before)?,
        metrics,
        source_types: query.source_type,
        conversation_ids: query.conversation_id,
        run_ids: query.simulation_unit_test_set_run_id,
        sort: sort.collect::<Result<_, _>>()?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let found = evaluations::results(call.server.ctx(&call.caller), &list).await?;
    let instance = |stored: ListedMetricResult| ResultInstance {
        id: stored.result.id,
        org_id: call.organization.to_string(),
        created_at: rfc3339(stored.result.created_at),
        updated_at: rfc3339(stored.result.updated_at),
        metric_id: stored.result.metric_id,
        metric_version: stored.result.metric_version,
        result: stored.result.result,
        justification: stored.result.justification,
        source: stored.result.source,
    };
    let instances: Vec<ResultInstance> = found.page.items.into_iter().map(instance).collect();
    let page = forge_wire::Page::new(
        "metric_evaluation_results",
        instances,
        found.page.continuation_token,
    );
    let values = found
        .metric_ids
        .map(|metric_ids| json!({"metric_ids": metric_ids}));
    let page = page.with("filter_values", values);
    reply::large(StatusCode::OK, page).await
}

/// Reads `<metric_id>-<version>`; without the version, any is meant.
fn metric_and_version(text: &str) -> Result<(MetricId, Option<VersionNumber>), ApiError> {
    let (id, version) = text.split_once('-').unwrap_or((text, ""));
    let version = match version {
        "" => Some(None),
        number => integer(number)
            .and_then(|number: i64| number.try_into().ok())
            .map(Some),
    };
    match (id.parse(), version) {
        (Ok(id), Some(version)) => Ok((id, version)),
        _ => Err(invalid_query(
            "metric_id_and_version",
            "expected `<metric_id>-<version>`, or `<metric_id>-` for any version",
        )),
    }
}

fn sort(text: &str) -> Result<Sort<MetricResultSort>, ApiError> {
    match sort_key(text) {
        Some((direction, "created_at")) => Ok(direction.of(MetricResultSort::CreatedAt)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+created_at` or `-created_at`",
        )),
    }
}
