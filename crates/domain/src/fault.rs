//! Faults of a document, each with the place where it is.

use std::fmt;

use serde::Serialize;

/// One step from a document's root to a place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A field of an object.
    Field(String),
    /// A position in an array, from 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(field: &str) -> Self {
        Self::Field(field.to_owned())
    }
}

impl From<String> for Step {
    fn from(field: String) -> Self {
        Self::Field(field)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Something in a document that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it is.
    pub loc: Vec<Step>,
    /// What is wrong and what would be right, for a person.
    pub msg: String,
    /// A stable word for programs.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

impl Fault {
    /// Makes a fault at a place.
    pub fn new(loc: Vec<Step>, kind: &'static str, msg: impl Into<String>) -> Self {
        Self {
            loc,
            msg: msg.into(),
            kind,
        }
    }

    /// Returns the same fault one step further out.
    #[must_use]
    pub fn inside(mut self, step: impl Into<Step>) -> Self {
        self.loc.insert(0, step.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.loc.iter().enumerate() {
            match step {
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        if !self.loc.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.msg)
    }
}
