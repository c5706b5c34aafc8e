//! The real binary, as its users run it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admin;
mod audit;
mod debug;
mod imports;
mod init;
mod process;
mod quickstart;
mod readme;
mod serve;
mod torture;
