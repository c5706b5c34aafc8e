//! Which states a conversation can come to.

use std::collections::{HashMap, HashSet};

use super::{ContextGraphDocument, NextState, State};

impl NextState {
    /// Returns the state of the same graph that a conversation comes to: at once, or from the end of the other graph.
    pub fn comes_to(&self) -> &str {
        match self {
            Self::Internal(name) | Self::External(_, name) => name,
        }
    }
}

impl State {
    /// Returns every way out of the state, whether it has a condition or not.
    pub fn ways_out(&self) -> impl Iterator<Item = &NextState> {
        let exits = self.exit_conditions().iter().map(|exit| &exit.next_state);
        exits.chain(self.next_state())
    }
}

impl ContextGraphDocument {
    /// Returns the names of the states that no conversation can come to, whether of a new or a returning user, in the
    /// order of the document.
    ///
    /// Every condition is taken to be possible, and every other graph to come to its end.
    pub fn unreachable_states(&self) -> Vec<&str> {
        let mut reached = HashSet::new();
        let mut open = vec![
            self.new_user_initial_state.as_str(),
            self.returning_user_initial_state.as_str(),
        ];
        let by_name: HashMap<&str, &State> = self.states.iter().map(|state| (state.name(), state)).collect();
        while let Some(name) = open.pop() {
            if let Some(state) = by_name.get(name).filter(|_| reached.insert(name)) {
                open.extend(state.ways_out().map(NextState::comes_to));
            }
        }
        let names = self.states.iter().map(State::name);
        names.filter(|name| !reached.contains(name)).collect()
    }
}
