//! Conversations: what they run on, and who may go on with them.

use forge_domain::asset::AssetId;
use forge_domain::conversation::{
    Conversation, ConversationFilter, NewConversation, Position, RunningConversations,
};
use forge_domain::{ConversationId, OrganizationId, ServiceId, Sort, VersionNumber};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Place, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx, WriteTx};

/// Everything of a conversation but where it stands, which can be large.
macro_rules! select_conversation {
    ($condition:literal) => {
        concat!(
            "SELECT conversation.id, conversation.seq, user_id, service_id, service.name AS service_name,
                version_set_name, revision, conversation.agent_id, agent_version, conversation.context_graph_id,
                context_graph_version, model_preferences, conversation.tags, simulation_run_id,
                conversation.created_at, finished_at, message_total, message_bytes, message_count, interaction_count,
                last_interaction_id, last_message, last_message_at, busy_interaction_id, busy_until,
                app_user.preferences AS user_preferences
            FROM conversation
            JOIN service ON service.organization_id = conversation.organization_id
                AND service.id = conversation.service_id
            JOIN app_user ON app_user.organization_id = conversation.organization_id
                AND app_user.id = conversation.user_id
            WHERE conversation.organization_id = $1 AND deleted_at IS NULL AND ",
            $condition
        )
    };
}

/// Counts conversations with users that are not finished.
macro_rules! count_running {
    ($rest:literal) => {
        concat!(
            "SELECT service_id, version_set_name, revision, COUNT(*) AS conversations FROM conversation
            WHERE organization_id = $1 AND finished_at IS NULL AND simulation_run_id IS NULL ",
            $rest
        )
    };
}

statements! {
    NEXT_SEQ = "INSERT INTO conversation_counter (organization_id, last_seq) VALUES ($1, 1)
        ON CONFLICT (organization_id) DO UPDATE SET last_seq = conversation_counter.last_seq + 1
        RETURNING last_seq";
    // The index of unfinished conversations lets a second one of the user and the service not come to be.
    INSERT_CONVERSATION = "INSERT INTO conversation (organization_id, id, seq, user_id, service_id, version_set_name,
            revision, agent_id, agent_version, context_graph_id, context_graph_version, model_preferences, tags,
            simulation_run_id, created_at, position, message_total, message_count, interaction_count, last_message,
            busy_interaction_id, busy_until)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '{}', 0, 0, 0, '', $16, $17)
        ON CONFLICT DO NOTHING";
    FIND_CONVERSATION = select_conversation!("conversation.id = $2");
    FIND_UNFINISHED = select_conversation!("user_id = $2 AND service_id = $3 AND finished_at IS NULL
        AND simulation_run_id IS NULL");
    FIND_POSITION = "SELECT position FROM conversation WHERE organization_id = $1 AND id = $2";
    FIND_SORT_VALUES = "SELECT created_at FROM conversation WHERE organization_id = $1 AND seq = $2";
    HAS_EARLIER = "SELECT 1 AS one FROM conversation
        WHERE organization_id = $1 AND user_id = $2 AND service_id = $3 AND seq < $4 AND simulation_run_id IS NULL
            AND interaction_count > 0
        LIMIT 1";
    DELETE_CONVERSATION = "UPDATE conversation SET deleted_at = $3, finished_at = COALESCE(finished_at, $3),
            busy_interaction_id = NULL, busy_until = NULL, tags = '{}', position = '{}', last_message = ''
        WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL";
    DELETE_MESSAGES = "DELETE FROM conversation_message WHERE organization_id = $1 AND conversation_id = $2";
    DELETE_INTERACTIONS = "DELETE FROM conversation_interaction WHERE organization_id = $1 AND conversation_id = $2";
    DELETE_CONVERSATIONS_OF_USER = "UPDATE conversation SET deleted_at = $3, finished_at = COALESCE(finished_at, $3),
            busy_interaction_id = NULL, busy_until = NULL, tags = '{}', position = '{}', last_message = ''
        WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NULL AND simulation_run_id IS NULL";
    DELETE_MESSAGES_OF_USER = "DELETE FROM conversation_message WHERE organization_id = $1 AND conversation_id IN
        (SELECT id FROM conversation WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NOT NULL)";
    DELETE_INTERACTIONS_OF_USER = "DELETE FROM conversation_interaction
        WHERE organization_id = $1 AND conversation_id IN
        (SELECT id FROM conversation WHERE organization_id = $1 AND user_id = $2 AND deleted_at IS NOT NULL)";
    RUNNING_OF_SERVICE = count_running!("AND service_id = $2
        GROUP BY service_id, version_set_name, revision ORDER BY version_set_name, revision");
    RUNNING_ON_AGENT = count_running!("AND agent_id = $2 AND agent_version = $3
        GROUP BY service_id, version_set_name, revision ORDER BY service_id, version_set_name, revision");
    RUNNING_ON_CONTEXT_GRAPH = count_running!("AND context_graph_id = $2 AND context_graph_version = $3
        GROUP BY service_id, version_set_name, revision ORDER BY service_id, version_set_name, revision");
}

/// The list of conversations.
const LIST: SortedList = SortedList {
    name: "conversation.list",
    select: select_conversation!("TRUE"),
    scope: 1,
    filters: &[
        "user_id = ?",
        "service_id = ?",
        "CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END = ?",
    ],
    seq: "conversation.seq",
    columns: &[SortColumn::integer("created_at").of("conversation.created_at")],
    places: Places::Fixed(FIND_SORT_VALUES),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What conversations are sorted by.
///
/// Those equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationSort {
    /// By their beginning.
    CreatedAt,
}

fn conversation(row: &Row<'_>) -> Result<Conversation, StoreError> {
    let busy_until = row.optional_time("busy_until")?;
    Ok(Conversation {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        user_id: row.text("user_id")?,
        service_id: row.parse("service_id")?,
        service_name: row.text("service_name")?,
        set: row.parse("version_set_name")?,
        revision: row.integer("revision")?,
        agent: (row.parse("agent_id")?, row.convert("agent_version")?),
        context_graph: (
            row.parse("context_graph_id")?,
            row.convert("context_graph_version")?,
        ),
        model_preferences: row.json("model_preferences")?,
        tags: row.json("tags")?,
        simulation_run_id: row.parse_optional("simulation_run_id")?,
        created_at: row.time("created_at")?,
        finished_at: row.optional_time("finished_at")?,
        message_total: row.integer("message_total")?,
        message_bytes: row.integer("message_bytes")?,
        message_count: row.integer("message_count")?,
        interaction_count: row.integer("interaction_count")?,
        last_interaction_id: row.parse_optional("last_interaction_id")?,
        last_message: row.text("last_message")?,
        last_message_at: row.optional_time("last_message_at")?,
        busy: row.parse_optional("busy_interaction_id")?.zip(busy_until),
        user_preferences: row.json("user_preferences")?,
    })
}

fn running(row: &Row<'_>) -> Result<RunningConversations, StoreError> {
    Ok(RunningConversations {
        service_id: row.parse("service_id")?,
        set: row.parse("version_set_name")?,
        revision: row.integer("revision")?,
        conversations: row.integer("conversations")?,
    })
}

impl Tx {
    /// Returns a conversation.
    pub async fn find_conversation(
        &mut self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        self.optional(&FIND_CONVERSATION, args![organization, id], conversation)
            .await
    }

    /// Returns the conversation that a user has not finished in a service.
    pub async fn find_unfinished_conversation(
        &mut self,
        organization: &OrganizationId,
        user_id: &str,
        service_id: ServiceId,
    ) -> Result<Option<Conversation>, StoreError> {
        let args = args![organization, user_id, service_id];
        self.optional(&FIND_UNFINISHED, args, conversation).await
    }

    /// Returns the row of a conversation, if there is one.
    pub async fn conversation_row(
        &mut self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Rows<Conversation>, StoreError> {
        self.some(&FIND_CONVERSATION, args![organization, id], conversation)
            .await
    }

    /// Returns where a conversation stands.
    pub async fn find_position(
        &mut self,
        organization: &OrganizationId,
        id: ConversationId,
    ) -> Result<Option<Position>, StoreError> {
        self.optional(&FIND_POSITION, args![organization, id], |row| {
            row.json("position")
        })
        .await
    }

    /// Returns `true` if a user talked to a service before the conversation at a place of the organization's list.
    pub async fn has_earlier_conversation(
        &mut self,
        organization: &OrganizationId,
        user_id: &str,
        service_id: ServiceId,
        before: i64,
    ) -> Result<bool, StoreError> {
        let args = args![organization, user_id, service_id, before];
        let found = self.optional(&HAS_EARLIER, args, |_| Ok(())).await?;
        Ok(found.is_some())
    }

    /// Returns the conversations of a page, which begins after a place and has a length at most, in the order asked
    /// for.
    ///
    /// Returns `None` if there is no such place.
    pub async fn list_conversations(
        &mut self,
        organization: &OrganizationId,
        filter: &ConversationFilter,
        sort: &[Sort<ConversationSort>],
        page: PageRequest<Place>,
    ) -> Result<Option<Rows<Conversation>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let filters = args![
            filter.user_id.clone(),
            filter.service_id,
            filter.is_finished.map(i64::from)
        ];
        let args = ListArgs {
            scope: args![organization],
            filters,
        };
        self.page(&LIST, args, &order, page, conversation).await
    }

    /// Returns how many unfinished conversations each revision of a service's sets started.
    pub async fn running_conversations(
        &mut self,
        organization: &OrganizationId,
        service_id: ServiceId,
    ) -> Result<Vec<RunningConversations>, StoreError> {
        self.all(&RUNNING_OF_SERVICE, args![organization, service_id], running)
            .await
    }

    /// Returns how many unfinished conversations run on a version, by what started them.
    pub async fn conversations_running_on(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        version: VersionNumber,
    ) -> Result<Vec<RunningConversations>, StoreError> {
        let statement = match id {
            AssetId::Agent(_) => &RUNNING_ON_AGENT,
            AssetId::ContextGraph(_) => &RUNNING_ON_CONTEXT_GRAPH,
        };
        self.all(statement, args![organization, id, version], running)
            .await
    }
}

impl RunTx {
    /// Starts a conversation.
    ///
    /// Returns false if the user has an unfinished one in the service already.
    pub async fn insert_conversation(&mut self, new: &NewConversation) -> Result<bool, StoreError> {
        let organization = self.organization.clone();
        let seq = self
            .optional(&NEXT_SEQ, args![&organization], |row| row.integer("last_seq"))
            .await?;
        let args = args![
            &organization,
            new.id,
            seq,
            &new.user_id,
            new.service_id,
            &new.set,
            new.revision,
            new.agent.0,
            new.agent.1,
            new.context_graph.0,
            new.context_graph.1,
            to_json(&new.model_preferences),
            to_json(&new.tags),
            new.simulation_run_id,
            new.created_at,
            new.interaction_id,
            new.busy_until,
        ];
        Ok(self.execute(&INSERT_CONVERSATION, args).await? > 0)
    }
}

impl WriteTx {
    /// Deletes everything that was said in a conversation; that there was one, and what it ran on, stays known.
    ///
    /// An interaction that runs loses its claim. Returns false if there is no such conversation.
    pub async fn delete_conversation(&mut self, id: ConversationId) -> Result<bool, StoreError> {
        // First, so that an interaction that is being kept is waited for, and deleted, too.
        let args = args![&self.organization, id, self.changed_at()];
        let is_deleted = self.execute(&DELETE_CONVERSATION, args).await? > 0;
        let args = args![&self.organization, id];
        self.execute(&DELETE_MESSAGES, args.clone()).await?;
        self.execute(&DELETE_INTERACTIONS, args).await?;
        self.erase_metric_results(id).await?;
        Ok(is_deleted)
    }

    /// Does the same with every conversation of a user.
    ///
    /// What simulated users said is not theirs.
    pub async fn delete_conversations_of_user(&mut self, user_id: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, user_id, self.changed_at()];
        self.execute(&DELETE_CONVERSATIONS_OF_USER, args).await?;
        let args = args![&self.organization, user_id];
        self.execute(&DELETE_MESSAGES_OF_USER, args.clone()).await?;
        self.execute(&DELETE_INTERACTIONS_OF_USER, args).await?;
        self.erase_metric_results_of_user(user_id).await
    }
}
