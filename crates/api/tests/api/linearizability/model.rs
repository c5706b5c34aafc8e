//! The sequential model: what each call is answered if calls come one after another.
//!
//! It is written from the documentation, and not with the domain's rules, so that one does not repeat the other's
//! faults. Going back is told differently too: here each revision knows the line of revisions behind it.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use todc_utils::Specification;

use super::call::{Answer, Call, Name, Outline, Pins, Plan, Precondition, Revision, Terms, VERSIONS, Wish};

/// A call and its answer; without one, the client gave up and cannot know whether the call took place.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) call: Call,
    pub(super) answer: Option<Answer>,
}

/// The checker's view of the model.
pub(super) struct Model;

impl Specification for Model {
    // Shared, since the checker asks for a copy even of a state that it does not go on with.
    type State = Arc<State>;
    type Operation = Operation;

    fn init() -> Arc<State> {
        Arc::default()
    }

    fn apply(operation: &Operation, state: &Arc<State>) -> (bool, Arc<State>) {
        let (expected, becomes) = state.run(&operation.call);
        let is_possible = match &operation.answer {
            None => true,
            Some(answer) => state.is_answer(&expected, answer),
        };
        let next = if is_possible {
            state.after(becomes, &expected, operation.answer.as_ref())
        } else {
            Arc::clone(state)
        };
        (is_possible, next)
    }
}

/// Both sets, and what they have been.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    test: Arc<Set>,
    preview: Arc<Set>,
    /// How many writes there were.
    changes: i64,
    /// The digests that were told, and what each stands for: no digest may ever stand for two things.
    digests: Arc<BTreeMap<String, Seal>>,
}

impl Hash for State {
    // Of all that makes states differ, this is enough to tell most of them apart, and quick.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.changes, self.digests.len()).hash(hasher);
    }
}

/// A set with its history; deleted if the last revision pins nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Set {
    history: Vec<Arc<Entry>>,
    is_held: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    revision: Revision,
    /// The write that its content goes back to through all rollbacks.
    origin: i64,
    /// What rollbacks go back to from here, the next one last.
    line: Vec<i64>,
}

/// What a digest fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seal {
    set: Name,
    outline: Outline,
    wanted: Option<Pins>,
    latest: i64,
    is_held: bool,
    lift_hold: bool,
}

/// A planned change.
struct Planned {
    seal: Seal,
    restored: Option<i64>,
}

impl Set {
    fn latest(&self) -> i64 {
        self.history.last().map_or(0, |entry| entry.revision.number)
    }

    /// What it pins, if it is there.
    fn pins(&self) -> Option<Pins> {
        self.history.last()?.revision.pins
    }

    fn live_revision(&self) -> Option<i64> {
        self.pins().map(|_| self.latest())
    }

    fn entry(&self, number: i64) -> Option<&Entry> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.history.get(index).map(|entry| &**entry)
    }

    /// The revision that a rollback restores, or the code of what stands against it.
    fn restored(&self, to: Option<i64>, lift_hold: bool) -> Result<i64, &'static str> {
        let newest = self.history.last().ok_or("nothing_to_roll_back")?;
        let Some(number) = to else {
            return newest.line.last().copied().ok_or("nothing_to_roll_back");
        };
        let wanted = self
            .entry(number)
            .filter(|entry| entry.revision.pins.is_some())
            .ok_or("no_such_revision")?;
        let mut later = self.history.iter().filter(|entry| entry.revision.number > number);
        if later.any(|entry| entry.revision.pins.is_none()) {
            return Err("across_deletion");
        }
        let behind = newest.line.iter().filter_map(|number| self.entry(*number));
        let is_in_line = behind
            .chain([&**newest])
            .any(|entry| entry.origin == wanted.origin);
        if is_in_line || lift_hold {
            Ok(number)
        } else {
            Err("undone_revision")
        }
    }

    fn append(&mut self, action: &'static str, pins: Option<Pins>, restored: Option<i64>, change: i64) {
        let number = self.latest() + 1;
        let (origin, line) = match restored.and_then(|number| self.entry(number)) {
            Some(entry) => (entry.origin, entry.line.clone()),
            None => (number, self.line_of_next()),
        };
        let revision = Revision {
            number,
            action,
            pins,
            restored,
            change,
        };
        self.history.push(Arc::new(Entry {
            revision,
            origin,
            line,
        }));
    }

    /// The line behind a write that restores nothing: nothing goes behind a creation or a deletion.
    fn line_of_next(&self) -> Vec<i64> {
        match self.history.last() {
            Some(entry) if entry.revision.pins.is_some() => {
                let mut line = entry.line.clone();
                line.push(entry.revision.number);
                line
            }
            _ => Vec::new(),
        }
    }
}

impl State {
    /// Returns what a call is answered, and what it makes of a set if it writes.
    ///
    /// The answer has seals in place of digests, which the model cannot know.
    fn run(&self, call: &Call) -> (Expected, Option<(Name, Set)>) {
        let read = |answer| (Expected::Plain(answer), None);
        match call {
            Call::Get(name) => read(self.get(*name)),
            Call::Resolve(name) => read(self.resolve(*name)),
            Call::Newest(name) => {
                let newest = self.set(*name).history.last();
                read(newest.map_or(Answer::Missing, |entry| Answer::Revision(entry.revision.clone())))
            }
            Call::LiftHold(name) => self.lift_hold(*name),
            Call::Change { set, wish, terms } => self.change(*set, wish, terms),
        }
    }

    /// Returns the state after a call that was answered like this.
    fn after(&self, becomes: Option<(Name, Set)>, expected: &Expected, answer: Option<&Answer>) -> Arc<Self> {
        let mut next = self.clone();
        if let Some((name, set)) = becomes {
            next.changes += 1;
            match name {
                Name::Test => next.test = set.into(),
                Name::Preview => next.preview = set.into(),
            }
        }
        if let Some((seal, plan)) = answer.and_then(|answer| expected.plan(answer))
            && !next.digests.contains_key(&plan.digest)
        {
            Arc::make_mut(&mut next.digests).insert(plan.digest.clone(), seal.clone());
        }
        next.into()
    }

    fn set(&self, name: Name) -> &Set {
        match name {
            Name::Test => &self.test,
            Name::Preview => &self.preview,
        }
    }

    fn get(&self, name: Name) -> Answer {
        let set = self.set(name);
        match set.pins() {
            None => Answer::Missing,
            Some(pins) => Answer::Set {
                revision: set.latest(),
                pins,
                is_held: set.is_held,
            },
        }
    }

    fn resolve(&self, name: Name) -> Answer {
        let set = self.set(name);
        match set.pins() {
            None if set.history.is_empty() => Answer::Missing,
            None => Answer::Gone(set.latest()),
            Some(pins) => Answer::ResolvedPins {
                revision: set.latest(),
                pins: frozen(pins),
            },
        }
    }

    fn lift_hold(&self, name: Name) -> (Expected, Option<(Name, Set)>) {
        let set = self.set(name);
        let change = set.is_held.then_some(self.changes + 1);
        let becomes = set.is_held.then(|| Set {
            is_held: false,
            ..set.clone()
        });
        let answer = match set.pins() {
            None => Answer::Missing,
            Some(_) => Answer::Lifted { change },
        };
        (Expected::Plain(answer), becomes.map(|set| (name, set)))
    }

    fn change(&self, name: Name, wish: &Wish, terms: &Terms) -> (Expected, Option<(Name, Set)>) {
        let set = self.set(name);
        let is_there = set.pins().is_some();
        if !is_there && matches!(wish, Wish::Delete | Wish::Rollback { .. }) {
            return (Expected::Plain(Answer::Missing), None);
        }
        let revision = set.live_revision();
        let is_fulfilled = match terms.precondition {
            None => true,
            Some(Precondition::IsAt(wanted)) => revision == Some(wanted),
            Some(Precondition::IsAbsent) => !is_there,
        };
        if !is_fulfilled {
            return (Expected::Plain(Answer::PreconditionFailed { revision }), None);
        }
        let Planned { seal, restored } = self.plan(name, wish, terms.lift_hold);
        if let Some(digest) = &terms.digest
            && self.digests.get(digest) != Some(&seal)
        {
            return (Expected::Moved(seal), None);
        }
        if terms.is_dry_run {
            return (Expected::Planned(seal), None);
        }
        if !seal.outline.blockers.is_empty() {
            return (Expected::Blocked(seal), None);
        }
        let (mut change, mut becomes) = (None, set.clone());
        if !seal.outline.is_no_op {
            let number = self.changes + 1;
            change = Some(number);
            let is_rollback = matches!(wish, Wish::Rollback { .. });
            if is_rollback || *wish == Wish::Delete || set.pins() != seal.wanted {
                becomes.append(seal.outline.action, seal.wanted, restored, number);
            }
            becomes.is_held = !terms.lift_hold && (set.is_held || is_rollback);
        }
        let told = wish.is_told().then(|| (becomes.latest(), seal));
        let becomes = change.map(|_| (name, becomes));
        (Expected::Done { change, told }, becomes)
    }

    fn plan(&self, name: Name, wish: &Wish, lift_hold: bool) -> Planned {
        let set = self.set(name);
        let is_new = set.pins().is_none();
        let mut blockers = Vec::new();
        if set.is_held && !lift_hold && !matches!(wish, Wish::Rollback { .. }) {
            blockers.push("held");
        }
        let (mut source, mut restored) = (None, None);
        let wanted = match wish {
            Wish::Delete => None,
            Wish::Upsert(pins) if pins.agent.is_some_and(|version| version > VERSIONS) => {
                blockers.push("no_such_version");
                None
            }
            Wish::Upsert(pins) => Some(*pins),
            Wish::Promote {
                source: from,
                revision,
            } => {
                let from = self.set(*from);
                let number = revision.or(from.live_revision());
                let content = number.and_then(|number| from.entry(number)?.revision.pins);
                match content {
                    Some(_) => source = number,
                    None => blockers.push("unknown_source"),
                }
                content.map(frozen)
            }
            Wish::Rollback { to } => match set.restored(*to, lift_hold) {
                Ok(number) => {
                    (source, restored) = (Some(number), Some(number));
                    set.entry(number)
                        .and_then(|entry| entry.revision.pins)
                        .map(frozen)
                }
                Err(code) => {
                    blockers.push(code);
                    None
                }
            },
        };
        blockers.sort_unstable();
        let is_same = matches!(wish, Wish::Upsert(_) | Wish::Promote { .. })
            && wanted.is_some()
            && wanted == set.pins();
        let outline = Outline {
            action: wish.action(is_new),
            target: set.live_revision(),
            source,
            blockers,
            is_no_op: is_same && !(set.is_held && lift_hold),
        };
        let seal = Seal {
            set: name,
            outline,
            wanted,
            latest: set.latest(),
            is_held: set.is_held,
            lift_hold,
        };
        Planned { seal, restored }
    }

    /// Returns `true` if this is the answer that the model expects.
    fn is_answer(&self, expected: &Expected, answer: &Answer) -> bool {
        let is_known = |seal: &Seal, plan: &Plan| {
            plan.outline == seal.outline && self.digests.get(&plan.digest).is_none_or(|known| known == seal)
        };
        let is_plan_right = expected
            .plan(answer)
            .is_none_or(|(seal, plan)| is_known(seal, plan));
        is_plan_right
            && match (expected, answer) {
                (Expected::Plain(expected), answer) => expected == answer,
                (Expected::Done { change: wanted, told }, Answer::Done { change, told: heard }) => {
                    let revision = told.as_ref().map(|(revision, _)| revision);
                    wanted == change && revision == heard.as_ref().map(|(revision, _)| revision)
                }
                (Expected::Moved(_), Answer::Moved(_))
                | (Expected::Planned(_), Answer::Planned(_))
                | (Expected::Blocked(_), Answer::Blocked(_)) => true,
                _ => false,
            }
    }
}

/// An answer with seals in place of digests.
enum Expected {
    Plain(Answer),
    Moved(Seal),
    Blocked(Seal),
    Planned(Seal),
    Done {
        change: Option<i64>,
        told: Option<(i64, Seal)>,
    },
}

impl Expected {
    /// Returns the plan of an answer of the same kind, with the seal that its digest has to stand for.
    fn plan<'a>(&'a self, answer: &'a Answer) -> Option<(&'a Seal, &'a Plan)> {
        match (self, answer) {
            (Self::Moved(seal), Answer::Moved(plan))
            | (Self::Planned(seal), Answer::Planned(plan))
            | (Self::Blocked(seal), Answer::Blocked(plan))
            | (
                Self::Done {
                    told: Some((_, seal)),
                    ..
                },
                Answer::Done {
                    told: Some((_, plan)),
                    ..
                },
            ) => Some((seal, plan)),
            _ => None,
        }
    }
}

/// The versions that pins mean.
///
/// Nobody adds versions meanwhile, so it is always the same.
fn frozen(pins: Pins) -> Pins {
    Pins {
        agent: pins.agent.or(Some(VERSIONS)),
        graph: pins.graph.or(Some(VERSIONS)),
    }
}
