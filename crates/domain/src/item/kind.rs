//! The kinds of items, for what is told apart when the program runs: the store, the audit log, messages.

use std::fmt;
use std::str::FromStr;

/// Which kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A dynamic behavior set.
    BehaviorSet,
    /// A metric.
    Metric,
    /// A simulated persona.
    Persona,
    /// A simulated scenario.
    Scenario,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::BehaviorSet, Self::Metric, Self::Persona, Self::Scenario];

    /// Returns the contract's name, which the store and the audit log use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BehaviorSet => "dynamic_behavior_set",
            Self::Metric => "metric",
            Self::Persona => "simulation_persona",
            Self::Scenario => "simulation_scenario",
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BehaviorSet => "dynamic behavior set",
            Self::Metric => "metric",
            Self::Persona => "simulation persona",
            Self::Scenario => "simulation scenario",
        })
    }
}

/// The text names no kind of item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no kind of item has this name")]
pub struct UnknownItemKind;

impl FromStr for ItemKind {
    type Err = UnknownItemKind;

    fn from_str(text: &str) -> Result<Self, UnknownItemKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(UnknownItemKind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ItemKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("agent".parse::<ItemKind>(), Err(UnknownItemKind));
    }
}
