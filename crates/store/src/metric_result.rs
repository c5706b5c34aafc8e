//! Results of metrics.

use forge_domain::evaluation::{EvaluationSourceType, ListedMetricResult, MetricResult, MetricResultFilter};
use forge_domain::{ConversationId, MetricId, OrganizationId, Sort};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, Value, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx, WriteTx};

statements! {
    // Whoever deletes the conversation changes its row first, too: one of both waits for the other.
    HOLD_CONVERSATION = "UPDATE conversation SET tags = tags
        WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL";
    INSERT_RESULT = "INSERT INTO metric_result (organization_id, id, seq, metric_id, metric_version, conversation_id,
            source_type, simulation_run_id, source, result, justification, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    REPLACE_MANUAL = "UPDATE metric_result SET metric_version = $4, source = $5, result = $6, justification = $7,
            updated_at = $8
        WHERE organization_id = $1 AND metric_id = $2 AND conversation_id = $3 AND source_type = 'manual'";
    FIND_SORT_VALUE = "SELECT created_at FROM metric_result WHERE organization_id = $1 AND seq = $2";
    METRICS_WITH_RESULTS = "SELECT DISTINCT metric_id FROM metric_result
        WHERE organization_id = $1
            AND (CAST($2 AS BIGINT) IS NULL OR updated_at >= $2) AND (CAST($3 AS BIGINT) IS NULL OR updated_at <= $3)
            AND (CAST($4 AS TEXT) IS NULL OR metric_id = $4) AND (CAST($5 AS TEXT) IS NULL OR source_type = $5)
            AND (CAST($6 AS TEXT) IS NULL OR conversation_id = $6)
            AND (CAST($7 AS TEXT) IS NULL OR simulation_run_id = $7)
        ORDER BY metric_id";
    ERASE_CONVERSATION = "UPDATE metric_result SET justification = ''
        WHERE organization_id = $1 AND conversation_id = $2";
    ERASE_DELETED_OF_USER = "UPDATE metric_result SET justification = '' WHERE organization_id = $1
        AND conversation_id IN
        (SELECT id FROM conversation WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NOT NULL)";
}

/// The list of results.
const LIST: SortedList = SortedList {
    name: "metric_result.list",
    select: "SELECT metric_result.id, metric_result.seq, metric_id, metric_version, conversation_id, source, result,
            justification, metric_result.created_at, metric_result.updated_at, versioned_item.name AS metric_name
        FROM metric_result
        JOIN versioned_item ON versioned_item.organization_id = metric_result.organization_id
            AND versioned_item.id = metric_result.metric_id
        WHERE metric_result.organization_id = $1",
    scope: 1,
    filters: &[
        "metric_result.updated_at >= ?",
        "metric_result.updated_at <= ?",
        "metric_id = ?",
        "source_type = ?",
        "conversation_id = ?",
        "simulation_run_id = ?",
    ],
    seq: "metric_result.seq",
    columns: &[SortColumn::integer("created_at").of("metric_result.created_at")],
    places: Places::Fixed(FIND_SORT_VALUE),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What results are sorted by.
///
/// Those equal in all keys stay in the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricResultSort {
    /// By when they were made first.
    CreatedAt,
}

/// Returns what a filter binds.
fn bound(filter: &MetricResultFilter) -> [Value; 6] {
    [
        Value::from(filter.evaluated_after),
        Value::from(filter.evaluated_before),
        Value::from(filter.metric_id),
        Value::from(filter.source_type.map(|kind| kind.as_str().to_owned())),
        Value::from(filter.conversation_id),
        Value::from(filter.simulation_run_id),
    ]
}

fn stored(row: &Row<'_>) -> Result<ListedMetricResult, StoreError> {
    Ok(ListedMetricResult {
        seq: row.integer("seq")?,
        metric_name: row.text("metric_name")?,
        result: MetricResult {
            id: row.parse("id")?,
            metric_id: row.parse("metric_id")?,
            metric_version: row.convert("metric_version")?,
            conversation_id: row.parse("conversation_id")?,
            result: row.json("result")?,
            justification: row.text("justification")?,
            source: row.json("source")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
        },
    })
}

impl Tx {
    /// Returns the results of a page, which begins after a place (0 is the start) and has a length at most, in the
    /// order asked for.
    ///
    /// Returns `None` if there is no result at that place.
    pub async fn list_metric_results(
        &mut self,
        organization: &OrganizationId,
        filter: &MetricResultFilter,
        sort: &[Sort<MetricResultSort>],
        page: PageRequest,
    ) -> Result<Option<Rows<ListedMetricResult>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization],
            filters: bound(filter).to_vec(),
        };
        self.page(&LIST, args, &order, page, stored).await
    }

    /// Returns the metrics that have results which pass the filter.
    pub async fn metrics_with_results(
        &mut self,
        organization: &OrganizationId,
        filter: &MetricResultFilter,
    ) -> Result<Vec<MetricId>, StoreError> {
        let mut args = args![organization];
        args.extend(bound(filter));
        self.all(&METRICS_WITH_RESULTS, args, |row| row.parse("metric_id"))
            .await
    }
}

impl RunTx {
    /// Keeps the result of a metric.
    ///
    /// One that somebody asked for takes the place of the one before it, of the same metric and conversation. Returns
    /// false, and keeps nothing, if the conversation is gone.
    pub async fn keep_metric_result(&mut self, new: &MetricResult) -> Result<bool, StoreError> {
        let args = args![&self.organization, new.conversation_id];
        if self.execute(&HOLD_CONVERSATION, args).await? == 0 {
            return Ok(false);
        }
        let kind = new.source.kind();
        if kind == EvaluationSourceType::Manual {
            let args = args![
                &self.organization,
                new.metric_id,
                new.conversation_id,
                new.metric_version,
                to_json(&new.source),
                to_json(&new.result),
                &new.justification,
                new.updated_at,
            ];
            if self.execute(&REPLACE_MANUAL, args).await? > 0 {
                return Ok(true);
            }
        }
        let seq = self.next_seq("metric_result").await?;
        let args = args![
            &self.organization,
            new.id,
            seq,
            new.metric_id,
            new.metric_version,
            new.conversation_id,
            kind.as_str(),
            new.source.run(),
            to_json(&new.source),
            to_json(&new.result),
            &new.justification,
            new.created_at,
            new.updated_at,
        ];
        self.execute(&INSERT_RESULT, args).await?;
        Ok(true)
    }
}

impl WriteTx {
    /// Erases what results tell of what was said in a conversation that is being deleted; their values stay.
    pub(crate) async fn erase_metric_results(
        &mut self,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        let args = args![&self.organization, conversation];
        self.execute(&ERASE_CONVERSATION, args).await.map(drop)
    }

    /// Does the same for every deleted conversation of a user.
    pub(crate) async fn erase_metric_results_of_user(&mut self, user_id: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, user_id];
        self.execute(&ERASE_DELETED_OF_USER, args).await.map(drop)
    }
}
