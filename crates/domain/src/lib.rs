//! The rules of Forge, without I/O.
//!
//! Everything here is a type that cannot hold a wrong value, a record of such values, or a pure function over them: ids,
//! names, versions, version sets, services, conversations, users, permissions and the audit chain. Each record is defined
//! here alone: the store reads and writes it, and the API tells it in the contract's form. The crate knows no database,
//! no HTTP, no clock and no randomness; times and random bytes are parameters.
//!
//! **Adding a rule:** write it as a function beside the type it is about, return every violation instead of the
//! first, test it in the same file. `app` calls it inside the transaction that read its inputs.

pub mod access;
pub mod actor;
pub mod agent;
pub mod api_key;
pub mod asset;
pub mod audit;
pub mod behavior;
pub mod context_graph;
pub mod conversation;
pub mod diff;
mod emoji;
pub mod evaluation;
pub mod fault;
pub mod health;
pub mod hint;
pub mod item;
pub mod lease;
pub mod llm_interaction;
pub mod metric;
pub mod model;
pub mod name;
pub mod number;
pub mod numeral;
pub mod organization;
pub mod plan;
pub mod prompt;
pub mod rate;
pub mod reference;
pub mod refusal;
pub mod revision;
pub mod search;
pub mod service;
pub mod simulation;
pub mod size;
pub mod sort;
pub mod tag;
pub mod temporary_grant;
mod text;
pub mod user;
pub mod version;
pub mod version_set;
mod visible;
pub mod yank;

pub use forge_types::{Clock, Timestamp, hex, id, parse_duration, parse_rfc3339, rfc3339, time};

pub use actor::{Actor, ActorKey, ActorKind, UserRef};
pub use hint::Hint;
pub use id::{
    AgentId, BehaviorInvocationId, BehaviorSetId, ContextGraphId, ConversationId, Id, InteractionId,
    ItemVersionId, MessageId, MetricId, MetricResultId, PersonaId, RoleId, ScenarioId, ServiceId,
    SigningKeyId, ToolId, UnitTestId, UnitTestSetId, UnitTestSetRunId, UserId,
};
pub use organization::OrganizationId;
pub use refusal::{Refusal, Refusals};
pub use sort::{Direction, Sort};
pub use text::shortened;
pub use version::VersionNumber;
pub use version_set::{Pins, SetName};
pub use visible::{hidden, visible};
