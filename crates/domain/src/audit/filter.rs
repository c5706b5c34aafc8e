//! Which events of the audit log a caller wants to see.

use crate::actor::ActorKind;
use crate::time::Timestamp;

/// Which events are wanted; what is absent does not restrict them.
///
/// All bounds exclude what they name.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only events after this one.
    pub after_sequence: Option<i64>,
    /// Only events before this one.
    pub before_sequence: Option<i64>,
    /// Only events later than this.
    pub created_after: Option<Timestamp>,
    /// Only events earlier than this.
    pub created_before: Option<Timestamp>,
    /// Only events about this kind of thing.
    pub object_kind: Option<String>,
    /// Only events about the thing of this id.
    pub object_id: Option<String>,
    /// Only what was done like this.
    pub action: Option<String>,
    /// Only what this user did.
    pub actor_user_id: Option<String>,
    /// Only what this kind of caller did.
    pub actor_kind: Option<ActorKind>,
}
