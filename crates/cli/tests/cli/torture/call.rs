//! What clients ask, and what came of it.

use forge_testkit::Dice;
use serde_json::Value;

pub(super) const SERVICES: usize = 3;
pub(super) const SETS: [&str; 3] = ["test", "preview", "release"];
pub(super) const AGENT_VERSIONS: i64 = 4;
pub(super) const GRAPH_VERSIONS: i64 = 3;

/// A set: the service's number, and the set's name.
pub(super) type Place = (usize, &'static str);

/// A write. Its message is its own.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) message: String,
    pub(super) wish: Wish,
    pub(super) lift_hold: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// Set the numbers of the agent and the context graph.
    Put(Place, [i64; 2]),
    /// Copy a set of the same service.
    Promote(Place, &'static str),
    Rollback(Place),
    /// Copy one set onto another in every service.
    PromoteMany {
        source: &'static str,
        target: &'static str,
    },
}

impl Call {
    /// Returns the call that makes a set.
    pub(super) fn first(service: usize, set: &'static str) -> Self {
        Self {
            message: format!("first {service} {set}"),
            wish: Wish::Put((service, set), [1, 1]),
            lift_hold: false,
        }
    }

    /// Returns some call.
    pub(super) fn any(dice: &mut Dice, number: u64) -> Self {
        let services: Vec<usize> = (0..SERVICES).collect();
        let (service, source, target) = (dice.pick(&services), dice.pick(&SETS), dice.pick(&SETS));
        let pins = [dice.within(1, AGENT_VERSIONS), dice.within(1, GRAPH_VERSIONS)];
        let wish = match dice.below(8) {
            0..=2 => Wish::Put((service, target), pins),
            3 => Wish::Rollback((service, target)),
            // Nothing can be copied onto itself.
            _ if source == target => Wish::Put((service, target), pins),
            4 | 5 => Wish::Promote((service, target), source),
            _ => Wish::PromoteMany { source, target },
        };
        Self {
            message: format!("call {number}"),
            wish,
            lift_hold: !dice.one_in(3),
        }
    }

    /// Returns the sets that it may change.
    pub(super) fn targets(&self) -> Vec<Place> {
        match self.wish {
            Wish::Put(place, _) | Wish::Promote(place, _) | Wish::Rollback(place) => vec![place],
            Wish::PromoteMany { target, .. } => (0..SERVICES).map(|service| (service, target)).collect(),
        }
    }

    /// Returns `true` if it has a key by which the server knows it again.
    ///
    /// A PUT of Classic has none.
    pub(super) fn can_be_repeated(&self) -> bool {
        !matches!(self.wish, Wish::Put(..))
    }
}

/// What came of a call.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// The server died; it may have been carried out or not.
    Unanswered,
    /// Nothing was written: it was refused, or there was nothing to do.
    Nothing,
    /// It was carried out.
    Written {
        /// The change number of the answer.
        change: i64,
        /// The plan of each set, in the order of the targets; none where the answer has no body.
        plans: Vec<Value>,
    },
}

impl Outcome {
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unanswered)
    }
}

/// A call and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) call: Call,
    pub(super) outcome: Outcome,
}
