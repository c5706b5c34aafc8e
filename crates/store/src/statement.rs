//! SQL statements as declared constants.

/// One SQL statement, valid on both engines.
///
/// Only `statements!` makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// A statement's name and text, for the test that prepares all of them.
#[derive(Debug, Clone, Copy)]
pub struct StatementText {
    /// The constant's name, or that of the family of statements it belongs to.
    pub name: &'static str,
    /// The SQL.
    pub sql: &'static str,
}

/// Declares statements, and the list of them that [`all_statements`] collects.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: $crate::statement::Statement = $crate::statement::Statement {
            name: stringify!($name),
            sql: $sql,
        };)*
        pub(crate) const STATEMENTS: &[$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;

/// Returns every statement that the store ever runs, but for migrations and the opening of transactions.
pub fn all_statements() -> Vec<StatementText> {
    let files: [&[Statement]; 23] = [
        crate::api_key::STATEMENTS,
        crate::asset::STATEMENTS,
        crate::audit::STATEMENTS,
        crate::behavior_invocation::STATEMENTS,
        crate::conversation::STATEMENTS,
        crate::conversation_claim::STATEMENTS,
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
        crate::unit_test_set::STATEMENTS,
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
        crate::unit_test_run::sorted_lists(),
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
