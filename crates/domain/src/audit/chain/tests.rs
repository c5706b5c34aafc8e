use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::actor::{Actor, ActorKind, UserRef};
use crate::audit::AuditObject;

type Entry = (AuditEvent, String);

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,4}", inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// How an entry differs from the one before it: milliseconds, change numbers, and what it says.
fn step() -> impl Strategy<Value = (i64, i64, usize, Value, Value)> {
    (0..3_i64, 0..2_i64, 0..3_usize, json_value(), json_value())
}

/// Creates a sound chain.
fn chain(steps: Vec<(i64, i64, usize, Value, Value)>) -> Vec<Entry> {
    let (mut time, mut change_number, mut previous_hash) = (1000, 0, GENESIS_HASH.to_owned());
    let mut entries = Vec::new();
    for (index, (later, more, kind, before, after)) in steps.into_iter().enumerate() {
        time += later;
        // Several entries may be of one change; the first entry is of the first.
        change_number += if index == 0 { 1 } else { more };
        let event = AuditEvent {
            organization: "acme".parse().unwrap(),
            sequence: i64::try_from(index).unwrap() + 1,
            change_number,
            created_at: Timestamp::from_millis(time),
            actor: Actor {
                user: UserRef {
                    org_id: "acme".parse().unwrap(),
                    user_id: format!("user-{kind}"),
                },
                kind: [ActorKind::Person, ActorKind::Key, ActorKind::Agent][kind],
                key: None,
            },
            action: "update".to_owned(),
            object: AuditObject {
                kind: "service".to_owned(),
                id: format!("{kind}"),
            },
            before,
            after,
            previous_hash: previous_hash.clone(),
        };
        previous_hash = event.hash();
        entries.push((event, previous_hash.clone()));
    }
    entries
}

fn chains() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec(step(), 1..8).prop_map(chain)
}

/// Chains, and a place in each.
fn places() -> impl Strategy<Value = (Vec<Entry>, usize)> {
    chains().prop_flat_map(|chain| {
        let places = 0..chain.len();
        (Just(chain), places)
    })
}

fn check(entries: &[Entry], expected: Vec<ExpectedHead>) -> ChainReport {
    let mut check = ChainCheck::new(expected);
    for (event, hash) in entries {
        check.add(event, hash);
    }
    check.finish()
}

fn head(entries: &[Entry]) -> Vec<ExpectedHead> {
    let (event, hash) = entries.last().unwrap();
    let (sequence, hash) = (Some(event.sequence), hash.clone());
    vec![
        ExpectedHead {
            sequence,
            hash: hash.clone(),
        },
        ExpectedHead { sequence: None, hash },
    ]
}

fn code(report: &ChainReport) -> &'static str {
    report.first_fault.as_ref().map_or("", |fault| fault.kind.code())
}

/// Every way to change one field of an entry.
const EDITS: [fn(&mut Entry); 13] = [
    |(event, _)| event.organization = "other".parse().unwrap(),
    |(event, _)| event.sequence += 1,
    |(event, _)| event.change_number += 1,
    |(event, _)| event.created_at = event.created_at.plus_seconds(1),
    |(event, _)| event.actor.user.org_id = "other".parse().unwrap(),
    |(event, _)| event.actor.user.user_id.push('x'),
    |(event, _)| {
        event.actor.kind = if event.actor.kind == ActorKind::Key {
            ActorKind::Agent
        } else {
            ActorKind::Key
        }
    },
    |(event, _)| event.action.push('d'),
    |(event, _)| event.object.kind.push('s'),
    |(event, _)| event.object.id.push('1'),
    |(event, _)| event.before = json!([event.before]),
    |(event, _)| event.after = json!([event.after]),
    |(event, _)| event.previous_hash = "0".repeat(63) + "1",
];

proptest! {
    #[test]
    fn a_chain_as_it_was_written_is_intact(chain in chains()) {
        let report = check(&chain, head(&chain));
        prop_assert_eq!(report.first_fault.as_ref(), None);
        prop_assert_eq!((report.entries, report.sequence), (chain.len() as u64, i64::try_from(chain.len()).unwrap()));
        // It also is as far as it had come at any time before.
        for end in 1..=chain.len() {
            prop_assert!(check(&chain, head(&chain[..end])).is_intact());
            prop_assert!(check(&chain[..end], Vec::new()).is_intact());
        }
    }

    #[test]
    fn an_entry_keeps_its_hash_as_text(chain in chains()) {
        for (event, hash) in &chain {
            let text = serde_json::to_string(event).unwrap();
            let read: AuditEvent = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read.hash(), hash);
        }
    }

    #[test]
    fn any_edit_of_any_field_is_found_where_it_was_made((chain, place) in places(), edit in 0..EDITS.len()) {
        let mut edited = chain.clone();
        EDITS[edit](&mut edited[place]);
        let report = check(&edited, Vec::new());
        let at = report.first_fault.map(|fault| fault.sequence);
        prop_assert!(at == Some(chain[place].0.sequence) || at == Some(edited[place].0.sequence), "{:?}", at);
    }

    #[test]
    fn an_edited_hash_is_found((chain, place) in places()) {
        let mut edited = chain;
        edited[place].1 = GENESIS_HASH.to_owned();
        prop_assert_eq!(code(&check(&edited, Vec::new())), "edited");
    }

    #[test]
    fn an_edit_with_a_matching_hash_is_found_by_the_next_entry_or_the_expected_head(
        (chain, place) in places(), edit in 0..EDITS.len()
    ) {
        let mut edited = chain.clone();
        EDITS[edit](&mut edited[place]);
        edited[place].1 = edited[place].0.hash();
        if place + 1 < chain.len() {
            prop_assert!(!check(&edited, Vec::new()).is_intact());
        }
        prop_assert!(!check(&edited, head(&chain)).is_intact());
    }

    #[test]
    fn a_tail_that_was_written_anew_is_found_by_the_expected_head((chain, place) in places()) {
        let mut forged = chain.clone();
        forged[place].0.action.push('d');
        for index in place..forged.len() {
            if index > 0 {
                forged[index].0.previous_hash = forged[index - 1].1.clone();
            }
            forged[index].1 = forged[index].0.hash();
        }
        prop_assert!(check(&forged, Vec::new()).is_intact());
        let [numbered, bare] = <[_; 2]>::try_from(head(&chain)).unwrap();
        prop_assert_eq!(code(&check(&forged, vec![numbered])), "replaced");
        prop_assert_eq!(code(&check(&forged, vec![bare])), "cut");
    }

    #[test]
    fn a_dropped_entry_is_found((chain, place) in places()) {
        let mut dropped = chain.clone();
        dropped.remove(place);
        let report = check(&dropped, Vec::new());
        if place + 1 < chain.len() {
            let fault = report.first_fault.unwrap();
            let missing = chain[place].0.sequence;
            prop_assert_eq!(fault, ChainFault { sequence: missing + 1, kind: ChainFaultKind::Missing(missing) });
            prop_assert_eq!(report.faults, 1);
        } else {
            // The tail can be missed only by who knows of it, unless nothing is left.
            prop_assert_eq!(code(&report), if dropped.is_empty() { "empty" } else { "" });
        }
    }

    #[test]
    fn entries_that_changed_places_are_found((chain, one) in places(), other in any::<prop::sample::Index>()) {
        let other = other.index(chain.len());
        prop_assume!(one != other);
        let mut swapped = chain;
        swapped.swap(one, other);
        prop_assert!(!check(&swapped, Vec::new()).is_intact());
    }

    #[test]
    fn an_entry_that_is_there_twice_is_found((chain, place) in places(), to in any::<prop::sample::Index>()) {
        let mut doubled = chain.clone();
        doubled.insert(to.index(chain.len() + 1), chain[place].clone());
        prop_assert!(!check(&doubled, Vec::new()).is_intact());
    }

    #[test]
    fn a_cut_tail_is_found_exactly_when_the_head_is_known((chain, end) in places()) {
        prop_assume!(end > 0);
        let cut = &chain[..end];
        prop_assert!(check(cut, Vec::new()).is_intact());
        for expected in head(&chain) {
            let report = check(cut, vec![expected]);
            prop_assert_eq!(report.first_fault, Some(ChainFault {
                sequence: i64::try_from(end).unwrap(),
                kind: ChainFaultKind::Cut,
            }));
        }
    }
}

fn plain(length: usize) -> Vec<Entry> {
    chain(vec![(1, 1, 0, Value::Null, json!({"name": "Mira"})); length])
}

/// Changes an entry and everything after it so that all hashes fit.
fn forge(entries: &mut [Entry], place: usize, change: fn(&mut AuditEvent)) {
    change(&mut entries[place].0);
    for index in place..entries.len() {
        if index > 0 {
            entries[index].0.previous_hash = entries[index - 1].1.clone();
        }
        entries[index].1 = entries[index].0.hash();
    }
}

#[test]
fn times_and_change_numbers_never_go_back_and_one_chain_is_of_one_organization() {
    let changes: [fn(&mut AuditEvent); 4] = [
        |event| event.created_at = Timestamp::from_millis(0),
        |event| event.change_number = 0,
        |event| event.organization = "other".parse().unwrap(),
        |event| event.change_number += 1,
    ];
    let codes = [
        "time_went_back",
        "change_number_went_back",
        "other_organization",
        "change_missing",
    ];
    for (change, expected) in changes.into_iter().zip(codes) {
        let mut forged = plain(3);
        forge(&mut forged, 1, change);
        assert_eq!(code(&check(&forged, Vec::new())), expected);
    }
}

#[test]
fn one_deed_counts_once() {
    let mut edited = plain(9);
    edited[4].0.action = "delete".to_owned();
    assert_eq!(check(&edited, Vec::new()).faults, 1);
    edited.remove(6);
    edited.insert(2, edited[1].clone());
    let report = check(&edited, Vec::new());
    assert_eq!(report.faults, 3);
    let text = report.first_fault.unwrap().to_string();
    assert_eq!(text, "entry 2 stands where entry 3 is due");
}

#[test]
fn an_unreadable_entry_is_one_fault_and_the_next_one_is_due_after_it() {
    let chain = plain(3);
    let mut check = ChainCheck::new(head(&chain));
    check.add(&chain[0].0, &chain[0].1);
    check.add_unreadable("no JSON".to_owned());
    check.add(&chain[2].0, &chain[2].1);
    let report = check.finish();
    assert_eq!((report.faults, code(&report)), (1, "unreadable"));
    assert_eq!(report.first_fault.unwrap().sequence, 2);
}

#[test]
fn a_checkpoint_vouches_for_the_entry_before_it() {
    let chain = plain(2);
    let sound = Checkpoint {
        organization: "acme".parse().unwrap(),
        sequence: 2,
        hash: chain[1].1.clone(),
        created_at: Timestamp::from_millis(9),
        kid: "k".into(),
    };
    let checked = |checkpoint: &Checkpoint| {
        let mut check = ChainCheck::new(Vec::new());
        for (event, hash) in &chain {
            check.add(event, hash);
        }
        check.add_checkpoint(checkpoint);
        check.finish()
    };
    assert!(checked(&sound).is_intact());
    let changes: [fn(&mut Checkpoint); 3] = [
        |checkpoint| checkpoint.organization = "other".parse().unwrap(),
        |checkpoint| checkpoint.sequence = 1,
        |checkpoint| checkpoint.hash = GENESIS_HASH.into(),
    ];
    for change in changes {
        let mut other = sound.clone();
        change(&mut other);
        assert_eq!(code(&checked(&other)), "checkpoint");
    }
}

#[test]
fn an_empty_log_is_a_fault_whatever_is_known_of_it() {
    assert_eq!(code(&check(&[], Vec::new())), "empty");
    let genesis = ExpectedHead {
        sequence: Some(0),
        hash: GENESIS_HASH.into(),
    };
    assert_eq!(check(&[], vec![genesis]).faults, 1);
    assert_eq!(check(&[], head(&plain(1))).faults, 3);
    let missing = ChainReport::missing("acme".parse().unwrap());
    assert_eq!(
        (code(&missing), missing.organization.unwrap().as_str()),
        ("empty", "acme")
    );
}

#[test]
fn changes_have_no_gaps_from_the_first_to_the_last_that_the_organization_made() {
    let mut late = plain(2);
    forge(&mut late, 0, |event| event.change_number = 2);
    assert_eq!(code(&check(&late, Vec::new())), "change_missing");
    let whole = plain(4);
    for (made, expected) in [(3, "changes_unknown"), (4, ""), (5, "changes_cut")] {
        let mut check = ChainCheck::new(Vec::new()).up_to_change(Some(made));
        for (event, hash) in &whole {
            check.add(event, hash);
        }
        let report = check.finish();
        assert_eq!((code(&report), report.faults), (expected, u64::from(made != 4)));
    }
}

#[test]
fn what_cannot_be_put_in_order_and_what_belongs_to_nobody_is_a_fault() {
    let checked = |change: Option<i64>, unnumbered: u64| {
        let mut check = ChainCheck::new(Vec::new()).up_to_change(change);
        for (event, hash) in plain(2) {
            check.add(&event, &hash);
        }
        check.add_unnumbered(unnumbered);
        let report = check.finish();
        (code(&report), report.faults)
    };
    assert_eq!(checked(Some(2), 0), ("", 0));
    assert_eq!(checked(Some(2), 3), ("unnumbered", 1));
    assert_eq!(checked(None, 0), ("organization_gone", 1));
    let ownerless = ChainReport::ownerless("`ACME`".to_owned());
    assert_eq!((code(&ownerless), ownerless.faults), ("ownerless", 1));
}

#[test]
fn a_number_below_the_first_is_a_fault() {
    for sequence in [0, -1, i64::MIN] {
        let mut chain = plain(2);
        let mut stray = chain[0].clone();
        stray.0.sequence = sequence;
        stray.1 = stray.0.hash();
        chain.insert(0, stray);
        assert_eq!(code(&check(&chain, Vec::new())), "out_of_place", "{sequence}");
    }
}

#[test]
fn an_export_ends_with_its_checkpoint() {
    let chain = plain(2);
    let checkpoint = Checkpoint {
        organization: "acme".parse().unwrap(),
        sequence: 1,
        hash: chain[0].1.clone(),
        created_at: Timestamp::from_millis(9),
        kid: "k".into(),
    };
    let mut check = ChainCheck::new(Vec::new()).with_checkpoint();
    assert_eq!(
        check.clone().finish().faults,
        2,
        "an empty file has neither entry nor checkpoint"
    );
    check.add(&chain[0].0, &chain[0].1);
    assert_eq!(code(&check.clone().finish()), "no_checkpoint");
    check.add_checkpoint(&checkpoint);
    assert!(check.clone().finish().is_intact());
    // A second export goes on; it has to have an end, too.
    check.add(&chain[1].0, &chain[1].1);
    assert_eq!(code(&check.clone().finish()), "no_checkpoint");
}
