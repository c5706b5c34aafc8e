//! Appending to the history of a set: the one place where a revision is built.

use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::version_set::{Binding, ResolvedPins};
use forge_domain::{AgentId, ContextGraphId, Pins, ServiceId, SetName};
use forge_store::WriteTx;

use crate::{AppError, Caller};

/// A revision that a set is about to get.
pub(crate) struct NewRevision<'a> {
    /// The name of the set.
    pub(crate) name: &'a SetName,
    /// The set's latest revision so far; 0 if there was none.
    pub(crate) previous: i64,
    pub(crate) action: RevisionAction,
    /// What the set pins from then on, or `None` if it is deleted.
    pub(crate) pins: Option<Pins>,
    pub(crate) agent_id: AgentId,
    pub(crate) context_graph_id: ContextGraphId,
    /// What the agent and the graph have, by which the pins are resolved.
    pub(crate) binding: &'a Binding,
    /// The set and revision that the pins were copied from, if they were.
    pub(crate) source: Option<(SetName, i64)>,
    /// The revision that is restored, if one is.
    pub(crate) restored_revision: Option<i64>,
    /// Why.
    pub(crate) message: Option<&'a str>,
}

/// Appends a revision to the history of a set and makes it the set's state.
///
/// Returns its number.
pub(crate) async fn append_revision(
    tx: &mut WriteTx,
    caller: &Caller,
    service: ServiceId,
    new: NewRevision<'_>,
) -> Result<i64, AppError> {
    let resolved = new.pins.as_ref().map(|pins| pins.resolve(new.binding));
    let revision = Revision {
        name: new.name.clone(),
        revision: new.previous + 1,
        action: new.action,
        agent_id: new.agent_id,
        context_graph_id: new.context_graph_id,
        // A deleted set means nothing any more.
        resolved: resolved.unwrap_or(ResolvedPins::NOTHING),
        pins: new.pins.unwrap_or_default(),
        source: new.source,
        restored_revision: new.restored_revision,
        message: new.message.map(str::to_owned),
        actor: caller.actor(),
        change_number: tx.change_number(),
        created_at: tx.changed_at(),
    };
    tx.append_revision(service, &revision).await?;
    Ok(revision.revision)
}
