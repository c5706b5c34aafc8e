//! Comparing grants within a number of steps.
//!
//! Roles are written by people who may be no friends of the server's other users, and comparing two of them can take
//! longer than anybody will wait. So everything that a comparison does costs steps, and when they are used up there is
//! no answer.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::grant::canonical;
use super::limits::{weight_of_text, weight_of_value};
use super::{Condition, Grant};

/// How many steps one comparison of two roles may take: a few milliseconds.
pub(super) const BUDGET: usize = 100_000;

/// There is no answer within the budget.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfSteps;

/// A comparison that is under way.
pub(super) struct Comparison<'g> {
    steps: Steps,
    /// Permissions, attributes and values by their numbers, so that to compare two of them is one step.
    texts: HashMap<&'g str, usize>,
    values: HashMap<Cow<'g, Value>, usize>,
}

struct Steps {
    left: usize,
}

impl Steps {
    fn spend(&mut self, steps: usize) -> Result<(), OutOfSteps> {
        self.left = self.left.checked_sub(steps).ok_or(OutOfSteps)?;
        Ok(())
    }
}

/// A grant with its parts as numbers.
///
/// Two grants that mean the same by their conditions are equal.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Numbered {
    permission: usize,
    /// By attribute, in the order of their numbers.
    conditions: Vec<(usize, Wanted)>,
}

/// A condition with its values as numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Wanted {
    Equals(usize),
    NotEquals(usize),
    /// Each value once, in the order of their numbers; not exactly one value, which is `Equals`.
    In(Rc<[usize]>),
}

/// The grants that a role holds, so that they are found.
struct HeldGrants<'n> {
    by_permission: HashMap<usize, Vec<&'n Numbered>>,
    exactly: HashSet<&'n Numbered>,
}

impl<'n> HeldGrants<'n> {
    fn of(grants: &'n [Numbered]) -> Self {
        let mut by_permission: HashMap<_, Vec<_>> = HashMap::new();
        for grant in grants {
            by_permission.entry(grant.permission).or_default().push(grant);
        }
        Self {
            by_permission,
            exactly: grants.iter().collect(),
        }
    }
}

impl<'g> Comparison<'g> {
    pub(super) fn new() -> Self {
        Self {
            steps: Steps { left: BUDGET },
            texts: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Returns how many steps were taken.
    #[cfg(test)]
    pub(super) fn steps_taken(&self) -> usize {
        BUDGET - self.steps.left
    }

    /// Returns `true` if some grants allow everything that others do, and the others do not allow all that they do.
    pub(super) fn exceeds(&mut self, held: &'g [Grant], others: &'g [Grant]) -> Result<bool, OutOfSteps> {
        let (held, others) = (self.number(held)?, self.number(others)?);
        let is_above = self.uncovered_of(&HeldGrants::of(&held), &others)?.is_none();
        Ok(is_above && self.uncovered_of(&HeldGrants::of(&others), &held)?.is_some())
    }

    /// Returns the place of the first wanted grant that the held ones do not allow in full.
    ///
    /// It may name one where several grants cover it only together; it never leaves one out wrongly.
    pub(super) fn uncovered(
        &mut self,
        held: &'g [Grant],
        wanted: &'g [Grant],
    ) -> Result<Option<usize>, OutOfSteps> {
        let (held, wanted) = (self.number(held)?, self.number(wanted)?);
        self.uncovered_of(&HeldGrants::of(&held), &wanted)
    }

    fn uncovered_of(
        &mut self,
        held: &HeldGrants<'_>,
        wanted: &[Numbered],
    ) -> Result<Option<usize>, OutOfSteps> {
        for (place, grant) in wanted.iter().enumerate() {
            self.steps.spend(1 + grant.conditions.len())?;
            if held.exactly.contains(grant) {
                continue;
            }
            let Some(candidates) = held.by_permission.get(&grant.permission) else {
                return Ok(Some(place));
            };
            if !self.implies(candidates, &mut grant.conditions.clone())? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Returns `true` if grants of one permission allow everything that another one with these conditions does.
    fn implies(&mut self, held: &[&Numbered], wanted: &mut [(usize, Wanted)]) -> Result<bool, OutOfSteps> {
        for grant in held {
            if self.grant_implies(grant, wanted)? {
                return Ok(true);
            }
        }
        // One of several values is covered if each of them is, by whichever grant.
        self.steps.spend(wanted.len())?;
        let several = wanted
            .iter()
            .enumerate()
            .find_map(|(place, (_, condition))| match condition {
                Wanted::In(values) if !values.is_empty() => Some((place, Rc::clone(values))),
                _ => None,
            });
        let Some((place, values)) = several else {
            return Ok(false);
        };
        let mut is_implied = true;
        for value in values.iter() {
            wanted[place].1 = Wanted::Equals(*value);
            is_implied = self.implies(held, wanted)?;
            if !is_implied {
                break;
            }
        }
        wanted[place].1 = Wanted::In(values);
        Ok(is_implied)
    }

    /// Returns `true` if one grant allows everything that another one of the permission does: each of its conditions
    /// must follow from the other's condition on the same attribute.
    fn grant_implies(&mut self, grant: &Numbered, wanted: &[(usize, Wanted)]) -> Result<bool, OutOfSteps> {
        self.steps.spend(1)?;
        for (name, needed) in &grant.conditions {
            self.steps.spend(1)?;
            let Ok(place) = wanted.binary_search_by_key(name, |(name, _)| *name) else {
                return Ok(false);
            };
            if !self.condition_implies(&wanted[place].1, needed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns `true` if every value that fulfils `given` fulfils `needed`.
    fn condition_implies(&mut self, given: &Wanted, needed: &Wanted) -> Result<bool, OutOfSteps> {
        match given {
            Wanted::Equals(value) => {
                self.steps.spend(1)?;
                Ok(needed.holds_for(*value))
            }
            Wanted::In(values) => {
                for value in values.iter() {
                    self.steps.spend(1)?;
                    if !needed.holds_for(*value) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            // Of infinitely many values, all fulfil the same condition and no other that can be written.
            Wanted::NotEquals(_) => Ok(given == needed),
        }
    }

    fn number(&mut self, grants: &'g [Grant]) -> Result<Vec<Numbered>, OutOfSteps> {
        grants.iter().map(|grant| self.number_grant(grant)).collect()
    }

    fn number_grant(&mut self, grant: &'g Grant) -> Result<Numbered, OutOfSteps> {
        let permission = self.number_text(&grant.permission_name)?;
        let mut conditions = Vec::new();
        for (name, condition) in &grant.conditions {
            let name = self.number_text(name)?;
            let condition = match condition {
                Condition::Equals { value } => Wanted::Equals(self.number_value(value)?),
                Condition::NotEquals { value } => Wanted::NotEquals(self.number_value(value)?),
                Condition::In { values } => self.number_values(values)?,
            };
            conditions.push((name, condition));
        }
        conditions.sort_unstable_by_key(|(name, _)| *name);
        Ok(Numbered {
            permission,
            conditions,
        })
    }

    fn number_values(&mut self, values: &'g [Value]) -> Result<Wanted, OutOfSteps> {
        let mut numbers = HashSet::new();
        for value in values {
            numbers.insert(self.number_value(value)?);
        }
        let mut numbers: Vec<usize> = numbers.into_iter().collect();
        numbers.sort_unstable();
        Ok(match numbers[..] {
            [one] => Wanted::Equals(one),
            _ => Wanted::In(numbers.into()),
        })
    }

    fn number_text(&mut self, text: &'g str) -> Result<usize, OutOfSteps> {
        self.steps.spend(weight_of_text(text))?;
        let next = self.texts.len();
        Ok(*self.texts.entry(text).or_insert(next))
    }

    fn number_value(&mut self, value: &'g Value) -> Result<usize, OutOfSteps> {
        self.steps.spend(weight_of_value(value))?;
        let next = self.values.len();
        Ok(*self.values.entry(canonical(value)).or_insert(next))
    }
}

impl Wanted {
    /// Returns `true` if the condition holds for a value.
    fn holds_for(&self, actual: usize) -> bool {
        match self {
            Self::Equals(value) => *value == actual,
            Self::NotEquals(value) => *value != actual,
            Self::In(values) => values.binary_search(&actual).is_ok(),
        }
    }
}
