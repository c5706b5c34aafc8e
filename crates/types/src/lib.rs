//! The words that the server and its clients have in common: ids, names and times.
//!
//! Whoever embeds the client compiles this crate and nothing else of the server. The crate `forge-domain` passes all of it
//! on, so that nobody else has to know where a type is.
//!
//! **Adding a type:** only one that the client needs; the others belong to `forge-domain`.

pub mod asset;
pub mod criterion;
mod duration;
mod hex;
pub mod id;
mod rfc3339;
pub mod set_name;
mod system_clock;
pub mod time;

pub use duration::{InvalidDuration, parse_duration};
pub use hex::hex;
pub use id::{AgentId, ContextGraphId, Id, ServiceId, UnitTestSetId, UnitTestSetRunId};
pub use rfc3339::{parse_rfc3339, rfc3339};
pub use set_name::SetName;
pub use system_clock::SystemClock;
pub use time::{Clock, Timestamp};
