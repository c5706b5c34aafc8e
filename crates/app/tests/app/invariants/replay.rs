//! History and the audit log alone tell what is there now.

use std::collections::BTreeMap;

use forge_domain::Pins;
use forge_domain::audit::{AuditEvent, GENESIS_HASH};
use forge_domain::revision::{Revision, RevisionAction};
use forge_domain::version_set::{Hold, VersionSet};

use super::view::View;

/// Rebuilds every set, deleted ones included, and compares it with what is stored.
pub(super) fn check_sets(view: &View) {
    for (key, history) in &view.histories {
        let (id, name) = key;
        let object = format!("{id}/{name}");
        let events: Vec<&AuditEvent> = view
            .events
            .iter()
            .map(|(event, _)| event)
            .filter(|event| event.object.kind == "version_set" && event.object.id == object)
            .collect();
        check_events(history, &events);
        let service = &view.services[id];
        let rebuilt = replay(history).map(|set| VersionSet {
            hold: replay_hold(history, &events),
            // A deleted set follows its service without a revision: it pins nothing.
            agent_id: if set.is_deleted {
                service.agent_id
            } else {
                set.agent_id
            },
            context_graph_id: if set.is_deleted {
                service.context_graph_id
            } else {
                set.context_graph_id
            },
            ..set
        });
        assert_eq!(
            rebuilt.as_ref(),
            view.sets.get(key),
            "history tells what is there now"
        );
        if let Some(last) = history
            .last()
            .filter(|last| last.action != RevisionAction::Delete)
        {
            assert_eq!(
                (last.agent_id, last.context_graph_id),
                (service.agent_id, service.context_graph_id)
            );
        }
    }
}

/// Returns the set that a history leads to, without its hold, or `None` if it never was.
fn replay(history: &[Revision]) -> Option<VersionSet> {
    let mut is_there = false;
    for (index, revision) in history.iter().enumerate() {
        let number = i64::try_from(index + 1).unwrap();
        assert_eq!(revision.revision, number, "revisions have no gaps");
        match revision.action {
            RevisionAction::Create => assert!(!is_there, "only what is not there is created"),
            RevisionAction::Promote => {}
            _ => assert!(is_there, "only what is there is changed or deleted"),
        }
        is_there = revision.action != RevisionAction::Delete;
    }
    let last = history.last()?;
    Some(VersionSet {
        name: last.name.clone(),
        revision: last.revision,
        is_deleted: !is_there,
        agent_id: last.agent_id,
        context_graph_id: last.context_graph_id,
        pins: if is_there {
            last.pins.clone()
        } else {
            Pins::default()
        },
        source: last.source.clone(),
        message: last.message.clone(),
        updated_by: last.actor.clone(),
        updated_at: last.created_at,
        hold: None,
    })
}

/// Returns the hold that the events of a set lead to; why it was placed is told by the revision of the rollback.
fn replay_hold(history: &[Revision], events: &[&AuditEvent]) -> Option<Hold> {
    let mut hold = None;
    for event in events {
        let is_held = event.after["is_held"].as_bool().unwrap_or(false);
        hold = match (is_held, event.action.as_str()) {
            (false, _) => None,
            (true, "rollback") => {
                let revision = &history[index_of(event)];
                assert_eq!(revision.created_at, event.created_at);
                Some(Hold {
                    reason: revision.message.clone(),
                    since: event.created_at,
                    by: event.actor.user.clone(),
                })
            }
            (true, action) => panic!("a set was moved and is held: {action}"),
        };
    }
    hold
}

/// Returns the place in history of the revision that an event tells of.
fn index_of(event: &AuditEvent) -> usize {
    usize::try_from(event.after["revision"].as_i64().unwrap() - 1).unwrap()
}

/// Every change of a set leaves one event that tells what it became; only what comes with a change of its service is
/// told by the event of that.
fn check_events(history: &[Revision], events: &[&AuditEvent]) {
    let by_change: BTreeMap<i64, &&AuditEvent> =
        events.iter().map(|event| (event.change_number, event)).collect();
    assert_eq!(
        by_change.len(),
        events.len(),
        "one event for a set in each change"
    );
    for revision in history {
        let with_service = revision.action == RevisionAction::Rebind
            || revision.revision == 1 && ["edge", "release"].contains(&revision.name.as_str());
        let event = by_change.get(&revision.change_number);
        assert_eq!(event.is_some(), !with_service, "{revision:?}");
        let Some(event) = event else { continue };
        assert_eq!(event.action, revision.action.as_str());
        assert_eq!(event.actor, revision.actor);
        if revision.action == RevisionAction::Delete {
            assert!(event.after.is_null());
        } else {
            assert_eq!(event.after["pins"], serde_json::json!(revision.pins));
            assert_eq!(event.after["revision"], revision.revision);
        }
    }
    let revisions: Vec<i64> = history.iter().map(|revision| revision.change_number).collect();
    for event in events
        .iter()
        .filter(|event| !revisions.contains(&event.change_number))
    {
        assert_eq!(event.action, "lift_hold", "what is no revision is about the hold");
        assert_eq!(
            (&event.before["is_held"], &event.after["is_held"]),
            (&true.into(), &false.into())
        );
    }
}

/// Checks the chain of the audit log, and that no change is without an event.
pub(super) fn check_audit(view: &View) {
    let (mut previous, mut change_number, mut time) = (GENESIS_HASH.to_owned(), 0, None);
    for (index, (event, stored)) in view.events.iter().enumerate() {
        assert_eq!(event.sequence, i64::try_from(index + 1).unwrap());
        let is_next = event.change_number == change_number + 1;
        // Promotions in several services are one change with an event for each set.
        assert!(
            is_next || event.change_number == change_number,
            "a change left no event"
        );
        assert!(Some(event.created_at) >= time, "times never go back");
        assert_eq!((&event.previous_hash, &event.hash()), (&previous, stored));
        previous.clone_from(stored);
        (change_number, time) = (event.change_number, Some(event.created_at));
    }
    assert_eq!(view.change_number, change_number);
}
