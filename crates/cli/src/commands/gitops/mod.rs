//! An organization's agents, context graphs, services and version sets as files: `forge export` writes them, and
//! `forge apply` makes the server like them. `docs/gitops.md` tells the format.
//!
//! [`tree`] is what the files say, [`files`] reads and writes them, [`server`] asks what is there, and [`compare`] finds,
//! without asking anybody, what would have to be done; [`floats`] finds what would run new versions meanwhile. [`planned`] asks
//! the server for plans, [`show`] shows them to people and programs, and [`steps`] carries everything out, each part of which
//! [`recheck`] looks at once more.

pub(crate) mod apply;
mod compare;
pub(crate) mod export;
mod files;
mod float;
mod floats;
mod moved;
mod outcome;
mod planned;
mod recheck;
mod same;
mod server;
mod show;
mod similar;
mod steps;
mod tree;
mod work;
