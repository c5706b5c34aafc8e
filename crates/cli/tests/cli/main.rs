//! The real binary, as its users run it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod asset;
mod audit;
mod audit_by_the_docs;
mod audit_log;
mod auth;
mod circles;
mod converse;
mod costs;
mod debug;
mod descriptors;
mod file_size;
mod gitops;
mod glossary;
mod guide;
mod help;
mod imports;
mod init;
mod process;
mod quickstart;
mod readme;
mod scenario;
mod serve;
mod service;
mod sim;
mod sources;
mod streams;
mod texts;
mod torture;
mod unchecked;
mod untrusted;
mod unused;
mod version_set;
mod walkthroughs;
mod watch;
mod world;
