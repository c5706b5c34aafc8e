//! Simulations: personas who talk to a service in scenarios, so that a version set is tried before it is promoted.

mod outcome;
mod run;
mod turns;
mod unit_test;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

pub use outcome::UnitTestRunOutcome;
pub use run::{
    Measurement, MetricToJudge, RunSpec, RunStatus, UnitTestRun, UnitTestRunState, UnitTestSetRun, check_size,
};
pub use turns::{Turns, UnfinishedRun};
pub use unit_test::{
    MAX_CONVERSATIONS, SuccessCriterion, UnitTest, UnitTestEntry, UnitTestFields, UnitTestRef, UnitTestSet,
    UnitTestSetFields, check_entries, check_unused, named,
};

/// The content of one version of a persona: who talks.
///
/// It cannot be printed whole: some of the variables are secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct PersonaDocument {
    pub background: String,
    pub preferred_language: Option<String>,
    pub timezone: Option<String>,
    pub user_models: Vec<String>,
    pub nonsensitive_user_variables: IndexMap<String, String>,
    pub sensitive_user_variables: IndexMap<String, String>,
}

impl std::fmt::Debug for PersonaDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonaDocument")
            .field("background", &self.background)
            .field("user_models", &self.user_models)
            .finish_non_exhaustive()
    }
}

/// The content of one version of a scenario: what the persona is after, and how the conversation begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ScenarioDocument {
    pub objective: String,
    pub instructions: String,
    pub initial_message_type: InitialMessageType,
    /// When the conversation takes place for those who hold it; absent: now.
    pub conversation_starts_at: Option<Timestamp>,
}

/// What a turn of the user's side begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitialMessageType {
    /// Something that the user says.
    UserMessage,
    /// Something that happens.
    ExternalEvent,
    /// Nothing: the agent speaks.
    Skip,
}
