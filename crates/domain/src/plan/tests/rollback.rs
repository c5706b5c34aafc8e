//! What a rollback writes, and what does not stand in its way.

use super::*;

#[test]
fn a_rollback_restores_a_revision_and_leaves_a_hold() {
    let planned = World::default().plan(roll_back(pins(1, 1)));
    assert_eq!(planned.plan.action, RevisionAction::Rollback);
    let restored = SetRevision {
        name: "test".to_owned(),
        revision: Some(6),
    };
    assert_eq!(planned.plan.source, Some(restored));
    assert_eq!(planned.effect.revision, Some(Some(pins(1, 1))));
    assert_eq!(
        (planned.effect.restored_revision, planned.effect.hold),
        (Some(6), HoldEffect::Place)
    );
    assert_eq!(planned.effect.source, None, "it comes from no other set");
    assert_eq!(planned.plan.changes.last().unwrap().field, "hold");
}

#[test]
fn a_rollback_to_the_same_pins_is_no_no_op_for_it_moves_the_place_in_history() {
    let planned = World::default().plan(roll_back(pins(2, 2)));
    assert!(!planned.plan.is_no_op);
    assert_eq!(planned.effect.revision, Some(Some(pins(2, 2))));
}

#[test]
fn a_hold_does_not_stand_in_its_way_and_is_placed_anew() {
    let planned = World::default().held().plan(roll_back(pins(1, 1)));
    assert!(!planned.plan.is_blocked());
    assert_eq!(planned.effect.hold, HoldEffect::Place);
    assert!(
        planned.plan.changes.iter().all(|change| change.field != "hold"),
        "held before and after"
    );
}

#[test]
fn going_forward_on_purpose_lifts_the_hold_and_leaves_none() {
    let planned = World::default().held().plan_with(roll_back(pins(3, 3)), true);
    assert_eq!(planned.effect.hold, HoldEffect::Lift);
    let planned = World::default().plan_with(roll_back(pins(3, 3)), true);
    assert_eq!(planned.effect.hold, HoldEffect::Keep);
}

#[test]
fn it_writes_what_floating_pins_meant_last() {
    let planned = World::default().plan(roll_back(pins(None, 1)));
    assert_eq!(planned.effect.revision, Some(Some(pins(4, 1))));
    let kept = Change::Rollback {
        restored: Ok(content(pins(None, 1))),
        freeze: false,
    };
    let planned = World::default().plan_with(kept, true);
    assert_eq!(planned.effect.revision, Some(Some(pins(None, 1))));
    assert_eq!(warnings(&planned), ["not_frozen"]);
}

#[test]
fn what_is_held_does_not_float() {
    let kept = |pins| Change::Rollback {
        restored: Ok(content(pins)),
        freeze: false,
    };
    for world in [World::default(), World::default().held()] {
        for floating in [pins(None, 1), pins(1, None), pins(None, None)] {
            assert_eq!(blockers(&world.plan(kept(floating.clone()))), ["floating_hold"]);
            let lifted = world.plan_with(kept(floating), true);
            assert_eq!(blockers(&lifted), Vec::<&str>::new());
            assert_ne!(lifted.effect.hold, HoldEffect::Place);
        }
        // What pins numbers stays where it is, however it is written.
        assert_eq!(blockers(&world.plan(kept(pins(1, 1)))), Vec::<&str>::new());
    }
}

#[test]
fn yanked_and_deprecated_are_told_and_do_not_stop_it() {
    let world = World::default()
        .with_deprecated_agent()
        .with_yanked_agent_version(1);
    let planned = world.plan(roll_back(pins(1, 1)));
    assert_eq!(blockers(&planned), Vec::<&str>::new());
    assert_eq!(warnings(&planned), ["deprecated", "yanked_version"]);
}

#[test]
fn a_model_that_cannot_be_called_stops_it_too() {
    let retired = preferring(pins(1, 1), "engage-user", "retired", json!({}));
    assert_eq!(
        blockers(&World::default().plan(roll_back(retired))),
        ["retired_model"]
    );
}

#[test]
fn a_refusal_to_restore_is_told_without_changes_of_pins() {
    let refused = Change::Rollback {
        restored: Err(Refusal::NothingToRollBack("test".to_owned())),
        freeze: true,
    };
    let planned = World::default().plan(refused);
    assert_eq!(blockers(&planned), ["nothing_to_roll_back"]);
    assert_eq!(
        (planned.plan.resolved, planned.effect.restored_revision),
        (None, None)
    );
}
