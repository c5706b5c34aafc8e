//! The list of every statement.

use crate::statement::Statement;

/// A statement's name and text, for the test that prepares all of them.
#[derive(Debug, Clone, Copy)]
pub struct StatementText {
    /// The constant's name, or that of the family of statements it belongs to.
    pub name: &'static str,
    /// The SQL.
    pub sql: &'static str,
}

/// Returns every statement that the store ever runs, but for migrations and the opening of transactions.
pub fn all_statements() -> Vec<StatementText> {
    let files: [&[Statement]; 25] = [
        crate::api_key::STATEMENTS,
        crate::asset::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::behavior_invocation::STATEMENTS,
        crate::conversation::STATEMENTS,
        crate::conversation_lease::STATEMENTS,
        crate::conversation_message::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::item::STATEMENTS,
        crate::metric_result::STATEMENTS,
        crate::organization::STATEMENTS,
        crate::page_cursor::STATEMENTS,
        crate::snapshot::STATEMENTS,
        crate::role::STATEMENTS,
        crate::service::STATEMENTS,
        crate::signing_key::STATEMENTS,
        crate::temporary_grant::STATEMENTS,
        crate::unit_test::STATEMENTS,
        crate::unit_test_run::STATEMENTS,
        crate::unit_test_run_lease::STATEMENTS,
        crate::unit_test_set::STATEMENTS,
        crate::unit_test_set_run::STATEMENTS,
        crate::user::STATEMENTS,
        crate::version_set::STATEMENTS,
        crate::yank::STATEMENTS,
    ];
    let declared = files.into_iter().flatten().copied();
    let sorted = [
        crate::behavior_invocation::sorted_lists(),
        crate::conversation::sorted_lists(),
        crate::conversation_message::sorted_lists(),
        crate::item::sorted_lists(),
        crate::metric_result::sorted_lists(),
        crate::service::sorted_lists(),
        crate::temporary_grant::sorted_lists(),
        crate::unit_test_set_run::sorted_lists(),
        crate::user::sorted_lists(),
    ];
    declared
        .chain(sorted.into_iter().flatten())
        .map(|statement| StatementText {
            name: statement.name,
            sql: statement.sql,
        })
        .collect()
}
