//! In what context a use case is carried out.

use crate::{App, Caller};

/// Whom a use case is carried out for, and by what.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// Everything that use cases need, beside what they are asked.
    pub app: &'a App,
    /// Who asks.
    pub caller: &'a Caller,
}

impl<'a> Ctx<'a> {
    /// Creates the context of a caller.
    pub const fn new(app: &'a App, caller: &'a Caller) -> Self {
        Self { app, caller }
    }
}
