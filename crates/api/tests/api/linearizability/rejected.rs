//! The checker can say no: histories that no order explains.

use super::call::{Answer, Call, Name, Pins, Revision, Terms, Wish};
use super::history::{Recorder, is_linearizable};

const ONE: Pins = pins(1);
const TWO: Pins = pins(2);

const fn pins(agent: i64) -> Pins {
    Pins {
        agent: Some(agent),
        graph: Some(1),
    }
}

fn change(wish: Wish) -> Call {
    Call::Change {
        set: Name::Test,
        wish,
        terms: Terms::default(),
    }
}

fn written(change: i64) -> Answer {
    Answer::Done {
        change: Some(change),
        told: None,
    }
}

fn set(revision: i64, pins: Pins) -> Answer {
    Answer::Set {
        revision,
        pins,
        is_held: false,
    }
}

fn newest(number: i64, action: &'static str, pins: Option<Pins>, change: i64) -> Answer {
    Answer::Revision(Revision {
        number,
        action,
        pins,
        restored: None,
        change,
    })
}

/// Creates a history of calls that are over one after another.
fn one_by_one(calls: &[(Call, Answer)]) -> Recorder {
    let recorder = Recorder::default();
    for (call, answer) in calls {
        let number = recorder.begin(call);
        recorder.end(number, call, answer);
    }
    recorder
}

/// Creates a history of calls all of which are under way at once, and end in this order.
fn at_once(recorder: &Recorder, calls: &[(Call, Answer)]) {
    let begun: Vec<usize> = calls.iter().map(|(call, _)| recorder.begin(call)).collect();
    for (number, (call, answer)) in begun.into_iter().zip(calls) {
        recorder.end(number, call, answer);
    }
}

#[track_caller]
fn assert_verdict(recorder: &Recorder, expected: bool) {
    assert_eq!(is_linearizable(&recorder.lines()), expected);
}

#[test]
fn reads_that_follow_the_writes_are_accepted() {
    let recorder = one_by_one(&[
        (Call::Get(Name::Test), Answer::Missing),
        (change(Wish::Upsert(ONE)), written(1)),
        (Call::Get(Name::Test), set(1, ONE)),
        (change(Wish::Upsert(TWO)), written(2)),
        (Call::Newest(Name::Test), newest(2, "update", Some(TWO), 2)),
        (change(Wish::Delete), written(3)),
        (Call::Resolve(Name::Test), Answer::Gone(3)),
    ]);
    assert_verdict(&recorder, true);
}

#[test]
fn a_stale_read_is_rejected_unless_it_was_under_way_with_the_write() {
    let update = (change(Wish::Upsert(TWO)), written(2));
    let stale = (Call::Get(Name::Test), set(1, ONE));
    let first = (change(Wish::Upsert(ONE)), written(1));
    assert_verdict(
        &one_by_one(&[first.clone(), update.clone(), stale.clone()]),
        false,
    );
    let recorder = one_by_one(&[first]);
    at_once(&recorder, &[update, stale]);
    assert_verdict(&recorder, true);
}

#[test]
fn reads_that_see_two_writes_in_two_orders_are_rejected() {
    let recorder = Recorder::default();
    let update = change(Wish::Upsert(ONE));
    let number = recorder.begin(&update);
    let read = Call::Get(Name::Test);
    for answer in [set(1, ONE), Answer::Missing] {
        let number = recorder.begin(&read);
        recorder.end(number, &read, &answer);
    }
    recorder.end(number, &update, &written(1));
    assert_verdict(&recorder, false);
}

#[test]
fn a_lost_update_is_rejected() {
    let recorder = Recorder::default();
    at_once(
        &recorder,
        &[
            (change(Wish::Upsert(ONE)), written(1)),
            (change(Wish::Upsert(TWO)), written(2)),
        ],
    );
    let read = Call::Newest(Name::Test);
    let number = recorder.begin(&read);
    recorder.end(number, &read, &newest(1, "create", Some(ONE), 1));
    assert_verdict(&recorder, false);
}

#[test]
fn two_writes_that_claim_the_same_place_are_rejected() {
    let recorder = Recorder::default();
    at_once(
        &recorder,
        &[
            (change(Wish::Upsert(ONE)), written(1)),
            (change(Wish::Upsert(TWO)), written(1)),
        ],
    );
    assert_verdict(&recorder, false);
}

#[test]
fn a_rollback_that_leaves_no_hold_is_rejected() {
    let rolled_back = |is_held| {
        let dry_run = Call::Get(Name::Test);
        let answer = Answer::Set {
            revision: 3,
            pins: ONE,
            is_held,
        };
        let recorder = one_by_one(&[
            (change(Wish::Upsert(ONE)), written(1)),
            (change(Wish::Upsert(TWO)), written(2)),
        ]);
        // Nobody saw the answer: what it did shows in what is read next.
        recorder.begin(&change(Wish::Rollback { to: None }));
        let number = recorder.begin(&dry_run);
        recorder.end(number, &dry_run, &answer);
        recorder
    };
    assert_verdict(&rolled_back(true), true);
    assert_verdict(&rolled_back(false), false);
}

#[test]
fn a_call_without_an_answer_may_have_taken_place_or_not_but_not_twice() {
    let history = |reads: &[Answer]| {
        let recorder = Recorder::default();
        recorder.begin(&change(Wish::Upsert(ONE)));
        for answer in reads {
            let number = recorder.begin(&Call::Get(Name::Test));
            recorder.end(number, &Call::Get(Name::Test), answer);
        }
        recorder
    };
    assert_verdict(&history(&[Answer::Missing, Answer::Missing]), true);
    assert_verdict(&history(&[Answer::Missing, set(1, ONE)]), true);
    assert_verdict(&history(&[set(1, ONE), Answer::Missing]), false);
    assert_verdict(&history(&[set(1, ONE), set(2, ONE)]), false);
}
