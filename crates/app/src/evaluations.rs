//! Evaluating metrics, and what came of it.

use std::sync::Arc;

use forge_domain::access::{Attributes, Permission};
use forge_domain::conversation::{Conversation, Message};
use forge_domain::evaluation::{
    EvaluationSource, EvaluationSourceType, ListedMetricResult, MetricResult, MetricResultFilter,
};
use forge_domain::metric::{Metric, MetricDetails, MetricDocument};
use forge_domain::model::ModelPreferences;
use forge_domain::{
    ConversationId, InteractionId, MetricId, Sort, Timestamp, UnitTestSetRunId, VersionNumber,
};
use forge_runtime::Verdict;
pub use forge_store::MetricResultSort;
use forge_store::Tx;
use tokio::task::JoinSet;

use crate::access::resource::Resource as _;
use crate::conversations::Readable;
use crate::items::find_latest;
use crate::page::{PageBuilder, Scan, unknown_token};
use crate::{App, AppError, Caller, Ctx, Page, conversations};

/// What a caller needs to have a metric evaluated.
const NEEDED: [Permission; 3] = [
    Permission::GetMetric,
    Permission::EvaluateMetric,
    Permission::GetMetricEvaluationResult,
];

/// What somebody wants to know of a conversation.
#[derive(Debug, Clone)]
pub struct Evaluate {
    /// By these metrics, each in its latest version.
    pub metric_ids: Vec<MetricId>,
    /// Of this conversation.
    pub conversation_id: ConversationId,
    /// Only what was said up to this interaction, and in it, counts.
    pub up_to: Option<InteractionId>,
}

/// A metric that is about to be evaluated.
struct PendingMetric {
    id: MetricId,
    version: VersionNumber,
    document: Arc<MetricDocument>,
}

/// Judges a conversation by metrics, keeps the results, and returns them in the order of the metrics.
///
/// Beside what the contract asks for, the caller must be allowed to read what was said: the results tell of it.
pub async fn evaluate(ctx: Ctx<'_>, evaluate: Evaluate) -> Result<Vec<(MetricId, Verdict)>, AppError> {
    for permission in NEEDED.into_iter().chain([Permission::GetMessage]) {
        ctx.caller.require_any_grant(permission)?;
    }
    let organization = &ctx.caller.organization;
    let mut tx = ctx.app.store.read().await?;
    let mut metrics = Vec::new();
    for id in evaluate.metric_ids {
        let (item, document) = find_latest::<MetricDetails>(ctx.app, &mut tx, organization, id).await?;
        let attributes = item.attributes_for(ctx.caller);
        for permission in NEEDED {
            ctx.caller.authorize(permission, &attributes)?;
        }
        let version = item.latest_version;
        metrics.push(PendingMetric {
            id,
            version,
            document: Arc::new(document),
        });
    }
    let conversation_id = evaluate.conversation_id;
    let conversation: Conversation = ctx
        .caller
        .fetch(&mut tx, Permission::GetMessage, &conversation_id)
        .await?;
    if conversation.interaction_count == 0 {
        return Err(AppError::Refused(
            "the conversation has no interactions".to_owned(),
        ));
    }
    let up_to = evaluate.up_to;
    let transcript =
        conversations::transcript::to_judge(ctx.app, &mut tx, organization, conversation_id, up_to).await?;
    drop(tx);
    let verdicts = judge(ctx.app, &metrics, conversation.model_preferences, transcript).await?;
    keep(ctx, conversation_id, evaluate.up_to, &metrics, &verdicts).await?;
    Ok(metrics
        .into_iter()
        .map(|metric| metric.id)
        .zip(verdicts)
        .collect())
}

/// Judges by all metrics at the same time.
///
/// Whoever stops waiting for it ends all of that.
async fn judge(
    app: &App,
    metrics: &[PendingMetric],
    models: ModelPreferences,
    transcript: Vec<Message>,
) -> Result<Vec<Verdict>, AppError> {
    let (models, transcript) = (Arc::new(models), Arc::new(transcript));
    let mut judging = JoinSet::new();
    for (place, metric) in metrics.iter().enumerate() {
        let (runtime, document) = (Arc::clone(&app.runtime), Arc::clone(&metric.document));
        let (models, transcript) = (Arc::clone(&models), Arc::clone(&transcript));
        judging.spawn(async move { (place, runtime.judge(&document, &models, &transcript).await) });
    }
    let mut verdicts = Vec::new();
    while let Some(pending) = judging.join_next().await {
        let (place, verdict) = pending.map_err(|error| AppError::Internal(Box::new(error)))?;
        verdicts.push((place, verdict?));
    }
    verdicts.sort_unstable_by_key(|(place, _)| *place);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

/// Keeps all results, or none if the conversation was deleted meanwhile.
async fn keep(
    ctx: Ctx<'_>,
    conversation_id: ConversationId,
    up_to: Option<InteractionId>,
    metrics: &[PendingMetric],
    verdicts: &[Verdict],
) -> Result<(), AppError> {
    let now = ctx.app.clock.now();
    let mut tx = ctx.app.write_run(ctx.caller).await?;
    for (metric, verdict) in metrics.iter().zip(verdicts) {
        let result = MetricResult {
            id: ctx.app.new_id()?,
            metric_id: metric.id,
            metric_version: metric.version,
            conversation_id,
            result: verdict.value.clone(),
            justification: verdict.justification.clone(),
            source: EvaluationSource::Manual {
                conversation_id,
                evaluate_to_interaction_id: up_to,
                invoked_by: ctx.caller.user.clone(),
                references: verdict.references.clone(),
            },
            created_at: now,
            updated_at: now,
        };
        if !tx.keep_metric_result(&result).await? {
            return Err(Conversation::not_found(&conversation_id));
        }
    }
    tx.commit().await?;
    Ok(())
}

/// What a caller asks of a list of results.
///
/// An empty filter lets everything through; of several values in one, one is enough.
#[derive(Debug, Clone, Default)]
pub struct ListResults {
    /// Evaluated last at this moment or later.
    pub evaluated_after: Option<Timestamp>,
    /// Evaluated last at this moment or before.
    pub evaluated_before: Option<Timestamp>,
    /// Of these metrics; of one version where that is said.
    pub metrics: Vec<(MetricId, Option<VersionNumber>)>,
    /// From these kinds of sources.
    pub source_types: Vec<EvaluationSourceType>,
    /// Of these conversations, evaluated by hand or when they had ended.
    pub conversation_ids: Vec<ConversationId>,
    /// Of these runs of unit tests.
    pub run_ids: Vec<UnitTestSetRunId>,
    /// The order.
    pub sort: Vec<Sort<MetricResultSort>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

impl ListResults {
    /// Returns what the database can leave out already.
    fn narrowed(&self) -> MetricResultFilter {
        fn only<T: Copy>(wanted: &[T]) -> Option<T> {
            match wanted {
                [one] => Some(*one),
                _ => None,
            }
        }
        MetricResultFilter {
            evaluated_after: self.evaluated_after,
            evaluated_before: self.evaluated_before,
            metric_id: only(&self.metrics).map(|(id, _)| id),
            source_type: only(&self.source_types),
            conversation_id: only(&self.conversation_ids),
            simulation_run_id: only(&self.run_ids),
        }
    }

    fn admits(&self, result: &MetricResult) -> bool {
        let is_of_metric = |(id, version): &(MetricId, Option<VersionNumber>)| {
            *id == result.metric_id && version.is_none_or(|version| version == result.metric_version)
        };
        let kind = result.source.kind();
        let is_of_conversation = kind != EvaluationSourceType::Simulation
            && self.conversation_ids.contains(&result.conversation_id);
        (self.metrics.is_empty() || self.metrics.iter().any(is_of_metric))
            && (self.source_types.is_empty() || self.source_types.contains(&kind))
            && (self.conversation_ids.is_empty() || is_of_conversation)
            && (self.run_ids.is_empty() || result.source.run().is_some_and(|run| self.run_ids.contains(&run)))
    }
}

/// A page of results.
#[derive(Debug, Clone)]
pub struct ResultPage {
    /// The results.
    pub page: Page<ListedMetricResult>,
    /// The metrics of which the caller may see a result that passes the filter; on the first page.
    pub metric_ids: Option<Vec<MetricId>>,
}

/// Returns a page of the results that the caller may see: those of conversations whose messages they may read.
pub async fn results(ctx: Ctx<'_>, query: &ListResults) -> Result<ResultPage, AppError> {
    const PERMISSION: Permission = Permission::GetMetricEvaluationResult;
    let Ctx { app, caller } = ctx;
    let is_first = query.continuation_token == 0;
    if !caller.may_some(PERMISSION) {
        return Ok(ResultPage {
            page: Page::empty(),
            metric_ids: is_first.then(Vec::new),
        });
    }
    let is_wanted = |row: &ListedMetricResult| {
        let attributes = Attributes::default()
            .with("metric_id", row.result.metric_id.to_string())
            .with("metric_name", row.metric_name.as_str());
        query.admits(&row.result) && caller.may(PERMISSION, &attributes)
    };
    let (organization, filter) = (&caller.organization, query.narrowed());
    let mut readable = Readable::default();
    let mut tx = app.store.read().await?;
    let mut page = PageBuilder::new(tx.room(), query.limit, query.continuation_token);
    while let Some(place) = page.next_read() {
        let rows = tx
            .list_metric_results(organization, &filter, &query.sort, place)
            .await?
            .ok_or_else(unknown_token)?;
        for row in rows.iter().filter(|row| is_wanted(row)) {
            readable.look(&mut tx, caller, row.result.conversation_id).await?;
        }
        let is_visible = |row: &ListedMetricResult| is_wanted(row) && is_told(row, &readable);
        page.add(rows, place.limit, |row| row.seq, is_visible);
    }
    let metric_ids = if is_first {
        let is_of_query =
            |id: &MetricId| query.metrics.is_empty() || query.metrics.iter().any(|(wanted, _)| wanted == id);
        let mut ids = Vec::new();
        for id in tx.metrics_with_results(organization, &filter).await? {
            let metric: Metric = caller.find_unchecked(&mut tx, &id).await?;
            let of_metric = MetricResultFilter {
                metric_id: Some(id),
                ..filter.clone()
            };
            if is_of_query(&id)
                && caller.may(PERMISSION, &metric.attributes_for(caller))
                && has_told(&mut tx, caller, &of_metric, is_wanted, &mut readable).await?
            {
                ids.push(id);
            }
        }
        Some(ids)
    } else {
        None
    };
    Ok(ResultPage {
        page: page.finish(),
        metric_ids,
    })
}

/// Returns `true` if a result is told, as far as the conversation goes: a metric can be made to repeat what was said.
///
/// Of one that is gone, nothing of that is left.
fn is_told(row: &ListedMetricResult, readable: &Readable) -> bool {
    let id = row.result.conversation_id;
    readable.is_readable(id) || readable.is_gone(id)
}

/// Returns `true` if one of some results is told to the caller.
async fn has_told(
    tx: &mut Tx,
    caller: &Caller,
    filter: &MetricResultFilter,
    is_wanted: impl Fn(&ListedMetricResult) -> bool,
    readable: &mut Readable,
) -> Result<bool, AppError> {
    let mut scan = Scan::default();
    while let Some(place) = scan.next_read() {
        let rows = tx
            .list_metric_results(&caller.organization, filter, &[], place)
            .await?;
        let rows = rows.ok_or_else(unknown_token)?;
        scan.note(&rows, |row| row.seq);
        for row in rows.iter().filter(|row| is_wanted(row)) {
            readable.look(tx, caller, row.result.conversation_id).await?;
            if is_told(row, readable) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
