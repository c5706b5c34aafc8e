//! What differs between two things of one kind, as data.
//!
//! [`compare_sets`] tells two version sets apart. It is made of [`compare_agents`] and [`compare_context_graphs`], which
//! need two documents and nothing else, so that whatever has two of them can use them too.
//!
//! What holds for all of them: the same thing twice has no difference, two things that are not the same have one, and
//! what is added one way round is removed the other.

mod agent;
mod context_graph;
mod fields;
mod named;
mod set;
mod text;

pub use agent::{AgentDiff, compare_agents};
pub use context_graph::{ContextGraphDiff, StateDiff, Transition, compare_context_graphs};
pub use fields::FieldDiff;
pub use named::{InvalidSetOrRevision, SetOrRevision};
pub use set::{PreferenceChange, SetDiff, Side, compare_sets};
pub use text::{Hunk, Line, LineOp};

#[cfg(test)]
mod tests;
