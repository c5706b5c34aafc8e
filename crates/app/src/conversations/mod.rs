//! Conversations.
//!
//! An [`Interaction`] is the one way in which the agent is made to speak: a user's ([`create`], [`interact`]) and a
//! simulated one's ([`begin`], [`go_on`]). It has leased its conversation, takes its turn with what the conversation
//! was started with, and writes everything that came of it in one transaction, or nothing.

mod create;
mod delete;
mod finish;
mod insights;
mod interact;
mod interaction;
mod lease;
mod list;
mod messages;
mod person;
mod readable;
mod recommend;
mod setup;
pub(crate) mod transcript;

use forge_domain::access::{Attributes, Permission};
use forge_domain::conversation::{Conversation, InvalidInput};
use forge_domain::user::User;
use forge_domain::{ConversationId, OrganizationId};
pub use forge_runtime::Event;
pub use forge_store::{ConversationSort, MessageSort};
use forge_store::{StoreError, Tx};

use crate::access::resource::Resource;
use crate::{AppError, Caller};

pub use create::{Create, Start, begin, create};
pub use delete::delete;
pub use finish::finish;
pub(crate) use finish::finish_simulated;
pub use insights::insights;
pub use interact::{go_on, interact};
pub use interaction::{Completed, Interaction};
pub use list::{ListConversations, ListedConversation, list};
pub use messages::{ListMessages, messages};
pub(crate) use readable::Readable;
pub use recommend::recommend;

impl Resource for Conversation {
    type Key = ConversationId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &ConversationId,
    ) -> Result<Option<Self>, StoreError> {
        tx.find_conversation(organization, *id).await
    }

    fn not_found(id: &ConversationId) -> AppError {
        AppError::NotFound(format!("there is no conversation {id}"))
    }

    fn attributes_for(&self, caller: &Caller) -> Attributes {
        Attributes::default()
            .with("conversation_id", self.id.to_string())
            .with("service_id", self.service_id.to_string())
            .with("service_name", self.service_name.as_str())
            .with("user_id", self.user_id.as_str())
            .with("is_own", is_own(caller, self))
    }

    /// What a user has hidden from administrators, nobody else sees; what a simulated user said is not theirs to hide.
    fn allows(&self, caller: &Caller, permission: Permission) -> bool {
        let is_hidden = self.simulation_run_id.is_none()
            && !self.user_preferences.conversations_visible_to_admins
            && !is_own(caller, self);
        !is_hidden && caller.may(permission, &self.attributes_for(caller))
    }
}

fn is_own(caller: &Caller, conversation: &Conversation) -> bool {
    caller.user.is(&caller.organization, &conversation.user_id)
}

/// Refuses a caller who may not change what is known of the user who started a conversation: going on with it does.
async fn authorize_user(tx: &mut Tx, caller: &Caller, conversation: &Conversation) -> Result<(), AppError> {
    let user: User = caller.find_unchecked(tx, conversation.user_id.as_str()).await?;
    let attributes = user
        .attributes_for(caller)
        .with("is_own", is_own(caller, conversation));
    caller.authorize(Permission::UpdateUserInfo, &attributes)
}

fn finished() -> AppError {
    AppError::Conflict("the conversation is finished; start another one".to_owned())
}

fn busy() -> AppError {
    AppError::Conflict("another interaction of the conversation is running; wait for its end".to_owned())
}

/// Returns `true` if a caller may see how the agent comes to its messages: its steps repeat what was said, and what is
/// known of the user.
pub fn may_look_behind(caller: &Caller, conversation: &Conversation) -> bool {
    [Permission::GetInteractionInsights, Permission::GetMessage]
        .into_iter()
        .all(|permission| conversation.allows(caller, permission))
}

/// Refuses conversations by voice.
pub fn require_text(is_text: bool) -> Result<(), AppError> {
    if is_text {
        return Ok(());
    }
    Err(AppError::Refused(
        "Forge does not speak or listen; ask for the format `text`".to_owned(),
    ))
}

/// Refuses what cannot be said, with every reason.
fn require_sayable(reasons: &[InvalidInput]) -> Result<(), AppError> {
    if reasons.is_empty() {
        return Ok(());
    }
    let texts: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    Err(AppError::Refused(texts.join("; ")))
}

/// Logs that something could not be written that repairs itself later.
fn log_failure(what: &'static str, error: &StoreError) {
    tracing::warn!(%error, "{what}");
}
