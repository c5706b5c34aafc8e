//! SQL statements as declared constants.

/// One SQL statement, valid on both engines.
///
/// Only `statements!` makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sql: &'static str,
}

/// Declares statements, and the list of them that `catalogue.rs` collects.
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
