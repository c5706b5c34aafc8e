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
    /// Creates a fault at a place.
    pub fn new(loc: Vec<Step>, kind: &'static str, msg: impl Into<String>) -> Self {
        Self {
            loc,
            msg: msg.into(),
            kind,
        }
    }

    /// Creates the last of some faults, which says that there are more than are told.
    pub fn of_more(told: usize) -> Self {
        let msg = format!("there are more faults than these {told}; correct them to see the rest");
        Self::new(Vec::new(), "more_faults", msg)
    }

    /// Returns the same fault one step further out.
    #[must_use]
    pub fn inside(mut self, step: impl Into<Step>) -> Self {
        self.loc.insert(0, step.into());
        self
    }
}

/// How many faults of one request are told.
pub const MOST_FAULTS: usize = 50;

/// How many characters a step of a place, and a message, have at most: both may hold what the caller wrote.
const MOST_STEP: usize = 100;
const MOST_MESSAGE: usize = 500;

/// The faults of a document, each once, as far as they are told.
///
/// Whoever looks for them may stop when there are enough.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    kept: Vec<Fault>,
    has_more: bool,
}

impl Faults {
    /// Adds a fault, unless it is known or there are enough of them.
    pub fn push(&mut self, mut fault: Fault) {
        if self.has_more {
            return;
        }
        fault.msg = cut(fault.msg, MOST_MESSAGE);
        for step in &mut fault.loc {
            if let Step::Field(name) = step {
                *name = cut(std::mem::take(name), MOST_STEP);
            }
        }
        if self.kept.contains(&fault) {
            return;
        }
        if self.kept.len() < MOST_FAULTS {
            self.kept.push(fault);
        } else {
            self.has_more = true;
        }
    }

    /// Returns `true` if nothing that is added from now on will be told.
    pub fn is_full(&self) -> bool {
        self.has_more
    }

    /// Returns `true` if there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns them, with a last one that says so if there are more than are told.
    pub fn into_vec(self) -> Vec<Fault> {
        let mut faults = self.kept;
        if self.has_more {
            faults.push(Fault::of_more(MOST_FAULTS));
        }
        faults
    }

    /// Returns an error with them, unless there are none.
    pub fn unless_empty(self) -> Result<(), Vec<Fault>> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.into_vec())
        }
    }
}

impl Extend<Fault> for Faults {
    fn extend<I: IntoIterator<Item = Fault>>(&mut self, faults: I) {
        for fault in faults {
            if self.is_full() {
                break;
            }
            self.push(fault);
        }
    }
}

fn cut(mut text: String, most: usize) -> String {
    // Few texts have so many bytes at all.
    if text.len() > most
        && let Some((end, _)) = text.char_indices().nth(most)
    {
        text.truncate(end);
        text.shrink_to_fit();
        text.push('…');
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(number: usize) -> Fault {
        Fault::new(vec!["items".into(), number.into()], "type", "expected a `string`")
    }

    #[test]
    fn fifty_faults_are_told_and_that_there_are_more() {
        let mut faults = Faults::default();
        faults.extend((0..50).map(fault));
        assert!(!faults.is_full());
        assert_eq!(faults.clone().into_vec(), (0..50).map(fault).collect::<Vec<_>>());
        // What is known already is no further one.
        faults.push(fault(7));
        assert!(!faults.is_full());
        let mut asked = 0;
        faults.extend((50..1_000_000).map(fault).inspect(|_| asked += 1));
        assert!(faults.is_full() && asked <= 2, "{asked}");
        let told = faults.into_vec();
        assert_eq!(told.len(), 51);
        assert_eq!(
            told[50].to_string(),
            "there are more faults than these 50; correct them to see the rest"
        );
    }

    #[test]
    fn what_a_caller_wrote_is_cut_in_a_fault() {
        let mut faults = Faults::default();
        let long = "é".repeat(1000);
        faults.push(Fault::new(vec![long.as_str().into()], "type", long.clone()));
        let told = faults.into_vec();
        assert_eq!(told[0].loc, [Step::Field(format!("{}…", "é".repeat(100)))]);
        assert_eq!(told[0].msg, format!("{}…", "é".repeat(500)));
    }
}
