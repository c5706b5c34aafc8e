//! The contents of a context graph's versions: the state machine that a conversation walks.
//!
//! The wire calls it a service hierarchical state machine. [`rules`] says what makes a graph sound.

mod document;
mod reach;
pub mod rules;

pub use document::{
    ActionState, AnnotationState, ContextGraphDocument, DecisionState, ExitCondition, NextState, RecallState,
    ReflectionState, ResultPersistence, State, StateNames, ToolCallSpec, ToolCallState, references_of_stored,
};
