//! Judges a conversation by metrics.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::evaluations::{self, Evaluate};
use forge_wire::metrics::{EvaluateMetrics, Evaluated, MetricsEvaluated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, EvaluateMetrics, Caller>) -> Answer {
    let evaluate = Evaluate {
        metric_ids: call.body.metric_ids,
        conversation_id: call.body.conversation_id,
        up_to: call.body.evaluate_to_interaction_id,
    };
    let verdicts = evaluations::evaluate(call.server.ctx(&call.caller), evaluate).await?;
    let evaluated = verdicts.into_iter().map(|(metric_id, verdict)| Evaluated {
        metric_id,
        value: verdict.value,
        references: verdict.references,
        justification: verdict.justification,
    });
    let body = MetricsEvaluated {
        metrics: evaluated.collect(),
    };
    reply::json(StatusCode::OK, &body)
}
