//! Simulations: personas who talk to a service in scenarios, so that a version set is tried before it is promoted.

mod commands;
mod filter;
mod outcome;
mod persona;
mod run;
mod scenario;
mod turns;
mod unit_test;

pub use commands::{CreateRun, CreateUnitTest, UpdateUnitTest, UpdateUnitTestSet};
pub use filter::{
    RunFilter, RunFilterValues, UnitTestFilter, UnitTestFilterValues, UnitTestSetFilter,
    UnitTestSetFilterValues,
};
pub use outcome::UnitTestRunOutcome;
pub use persona::{CreatePersona, Persona, PersonaContent, PersonaDetails, PersonaDocument, PersonaFilter};
pub use run::{
    Measurement, MetricToJudge, NewRun, RunSpec, RunStatus, RunSummary, UnitTestRun, UnitTestRunKey,
    UnitTestRunState, UnitTestSetRun, Visibility, check_size,
};
pub use scenario::{CreateScenario, InitialMessageType, Scenario, ScenarioDetails, ScenarioDocument};
pub use turns::{Turns, UnfinishedRun};
pub use unit_test::{
    MAX_CONVERSATIONS, SuccessCriterion, UnitTest, UnitTestEntry, UnitTestFields, UnitTestRef, UnitTestSet,
    UnitTestSetFields, check_entries, check_unused, named,
};
