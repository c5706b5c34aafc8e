//! Invocations: that a dynamic behavior set applied in an interaction of a conversation.

use forge_domain::behavior::{BehaviorInvocation, NewBehaviorInvocation};
use forge_domain::{BehaviorSetId, OrganizationId, Sort};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx};

statements! {
    NEXT_SEQ = "INSERT INTO run_counter (organization_id, kind, last_seq) VALUES ($1, $2, 1)
        ON CONFLICT (organization_id, kind) DO UPDATE SET last_seq = run_counter.last_seq + 1
        RETURNING last_seq";
    INSERT_INVOCATION = "INSERT INTO behavior_invocation (organization_id, id, seq, item_id, version, conversation_id,
            initial_message_id, agent_message_id, inner_thought_ids, external_event_ids, invoked_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND_SORT_VALUE = "SELECT invoked_at FROM behavior_invocation
        WHERE organization_id = $1 AND item_id = $2 AND seq = $3";
}

/// The list of a set's invocations.
///
/// Those of deleted conversations are gone with them.
const LIST: SortedList = SortedList {
    name: "behavior_invocation.list",
    select:
        "SELECT behavior_invocation.id, behavior_invocation.seq, version, conversation_id, initial_message_id,
            agent_message_id, inner_thought_ids, external_event_ids, invoked_at, conversation.service_id,
            conversation.user_id
        FROM behavior_invocation
        JOIN conversation ON conversation.organization_id = behavior_invocation.organization_id
            AND conversation.id = behavior_invocation.conversation_id
        WHERE behavior_invocation.organization_id = $1 AND item_id = $2 AND conversation.deleted_at IS NULL",
    scope: 2,
    filters: &[],
    seq: "behavior_invocation.seq",
    columns: &[SortColumn::integer("invoked_at")],
    places: Places::Fixed(FIND_SORT_VALUE),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What invocations are sorted by.
///
/// Those equal in all keys stay in the order in which they were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationSort {
    /// By their time.
    InvokedAt,
}

fn invocation(row: &Row<'_>) -> Result<BehaviorInvocation, StoreError> {
    Ok(BehaviorInvocation {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        version: row.convert("version")?,
        conversation_id: row.parse("conversation_id")?,
        service_id: row.parse("service_id")?,
        user_id: row.text("user_id")?,
        initial_message_id: row.parse("initial_message_id")?,
        agent_message_id: row.parse("agent_message_id")?,
        inner_thought_ids: row.json("inner_thought_ids")?,
        external_event_ids: row.json("external_event_ids")?,
        invoked_at: row.time("invoked_at")?,
    })
}

impl Tx {
    /// Returns the invocations of a set on a page, which begins after a place (0 is the start) and has a length at
    /// most, in the order asked for.
    ///
    /// Returns `None` if there is no invocation at that place.
    pub async fn list_behavior_invocations(
        &mut self,
        organization: &OrganizationId,
        set: BehaviorSetId,
        sort: &[Sort<InvocationSort>],
        page: PageRequest,
    ) -> Result<Option<Rows<BehaviorInvocation>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization, set],
            filters: Vec::new(),
        };
        self.page(&LIST, args, &order, page, invocation).await
    }
}

impl RunTx {
    /// Returns the next place in the organization's list of what is written while services run, by kind.
    pub(crate) async fn next_seq(&mut self, kind: &str) -> Result<i64, StoreError> {
        let args = args![&self.organization, kind];
        let next = self
            .optional(&NEXT_SEQ, args, |row| row.integer("last_seq"))
            .await?;
        next.ok_or_else(|| StoreError::Corrupt {
            column: "run_counter.last_seq".to_owned(),
            reason: "the counter did not count".to_owned(),
        })
    }

    /// Records that a behavior set applied in an interaction; in the transaction that keeps the interaction.
    pub async fn record_behavior_invocation(
        &mut self,
        new: &NewBehaviorInvocation,
    ) -> Result<(), StoreError> {
        let seq = self.next_seq("behavior_invocation").await?;
        let args = args![
            &self.organization,
            new.id,
            seq,
            new.set.0,
            new.set.1,
            new.conversation_id,
            new.initial_message_id,
            new.agent_message_id,
            to_json(&new.inner_thought_ids),
            to_json(&new.external_event_ids),
            new.invoked_at,
        ];
        self.execute(&INSERT_INVOCATION, args).await.map(drop)
    }
}
