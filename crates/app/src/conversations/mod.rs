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

use forge_domain::ConversationId;
use forge_domain::access::{Attributes, Permission};
use forge_domain::conversation::InvalidInput;
pub use forge_runtime::Event;
pub use forge_store::{Conversation, ConversationSort, MessageSort, NumberedMessage, RunningConversations};
use forge_store::{StoreError, Tx};

use crate::identity::users;

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

fn attributes(caller: &Caller, conversation: &Conversation) -> Attributes {
    Attributes::default()
        .with("conversation_id", conversation.id.to_string())
        .with("service_id", conversation.service_id.to_string())
        .with("service_name", conversation.service_name.as_str())
        .with("user_id", conversation.user_id.as_str())
        .with("is_own", is_own(caller, conversation))
}

fn is_own(caller: &Caller, conversation: &Conversation) -> bool {
    caller.user.is(&caller.organization, &conversation.user_id)
}

/// Returns `true` if a caller may look at a conversation.
///
/// What a user has hidden from administrators, nobody else sees; what a simulated user said is not theirs to hide.
fn may_see(caller: &Caller, permission: Permission, conversation: &Conversation) -> bool {
    let is_hidden = conversation.simulation_run_id.is_none()
        && !conversation.user_preferences.conversations_visible_to_admins
        && !is_own(caller, conversation);
    !is_hidden && caller.may(permission, &attributes(caller, conversation))
}

fn authorize(caller: &Caller, permission: Permission, conversation: &Conversation) -> Result<(), AppError> {
    if may_see(caller, permission, conversation) {
        Ok(())
    } else {
        Err(AppError::Forbidden(permission.name()))
    }
}

/// Refuses a caller who may not change what is known of the user who started a conversation: going on with it does.
async fn authorize_user(tx: &mut Tx, caller: &Caller, conversation: &Conversation) -> Result<(), AppError> {
    let user = users::find(tx, caller, &conversation.user_id).await?;
    let attributes = users::attributes(&user).with("is_own", is_own(caller, conversation));
    caller.authorize(Permission::UpdateUserInfo, &attributes)
}

/// Returns a conversation whose messages the caller may read.
pub(crate) async fn authorize_messages(
    tx: &mut Tx,
    caller: &Caller,
    id: ConversationId,
) -> Result<Conversation, AppError> {
    let conversation = find(tx, caller, id).await?;
    authorize(caller, Permission::GetMessage, &conversation)?;
    Ok(conversation)
}

/// Returns `true` if a caller may read the messages of a conversation.
fn may_see_messages(caller: &Caller, conversation: &Conversation) -> bool {
    may_see(caller, Permission::GetMessage, conversation)
}

async fn find(tx: &mut Tx, caller: &Caller, id: ConversationId) -> Result<Conversation, AppError> {
    let found = tx.find_conversation(&caller.organization, id).await?;
    found.ok_or_else(|| no_conversation(id))
}

pub(crate) fn no_conversation(id: ConversationId) -> AppError {
    AppError::NotFound(format!("there is no conversation {id}"))
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
        .all(|permission| may_see(caller, permission, conversation))
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
