//! Finishes a conversation.

use forge_app::{Caller, conversations};

use super::ConversationPath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<ConversationPath, Nothing, Nothing, Caller>) -> Answer {
    conversations::finish(call.server.ctx(&call.caller), call.path.conversation_id).await?;
    Ok(reply::no_content())
}
