//! The lease of a conversation: one interaction at a time may go on with it.

use std::time::Duration;

use forge_domain::lease::Term;
use forge_domain::{ConversationId, InteractionId, OrganizationId, Timestamp};
use tokio::runtime::Handle;

use super::log_failure;
use crate::lease::{Lease, Pace};
use crate::{App, AppError};

/// Returns the term of a lease that is acquired now.
pub(super) fn term(now: Timestamp) -> Term {
    Term::new(now, ConversationLease::PACE.lasts)
}

/// The right of one interaction to go on with its conversation.
///
/// Dropping it releases the conversation: nothing of the interaction is kept, and a conversation that it was to begin
/// with has never been.
pub(super) struct ConversationLease {
    pub(super) app: App,
    pub(super) organization: OrganizationId,
    pub(super) conversation: ConversationId,
    pub(super) interaction: InteractionId,
    is_released: bool,
}

impl Lease for ConversationLease {
    const PACE: Pace = Pace {
        lasts: Duration::from_mins(1),
        renew_every: Duration::from_secs(15),
    };

    async fn renew(&self) -> Result<bool, AppError> {
        let until = term(self.app.clock.now()).until;
        let mut tx = self.app.store.write_run(&self.organization).await?;
        let is_ours = tx
            .renew_conversation_lease(self.conversation, self.interaction, until)
            .await?;
        tx.commit().await?;
        Ok(is_ours)
    }
}

impl ConversationLease {
    /// Creates the handle of a lease that was acquired.
    pub(super) fn new(
        app: &App,
        organization: &OrganizationId,
        conversation: ConversationId,
        interaction: InteractionId,
    ) -> Self {
        Self {
            app: app.clone(),
            organization: organization.clone(),
            conversation,
            interaction,
            is_released: false,
        }
    }

    /// Notes that the lease ended with the interaction that was kept.
    pub(super) fn is_over(&mut self) {
        self.is_released = true;
    }

    /// Releases the conversation, now.
    pub(super) async fn release(&mut self) {
        if !std::mem::replace(&mut self.is_released, true) {
            let (conversation, interaction) = (self.conversation, self.interaction);
            release(&self.app, &self.organization, conversation, interaction).await;
        }
    }
}

async fn release(
    app: &App,
    organization: &OrganizationId,
    conversation: ConversationId,
    interaction: InteractionId,
) {
    let releasing = async {
        let mut tx = app.store.write_run(organization).await?;
        tx.release_conversation_lease(conversation, interaction).await?;
        tx.commit().await
    };
    if let Err(error) = releasing.await {
        log_failure(
            "a conversation was not released; it can go on when the lease has ended",
            &error,
        );
    }
}

impl Drop for ConversationLease {
    fn drop(&mut self) {
        if self.is_released {
            return;
        }
        // The interaction was abandoned in the middle. Without a runtime the program ends, and the lease's time with it.
        if let Ok(runtime) = Handle::try_current() {
            let (app, organization) = (self.app.clone(), self.organization.clone());
            let (conversation, interaction) = (self.conversation, self.interaction);
            runtime.spawn(async move { release(&app, &organization, conversation, interaction).await });
        }
    }
}
