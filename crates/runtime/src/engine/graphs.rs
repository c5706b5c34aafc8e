//! Where the walk is, and how it moves between states and graphs.

use forge_domain::VersionNumber;
use forge_domain::context_graph::{ContextGraphDocument, NextState};
use forge_domain::conversation::{Frame, GraphVersion, TransitionCause};

use super::{Place, Walk};
use crate::RuntimeError;

impl<'a> Walk<'a> {
    fn graph(&self, version: GraphVersion) -> Result<&'a ContextGraphDocument, RuntimeError> {
        let setup = self.setup;
        let graph = setup.graphs.get(&version);
        graph.map(AsRef::as_ref).ok_or_else(|| {
            RuntimeError::Graph(format!(
                "version {} of context graph {} is not at hand",
                version.1, version.0
            ))
        })
    }

    /// Returns the current state.
    pub(super) fn place(&self) -> Result<Place<'a>, RuntimeError> {
        let frame = self.position.frames.last();
        let frame = frame.ok_or_else(|| RuntimeError::Graph("the conversation is in no state".to_owned()))?;
        let graph = self.graph(frame.graph)?;
        let state = graph.state(&frame.state).ok_or_else(|| {
            RuntimeError::Graph(format!(
                "context graph {} has no state `{}`",
                frame.graph.0, frame.state
            ))
        })?;
        Ok(Place {
            version: frame.graph,
            graph,
            state,
        })
    }

    /// Enters the outermost graph, if the conversation is in no state yet.
    pub(super) fn enter_first_state(&mut self) -> Result<(), RuntimeError> {
        if self.position.frames.is_empty() {
            let version = self.setup.graph;
            let state = self.initial_state(self.graph(version)?);
            self.position.frames.push(Frame {
                graph: version,
                state,
            });
        }
        Ok(())
    }

    fn initial_state(&self, graph: &ContextGraphDocument) -> String {
        if self.person.is_new {
            &graph.new_user_initial_state
        } else {
            &graph.returning_user_initial_state
        }
        .clone()
    }

    /// Goes to the next state, maybe of another graph.
    pub(super) fn go(&mut self, from: Place<'_>, next: &NextState) -> Result<(), RuntimeError> {
        let Some(frame) = self.position.frames.last_mut() else {
            return Err(RuntimeError::Graph("the conversation is in no state".to_owned()));
        };
        frame.state.clear();
        frame.state.push_str(next.comes_to());
        let NextState::External(target, _) = next else {
            return Ok(());
        };
        let (reference, state) = target
            .split_once('.')
            .map_or((target.as_str(), None), |(reference, state)| {
                (reference, Some(state.to_owned()))
            });
        let referenced = from.graph.references.get(reference);
        let version = referenced.and_then(|(id, number)| Some((*id, VersionNumber::try_from(*number).ok()?)));
        let version =
            version.ok_or_else(|| RuntimeError::Graph(format!("no graph is called `{reference}`")))?;
        let state = match state {
            Some(state) => state,
            None => self.initial_state(self.graph(version)?),
        };
        self.position.frames.push(Frame {
            graph: version,
            state,
        });
        Ok(())
    }

    /// Goes from the terminal state of an inner graph back to the graph that entered it.
    ///
    /// Of the outermost graph there is no way back.
    pub(super) async fn jump_back(&mut self, from: Place<'a>) -> Result<bool, RuntimeError> {
        if self.position.frames.len() < 2 {
            return Ok(false);
        }
        self.position.frames.pop();
        self.moved(from, TransitionCause::Jumpback {}).await?;
        Ok(true)
    }
}
