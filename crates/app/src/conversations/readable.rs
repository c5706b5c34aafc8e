//! What lists tell of conversations, by whether the caller may read them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use forge_domain::ConversationId;
use forge_domain::access::Permission;
use forge_store::Tx;

use crate::access::resource::Resource as _;
use crate::{AppError, Caller};

/// The conversations that rows of a list are about, each looked at once.
#[derive(Default)]
pub(crate) struct Readable {
    /// Whether the caller may read the messages, or `None` where the conversation is gone.
    known: HashMap<ConversationId, Option<bool>>,
}

impl Readable {
    /// Looks at a conversation that was not looked at yet.
    pub(crate) async fn look(
        &mut self,
        tx: &mut Tx,
        caller: &Caller,
        id: ConversationId,
    ) -> Result<(), AppError> {
        if let Entry::Vacant(unknown) = self.known.entry(id) {
            let found = tx.find_conversation(&caller.organization, id).await?;
            unknown.insert(found.map(|conversation| conversation.allows(caller, Permission::GetMessage)));
        }
        Ok(())
    }

    /// Returns `true` if a conversation that was looked at is there for the caller to read.
    pub(crate) fn is_readable(&self, id: ConversationId) -> bool {
        self.known.get(&id) == Some(&Some(true))
    }

    /// Returns `true` if a conversation that was looked at is gone, and what was said in it with it.
    pub(crate) fn is_gone(&self, id: ConversationId) -> bool {
        self.known.get(&id) == Some(&None)
    }
}
