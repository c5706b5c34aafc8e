//! What is said in conversations, and how the agent came to it.

use forge_domain::conversation::{CompletedInteraction, Message, NumberedMessage};
use forge_domain::{ConversationId, InteractionId, OrganizationId, Sort};

use crate::StoreError;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{RunTx, Tx};

/// Messages of an organization.
macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "SELECT number, id, interaction_id, message_type, sender, message, created_at
            FROM conversation_message WHERE organization_id = $1 ",
            $rest
        )
    };
}

statements! {
    INSERT_INTERACTION = "INSERT INTO conversation_interaction
            (organization_id, conversation_id, id, number, insights, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    INSERT_MESSAGE = "INSERT INTO conversation_message (organization_id, conversation_id, number, id, interaction_id,
            message_type, sender, message, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    TRANSCRIPT = select_messages!("AND conversation_id = $2 AND number <= $3
        ORDER BY number DESC LIMIT $4");
    LAST_OF_INTERACTION = "SELECT number FROM conversation_message
        WHERE organization_id = $1 AND conversation_id = $2 AND interaction_id = $3 ORDER BY number DESC LIMIT 1";
    FIND_INTERACTION = "SELECT id, number, insights, created_at FROM conversation_interaction
        WHERE organization_id = $1 AND conversation_id = $2 AND id = $3";
    FIND_SORT_VALUES = "SELECT interaction_id, created_at FROM conversation_message
        WHERE organization_id = $1 AND conversation_id = $2 AND number = $3";
}

/// How many messages of a transcript are asked for at once: PostgreSQL sends them all.
const MESSAGES_AT_ONCE: i64 = 50;

/// The list of a conversation's messages.
const LIST: SortedList = SortedList {
    name: "conversation_message.list",
    select: select_messages!("AND conversation_id = $2"),
    scope: 2,
    filters: &[],
    seq: "number",
    columns: &[
        SortColumn::text("interaction_id"),
        SortColumn::integer("created_at"),
    ],
    places: Places::Fixed(FIND_SORT_VALUES),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

/// What messages are sorted by.
///
/// Those equal in all keys stay in the order in which they were said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageSort {
    /// By the id of their interaction.
    InteractionId,
    /// By their time.
    CreatedAt,
}

fn numbered(row: &Row<'_>) -> Result<NumberedMessage, StoreError> {
    let message = Message {
        id: row.parse("id")?,
        interaction_id: row.parse("interaction_id")?,
        created_at: row.time("created_at")?,
        sender: row.text("sender")?,
        message: row.text("message")?,
        message_type: row.parse("message_type")?,
    };
    Ok(NumberedMessage {
        number: row.integer("number")?,
        message,
    })
}

impl Tx {
    /// Returns what was said last in a conversation, up to the message of the number `last` and as many messages as
    /// there is room for in so many bytes: oldest first, the agent's thoughts included.
    ///
    /// Of what is older, nothing is read.
    pub async fn transcript(
        &mut self,
        organization: &OrganizationId,
        conversation: ConversationId,
        mut last: i64,
        mut room: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let mut messages = Vec::new();
        while room > 0 {
            let args = args![organization, conversation, last, MESSAGES_AT_ONCE];
            let rows = self.rows(&TRANSCRIPT, args, numbered, room).await?;
            let (is_all, bytes) = (rows.are_last(MESSAGES_AT_ONCE), rows.bytes());
            for row in rows.into_rows() {
                last = row.number - 1;
                messages.push(row.message);
            }
            if is_all {
                break;
            }
            room = room.saturating_sub(bytes);
        }
        messages.reverse();
        Ok(messages)
    }

    /// Returns the number of the last message of an interaction, or `None` if the conversation has no such interaction.
    pub async fn last_message_of(
        &mut self,
        organization: &OrganizationId,
        conversation: ConversationId,
        interaction: InteractionId,
    ) -> Result<Option<i64>, StoreError> {
        let args = args![organization, conversation, interaction];
        self.optional(&LAST_OF_INTERACTION, args, |row| row.integer("number"))
            .await
    }

    /// Returns a completed interaction.
    pub async fn find_interaction(
        &mut self,
        organization: &OrganizationId,
        conversation: ConversationId,
        id: InteractionId,
    ) -> Result<Option<CompletedInteraction>, StoreError> {
        let interaction = |row: &Row<'_>| {
            Ok(CompletedInteraction {
                id: row.parse("id")?,
                number: row.integer("number")?,
                insights: row.json("insights")?,
                created_at: row.time("created_at")?,
            })
        };
        self.optional(
            &FIND_INTERACTION,
            args![organization, conversation, id],
            interaction,
        )
        .await
    }

    /// Returns a page of the messages of a conversation in the order asked for; their numbers are their places.
    ///
    /// Returns `None` if there is no message of that number.
    pub async fn list_messages(
        &mut self,
        organization: &OrganizationId,
        conversation: ConversationId,
        sort: &[Sort<MessageSort>],
        page: PageRequest,
    ) -> Result<Option<Rows<NumberedMessage>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization, conversation],
            filters: Vec::new(),
        };
        self.page(&LIST, args, &order, page, numbered).await
    }
}

impl RunTx {
    /// Adds a completed interaction.
    pub async fn insert_interaction(
        &mut self,
        conversation: ConversationId,
        interaction: &CompletedInteraction,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            conversation,
            interaction.id,
            interaction.number,
            to_json(&interaction.insights),
            interaction.created_at,
        ];
        self.execute(&INSERT_INTERACTION, args).await.map(drop)
    }

    /// Adds messages of a completed interaction; the first one gets the number `first`.
    pub async fn insert_messages(
        &mut self,
        conversation: ConversationId,
        first: i64,
        messages: &[Message],
    ) -> Result<(), StoreError> {
        for (number, message) in (first..).zip(messages) {
            let args = args![
                &self.organization,
                conversation,
                number,
                message.id,
                message.interaction_id,
                message.message_type.as_str(),
                &message.sender,
                &message.message,
                message.created_at,
            ];
            self.execute(&INSERT_MESSAGE, args).await?;
        }
        Ok(())
    }
}
