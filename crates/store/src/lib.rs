//! Persistence: SQLite or PostgreSQL behind one set of SQL statements.
//!
//! [`Store::read`] gives a snapshot, [`Store::write`] a transaction that holds the organization's change number, and
//! [`Store::write_run`] one for what happens while services run.
//! Every statement is declared with `statements!`, so that a test can prepare all of them on both engines. Functions
//! take the organization first: nothing is looked up without a tenant, except what finds the tenant itself.
//!
//! **Adding a query:** put the statement into the file of its table, write a function on [`Tx`] that binds and
//! decodes, and extend `tests/` with what it must do on both engines. What it decodes is a record of the domain.
//! `README.md` has the portability rules.

mod api_key;
mod asset;
mod audit;
mod behavior_invocation;
mod catalogue;
mod clock;
mod contents;
mod conversation;
mod conversation_lease;
mod conversation_message;
mod direct;
mod durability;
mod engine;
mod error;
mod file;
mod folder;
mod idempotency;
mod item;
mod log_checksum;
mod log_file;
mod log_index;
mod metric_result;
mod migrate;
mod name;
mod open;
mod open_error;
mod organization;
mod page_cursor;
mod page_request;
mod place;
mod pool_limits;
mod pools;
mod postgres;
mod readiness;
mod role;
mod row;
mod rows;
mod service;
mod signing_key;
mod snapshot;
mod sort;
mod sqlite;
mod sqlite_failure;
mod statement;
mod store;
mod temporary_grant;
mod tx;
mod unit_test;
mod unit_test_run;
mod unit_test_run_lease;
mod unit_test_set;
mod unit_test_set_run;
mod url;
mod user;
mod version_set;
mod watermarks;
mod writer;
mod yank;

pub use asset::ReferencedVersion;
pub use audit::{ChainHead, ChainLength, ScannedEvent};
pub use behavior_invocation::InvocationSort;
pub use catalogue::{StatementText, all_statements};
pub use conversation::ConversationSort;
pub use conversation_lease::Kept;
pub use conversation_message::MessageSort;
pub use error::StoreError;
pub use idempotency::{CallName, RememberedAnswer};
pub use item::{BehaviorSummary, ItemSort, NewSealedVersion, SealedVersion};
pub use metric_result::MetricResultSort;
pub use migrate::{MIGRATIONS, SchemaState};
pub use open_error::{OpenError, OpenMode};
pub use organization::OrganizationSummary;
pub use page_cursor::PageCursor;
pub use page_request::{PageRequest, VersionBounds};
pub use readiness::NotReady;
pub use rows::{MOST_BYTES, Rows};
pub use service::SortKey;
pub use signing_key::SigningKey;
pub use snapshot::{
    AssetSummary, AuditedChange, KeySummary, ServiceSummary, SetSummary, TimedGrant, UserSummary,
};
pub use sort::{Place, Position, SortValue};
pub use store::Store;
pub use temporary_grant::TemporaryGrantSort;
pub use tx::{Change, InstallationTx, PostponedTx, ReadTx, RunTx, Tx, WriteTx};
pub use unit_test_run_lease::UnitTestRunLease;
pub use url::StoreUrl;
pub use user::UserSort;
pub use watermarks::{GONE, Listener, Watermark, Watermarks};
pub use writer::SharedCommits;
