//! Whether what an agent's models are told fits into prompts at all.

use std::sync::{Arc, Mutex, PoisonError};

use forge_domain::OrganizationId;
use forge_domain::prompt::LongPrompt;
use forge_domain::service::Service;
use forge_domain::version_set::ResolvedPins;
use forge_store::Tx;
use serde::de::DeserializeOwned;

use crate::snapshot::{Documents, Size, VersionKey, VersionPair};
use crate::{App, AppError, aside, reading};

/// How many bytes of large contents one call looks at.
///
/// Of what is more, nothing is said.
const MOST_LOOKED_AT: usize = 32 * 1024 * 1024;

/// What is kept in memory of a pair of versions, about.
const OF_A_PAIR: Size = Size {
    text: 0,
    memory: 1024,
};

/// How one call looks at prompts.
///
/// What it says does not depend on what this server has looked at before.
#[derive(Debug)]
pub(crate) struct Looking {
    /// Whether nothing is read that takes long: others wait for this call, because it is about to write.
    is_writing: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    room: usize,
    put_off: Vec<(VersionPair, usize)>,
}

impl Looking {
    pub(crate) fn reading() -> Self {
        Self::new(false)
    }

    /// Looks at nothing that nobody has looked at, but notes it.
    pub(crate) fn writing() -> Self {
        Self::new(true)
    }

    fn new(is_writing: bool) -> Self {
        Self {
            is_writing,
            state: Mutex::new(State {
                room: MOST_LOOKED_AT,
                put_off: Vec::new(),
            }),
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = state.room >= bytes;
        state.room = state.room.saturating_sub(bytes);
        has_room
    }

    fn put_off(&self, pair: VersionPair, bytes: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.put_off.push((pair, bytes));
    }

    /// Returns `true` if others wait for this call, because it is about to write.
    pub(crate) fn is_writing(&self) -> bool {
        self.is_writing
    }

    /// Looks at what was put off, outside of the write that put it off and has to begin anew.
    pub(crate) async fn catch_up(&self, app: &App) -> Result<(), AppError> {
        let put_off = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut state.put_off)
        };
        for (pair, bytes) in put_off {
            let mut tx = app.store.read().await?;
            look(app, &mut tx, pair, bytes).await?;
        }
        Ok(())
    }

    /// Returns `true` if something was put off.
    pub(crate) fn has_put_off(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        !state.put_off.is_empty()
    }
}

/// Whose prompts are looked at: those of versions that a set of a service means.
#[derive(Clone, Copy)]
pub(crate) struct PromptsOf<'a> {
    pub(crate) organization: &'a OrganizationId,
    pub(crate) service: &'a Service,
    pub(crate) resolved: ResolvedPins,
}

/// Returns the prompt that does not fit, if versions of a service's agent and context graph have one.
///
/// Contents are read only if they are long enough for that, and once: what was found is kept, as versions never
/// change.
pub(crate) async fn look_for(
    app: &App,
    tx: &mut Tx,
    of: PromptsOf<'_>,
    looking: &Looking,
) -> Result<Option<LongPrompt>, AppError> {
    let PromptsOf {
        organization,
        service,
        resolved,
    } = of;
    let (Some(agent), Some(graph)) = (resolved.agent_version, resolved.context_graph_version) else {
        return Ok(None);
    };
    let (agent, graph) = ((service.agent_id, agent), (service.context_graph_id, graph));
    let mut bytes = 0;
    for (_, id, version) in keys(&(organization.clone(), agent, graph)) {
        let found = tx.version_bytes(organization, id, version).await?;
        bytes += usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX / 2);
    }
    if !app.runtime.may_have_long_prompt(bytes) || !looking.take(bytes) {
        return Ok(None);
    }
    let pair = (organization.clone(), agent, graph);
    if let Some(found) = app.snapshots.long_prompts.find(&pair) {
        return Ok(*found);
    }
    if looking.is_writing {
        looking.put_off(pair, bytes);
        return Ok(None);
    }
    look(app, tx, pair, bytes).await
}

fn keys(pair: &VersionPair) -> [VersionKey; 2] {
    let (organization, agent, graph) = pair;
    [
        (organization.clone(), agent.0.into(), agent.1),
        (organization.clone(), graph.0.into(), graph.1),
    ]
}

async fn look(
    app: &App,
    tx: &mut Tx,
    pair: VersionPair,
    bytes: usize,
) -> Result<Option<LongPrompt>, AppError> {
    if let Some(found) = app.snapshots.long_prompts.find(&pair) {
        return Ok(*found);
    }
    let [agent, graph] = keys(&pair);
    let agent = content(tx, &app.snapshots.agents, agent).await?;
    let graph = content(tx, &app.snapshots.context_graphs, graph).await?;
    let (Some(agent), Some(graph)) = (agent, graph) else {
        return Ok(None);
    };
    let runtime = Arc::clone(&app.runtime);
    let found = aside::run(bytes, move || runtime.long_prompt(&agent, &graph)).await;
    app.snapshots.long_prompts.keep(pair, &Arc::new(found), OF_A_PAIR);
    Ok(found)
}

/// Returns the content of a version, which may be in memory, or `None` if there is no such version.
async fn content<T: DeserializeOwned + Send + Sync + 'static>(
    tx: &mut Tx,
    known: &Documents<T>,
    key: VersionKey,
) -> Result<Option<Arc<T>>, AppError> {
    if let Some(found) = known.find(&key) {
        return Ok(Some(found));
    }
    let Some(found) = tx.find_version(&key.0, key.1, key.2).await? else {
        return Ok(None);
    };
    let (document, _) = reading::read(known, key, Arc::new(found)).await?;
    Ok(Some(document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_looks_at_so_much() {
        for looking in [Looking::reading(), Looking::writing()] {
            assert!(looking.take(MOST_LOOKED_AT / 2));
            assert!(looking.take(MOST_LOOKED_AT / 2));
            assert!(!looking.take(1));
        }
        let looking = Looking::reading();
        assert!(!looking.take(MOST_LOOKED_AT + 1));
        assert!(!looking.take(1), "what comes later is left out, too");
    }
}
