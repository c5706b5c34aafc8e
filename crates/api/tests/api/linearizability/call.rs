//! What clients ask of the two sets under test, and what they are answered.

use forge_testkit::Dice;

/// How many versions the agent and the context graph have: what a floating pin means.
pub(super) const VERSIONS: i64 = 6;

/// One of the sets under test: `test`, which most calls are about, and `preview`, which is promoted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Name {
    Test,
    Preview,
}

impl Name {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Preview => "preview",
        }
    }

    fn any(dice: &mut Dice) -> Self {
        dice.pick(&[Self::Test, Self::Test, Self::Test, Self::Preview])
    }
}

/// Versions of the agent and of the context graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pins {
    pub(super) agent: Option<i64>,
    pub(super) graph: Option<i64>,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// Reads a set.
    Get(Name),
    /// Reads what a set means.
    Resolve(Name),
    /// Reads the newest revision of a set.
    Newest(Name),
    /// Lifts the hold on a set.
    LiftHold(Name),
    /// Changes a set, or only plans to.
    Change { set: Name, wish: Wish, terms: Terms },
}

/// What a set is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Upsert(Pins),
    Promote { source: Name, revision: Option<i64> },
    Rollback { to: Option<i64> },
    Delete,
}

/// On which terms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Terms {
    pub(super) precondition: Option<Precondition>,
    pub(super) digest: Option<String>,
    pub(super) lift_hold: bool,
    pub(super) is_dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Precondition {
    /// `If-Match: "revision"`
    IsAt(i64),
    /// `If-None-Match: *`, of calls that can create the set
    IsAbsent,
}

/// An answer, without what the model does not speak about.
///
/// Change numbers count from the beginning of the round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// 404
    Missing,
    /// 410 with the last revision
    Gone(i64),
    /// A set as it is.
    Set {
        revision: i64,
        pins: Pins,
        is_held: bool,
    },
    /// What a set means.
    ResolvedPins { revision: i64, pins: Pins },
    /// A revision; of a deletion without pins.
    Revision(Revision),
    /// The hold is lifted; without a change number where there was none.
    Lifted { change: Option<i64> },
    /// 412, with the revision that the set is at.
    PreconditionFailed { revision: Option<i64> },
    /// 409, with the plan as it is now.
    Moved(Plan),
    /// 400, with the plan.
    Blocked(Plan),
    /// The plan of a dry run.
    Planned(Plan),
    /// Done, or found to be so already: then there is no change number. Classic calls tell no revision and no plan.
    Done {
        change: Option<i64>,
        told: Option<(i64, Plan)>,
    },
}

/// A revision of a set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) action: &'static str,
    pub(super) pins: Option<Pins>,
    pub(super) restored: Option<i64>,
    pub(super) change: i64,
}

/// A plan, as far as the model can tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) outline: Outline,
    pub(super) digest: String,
}

/// A plan without its digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Outline {
    pub(super) action: &'static str,
    pub(super) target: Option<i64>,
    pub(super) source: Option<i64>,
    /// The codes, sorted.
    pub(super) blockers: Vec<&'static str>,
    pub(super) is_no_op: bool,
}

/// What a client has seen so far; it makes the conditions that it states likely, not certain, to hold.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) revision: i64,
    /// A change that was planned, with the digest of its plan.
    pub(super) planned: Option<Call>,
}

impl Call {
    /// Returns something that a client may try.
    pub(super) fn any(dice: &mut Dice, seen: &mut Seen) -> Self {
        if let Some(planned) = seen.planned.take_if(|_| !dice.one_in(3)) {
            return planned;
        }
        let set = Name::any(dice);
        match dice.below(16) {
            0 | 1 => Self::Get(set),
            2 => Self::Resolve(set),
            3 => Self::Newest(set),
            4 => Self::LiftHold(set),
            _ => {
                let wish = Wish::any(dice, seen);
                let terms = Terms::any(dice, seen, &wish);
                Self::Change { set, wish, terms }
            }
        }
    }

    /// Remembers what an answer tells.
    pub(super) fn learn(&self, answer: &Answer, seen: &mut Seen) {
        match answer {
            Answer::Set { revision, .. } | Answer::ResolvedPins { revision, .. } | Answer::Gone(revision) => {
                seen.revision = *revision;
            }
            Answer::Revision(revision) => seen.revision = revision.number,
            Answer::PreconditionFailed { revision } => seen.revision = revision.unwrap_or(0),
            Answer::Done {
                told: Some((revision, _)),
                ..
            } => seen.revision = *revision,
            Answer::Planned(plan) | Answer::Moved(plan) => {
                seen.planned = self.carrying_out(plan);
            }
            _ => {}
        }
    }

    /// Returns the same change under the condition that its plan is still this one.
    fn carrying_out(&self, plan: &Plan) -> Option<Self> {
        let Self::Change { set, wish, terms } = self else {
            return None;
        };
        let terms = Terms {
            digest: Some(plan.digest.clone()),
            is_dry_run: false,
            ..terms.clone()
        };
        Some(Self::Change {
            set: *set,
            wish: wish.clone(),
            terms,
        })
    }
}

impl Wish {
    fn any(dice: &mut Dice, seen: &Seen) -> Self {
        let revision = dice.within(1, seen.revision + 1);
        match dice.below(12) {
            0..4 => Self::Promote {
                source: dice.pick(&[Name::Preview, Name::Preview, Name::Preview, Name::Test]),
                revision: dice.one_in(4).then_some(revision),
            },
            4..7 => Self::Rollback {
                to: dice.one_in(3).then_some(revision),
            },
            7..10 => {
                // Sometimes a version that does not exist.
                let agent = dice.within(0, VERSIONS + 1);
                let graph = dice.within(0, 2);
                Self::Upsert(Pins {
                    agent: (agent > 0).then_some(agent),
                    graph: (graph > 0).then_some(graph),
                })
            }
            _ => Self::Delete,
        }
    }

    /// The action that history records.
    pub(super) fn action(&self, is_new: bool) -> &'static str {
        match self {
            Self::Upsert(_) if is_new => "create",
            Self::Upsert(_) => "update",
            Self::Promote { .. } => "promote",
            Self::Rollback { .. } => "rollback",
            Self::Delete => "delete",
        }
    }

    /// Returns `true` if answers to the change name the revision and the plan; those of Classic do not.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, Self::Promote { .. } | Self::Rollback { .. })
    }
}

impl Terms {
    fn any(dice: &mut Dice, seen: &Seen, wish: &Wish) -> Self {
        let may_create = matches!(wish, Wish::Upsert(_) | Wish::Promote { .. });
        let precondition = match dice.below(12) {
            0 | 1 => Some(Precondition::IsAt(seen.revision.max(1))),
            2 if may_create => Some(Precondition::IsAbsent),
            _ => None,
        };
        Self {
            precondition,
            digest: None,
            lift_hold: dice.one_in(3),
            is_dry_run: dice.one_in(6),
        }
    }
}
