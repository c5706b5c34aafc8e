//! What becomes of a set whose service gets another agent or context graph.

use super::*;

/// The same world on another agent, which has that many versions.
fn on_another_agent(mut world: World, latest: i64) -> (World, Binding) {
    let old = world.binding.clone();
    world.binding.agent.id = agent_id(2).into();
    world.binding.agent.latest = latest.try_into().ok();
    (world, old)
}

fn rebind(before: &(World, Binding), lift_hold: bool) -> Planned {
    let (world, old) = before;
    world.plan_with(Change::Rebind(Box::new(old.clone())), lift_hold)
}

#[test]
fn a_rebind_keeps_the_pins_and_tells_what_they_come_to_mean() {
    let world = World {
        target: Some(target(pins(None, 2))),
        ..World::default()
    };
    let planned = rebind(&on_another_agent(world, 3), false);
    assert!(!planned.plan.is_blocked() && !planned.plan.is_no_op);
    let resolved = planned.plan.resolved.unwrap();
    assert_eq!(
        (resolved.agent_version, resolved.context_graph_version),
        (Some(version(3)), Some(version(2)))
    );
    let changes: Vec<&str> = planned
        .plan
        .changes
        .iter()
        .map(|change| change.field.as_str())
        .collect();
    assert_eq!(changes, ["agent_id"]);
    assert_eq!(planned.effect.revision, Some(Some(pins(None, 2))));
    assert_eq!(planned.plan.action, RevisionAction::Rebind);
}

#[test]
fn a_rebind_of_edge_is_as_good_as_that_of_any_other_set() {
    let world = World {
        target: Some(target(pins(None, None))),
        ..World::named("edge")
    };
    assert_eq!(blockers(&rebind(&on_another_agent(world, 1), false)), [""; 0]);
}

#[test]
fn a_hold_stops_a_rebind_until_it_is_lifted() {
    let world = on_another_agent(World::default().held(), 5);
    let stopped = rebind(&world, false);
    assert_eq!(blockers(&stopped), ["held"]);
    let lifted = rebind(&world, true);
    assert!(!lifted.plan.is_blocked());
    assert_eq!(lifted.effect.hold, HoldEffect::Lift);
    assert!(lifted.plan.changes.iter().any(|change| change.field == "hold"));
    assert_ne!(stopped.plan.digest, lifted.plan.digest);
}

#[test]
fn every_reason_against_a_rebind_is_told() {
    let mut world = on_another_agent(World::default().held(), 1);
    world.0.binding.agent.is_deprecated = true;
    assert_eq!(
        blockers(&rebind(&world, false)),
        ["held", "deprecated", "pin_lost_by_rebind"]
    );
    world.0.binding.agent.latest = None;
    assert_eq!(
        blockers(&rebind(&world, true)),
        ["deprecated", "no_versions", "pin_lost_by_rebind"]
    );
}

#[test]
fn a_yanked_version_of_the_new_agent_blocks_what_pins_it_and_warns_what_floats() {
    let world = || World::default().with_yanked_agent_version(2);
    assert_eq!(
        blockers(&rebind(&on_another_agent(world(), 2), false)),
        ["yanked_version"]
    );
    let floating = World {
        target: Some(target(pins(None, 2))),
        ..world()
    };
    let planned = rebind(&on_another_agent(floating, 2), false);
    assert_eq!(
        (blockers(&planned), warnings(&planned)),
        (vec![], vec!["yanked_version"])
    );
    // What was yanked of the graph, which stays, is no matter of the change.
    let mut graph = on_another_agent(World::default(), 2);
    graph.0.yanked.push(yanked(AssetKind::ContextGraph, 2));
    assert_eq!(blockers(&rebind(&graph, false)), [""; 0]);
}

#[test]
fn a_release_that_floats_is_warned_of() {
    let world = World {
        target: Some(target(pins(None, 1))),
        ..World::named("release")
    };
    assert_eq!(
        warnings(&rebind(&on_another_agent(world, 2), false)),
        ["floating_release"]
    );
}
