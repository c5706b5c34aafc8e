//! Unit tests, their sets, and their runs.

pub mod unit_test_set_runs;
pub mod unit_test_sets;
pub mod unit_tests;
