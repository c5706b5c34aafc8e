//! How much of what was said is read. A conversation may have many megabytes, a prompt has the latest part of it, and whoever
//! waits for a model holds what was read.

use forge_domain::conversation::Message;
use forge_domain::{ConversationId, InteractionId, OrganizationId};
use forge_store::Tx;

use crate::{App, AppError};

/// How many bytes of a conversation are read to judge it, if a prompt does not hold more: checks without a model look
/// at all of them.
const JUDGED: usize = 1024 * 1024;

/// Returns the latest part of a conversation, as much as prompts can hold.
pub(crate) async fn for_prompts(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: ConversationId,
) -> Result<Vec<Message>, AppError> {
    let room = app.runtime.transcript_bytes();
    Ok(tx.transcript(organization, id, i64::MAX, room).await?)
}

/// Returns the part of a conversation that is judged: the latest, up to the end of an interaction if that is said.
pub(crate) async fn to_judge(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: ConversationId,
    up_to: Option<InteractionId>,
) -> Result<Vec<Message>, AppError> {
    let last = match up_to {
        None => i64::MAX,
        Some(interaction) => {
            let last = tx.last_message_of(organization, id, interaction).await?;
            last.ok_or_else(|| {
                AppError::NotFound(format!("the conversation has no interaction {interaction}"))
            })?
        }
    };
    let room = app.runtime.transcript_bytes().max(JUDGED);
    Ok(tx.transcript(organization, id, last, room).await?)
}

/// Forgets what was said so long ago that no prompt has it.
pub(crate) fn forget_old(app: &App, transcript: &mut Vec<Message>) {
    let mut room = app.runtime.transcript_bytes();
    let has_room = |message: &&Message| {
        let had_room = room > 0;
        room = room.saturating_sub(message.message.len());
        had_room
    };
    let kept = transcript.iter().rev().take_while(has_room).count();
    transcript.drain(..transcript.len() - kept);
}
