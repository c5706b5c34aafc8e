//! Deletes what was said in a conversation.

use forge_app::{Caller, conversations};

use super::ConversationPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<ConversationPath, Nothing, Nothing, Caller>) -> Answer {
    let deleted = conversations::delete(call.server.ctx(&call.caller), call.path.conversation_id).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(deleted.change_number),
    ))
}
