//! The real binary, as its users run it.

mod imports;
mod init;
mod process;
mod quickstart;
mod serve;
