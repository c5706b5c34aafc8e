//! Leases of conversations: which interaction may go on with one, and what it leaves.

use forge_domain::conversation::Position;
use forge_domain::lease::{self, Term};
use forge_domain::{ConversationId, InteractionId, ServiceId, Timestamp};

use crate::StoreError;
use crate::row::{Row, args, to_json};
use crate::statement::statements;
use crate::tx::RunTx;

statements! {
    ACQUIRE_LEASE = "UPDATE conversation SET busy_interaction_id = $3, busy_until = $4
        WHERE organization_id = $1 AND id = $2 AND finished_at IS NULL AND (busy_until IS NULL OR busy_until <= $5 OR busy_until > $6)";
    RENEW_LEASE = "UPDATE conversation SET busy_until = $4
        WHERE organization_id = $1 AND id = $2 AND busy_interaction_id = $3";
    RELEASE_LEASE = "UPDATE conversation SET busy_interaction_id = NULL, busy_until = NULL
        WHERE organization_id = $1 AND id = $2 AND busy_interaction_id = $3";
    REMOVE_UNBEGUN = "DELETE FROM conversation
        WHERE organization_id = $1 AND id = $2 AND busy_interaction_id = $3 AND interaction_count = 0";
    REMOVE_ABANDONED = "DELETE FROM conversation
        WHERE organization_id = $1 AND user_id = $2 AND service_id = $3 AND interaction_count = 0
            AND simulation_run_id IS NULL AND finished_at IS NULL AND (busy_until IS NULL OR busy_until <= $4 OR busy_until > $5)";
    KEEP = "UPDATE conversation SET position = $4, message_total = message_total + $5,
            message_count = message_count + $6, interaction_count = interaction_count + 1, last_interaction_id = $3,
            last_message = $7, last_message_at = $8, finished_at = $9, message_bytes = message_bytes + $10, busy_interaction_id = NULL, busy_until = NULL
        WHERE organization_id = $1 AND id = $2 AND busy_interaction_id = $3 AND finished_at IS NULL
        RETURNING message_total, interaction_count";
    FINISH = "UPDATE conversation SET finished_at = $3, busy_interaction_id = NULL, busy_until = NULL
        WHERE organization_id = $1 AND id = $2 AND finished_at IS NULL AND interaction_count > 0
            AND (busy_until IS NULL OR busy_until <= $3 OR busy_until > $4)";
}

/// What an interaction leaves of the conversation itself.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// Where the conversation stands.
    pub position: &'a Position,
    /// How many messages were added.
    pub messages: i64,
    /// How many of them are not the agent's thoughts.
    pub visible_messages: i64,
    /// How many bytes they all have together.
    pub message_bytes: i64,
    /// What was said last.
    pub last_message: &'a str,
    /// When that was.
    pub last_message_at: Timestamp,
    /// When the conversation was finished, if it is.
    pub finished_at: Option<Timestamp>,
}

impl RunTx {
    /// Removes what a user's first interaction with a service left behind when its server was lost.
    pub async fn remove_abandoned_conversation(
        &mut self,
        user_id: &str,
        service_id: ServiceId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            user_id,
            service_id,
            now,
            lease::latest_end(now)
        ];
        self.execute(&REMOVE_ABANDONED, args).await.map(drop)
    }

    /// Leases a conversation to an interaction.
    ///
    /// Returns `false` if it is finished, gone, or leased to another one.
    pub async fn lease_conversation(
        &mut self,
        id: ConversationId,
        interaction_id: InteractionId,
        term: Term,
    ) -> Result<bool, StoreError> {
        let args = args![
            &self.organization,
            id,
            interaction_id,
            term.until,
            term.now,
            lease::latest_end(term.now)
        ];
        Ok(self.execute(&ACQUIRE_LEASE, args).await? > 0)
    }

    /// Renews the lease of a conversation.
    ///
    /// Returns `false` if the interaction has lost it.
    pub async fn renew_conversation_lease(
        &mut self,
        id: ConversationId,
        interaction_id: InteractionId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = args![&self.organization, id, interaction_id, until];
        Ok(self.execute(&RENEW_LEASE, args).await? > 0)
    }

    /// Ends an interaction of which nothing is kept.
    ///
    /// If it was to be the first one, the conversation goes with it.
    pub async fn release_conversation_lease(
        &mut self,
        id: ConversationId,
        interaction_id: InteractionId,
    ) -> Result<(), StoreError> {
        let args = args![&self.organization, id, interaction_id];
        self.execute(&REMOVE_UNBEGUN, args.clone()).await?;
        self.execute(&RELEASE_LEASE, args).await.map(drop)
    }

    /// Ends an interaction and keeps what it left of the conversation itself.
    ///
    /// Returns the number of the conversation's last message and of its last interaction, both counted from 1; `None`
    /// if the interaction has lost its lease: then nothing of it may be kept.
    pub async fn keep_interaction(
        &mut self,
        id: ConversationId,
        interaction_id: InteractionId,
        kept: &Kept<'_>,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let args = args![
            &self.organization,
            id,
            interaction_id,
            to_json(kept.position),
            kept.messages,
            kept.visible_messages,
            kept.last_message,
            kept.last_message_at,
            kept.finished_at,
            kept.message_bytes,
        ];
        let numbers = |row: &Row<'_>| Ok((row.integer("message_total")?, row.integer("interaction_count")?));
        self.optional(&KEEP, args, numbers).await
    }

    /// Finishes a conversation.
    ///
    /// Returns false if that is not possible: it is finished or gone, no interaction was completed, or one runs.
    pub async fn finish_conversation(
        &mut self,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let args = args![&self.organization, id, now, lease::latest_end(now)];
        Ok(self.execute(&FINISH, args).await? > 0)
    }
}
