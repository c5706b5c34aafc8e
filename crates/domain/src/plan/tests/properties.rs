//! What holds for every plan.

use proptest::prelude::*;

use super::rules::assert_listed;
use super::*;

fn any_pins() -> impl Strategy<Value = Pins> {
    let number = || proptest::option::of(1..7i64);
    let model = proptest::sample::select(vec!["staying", "retiring", "retired", "nothing"]);
    let interaction = proptest::sample::select(vec!["decide", "reflect", "a-typo"]);
    let models = proptest::collection::vec((interaction, model), 0..3);
    (number(), number(), models).prop_map(|(agent, graph, models)| {
        models
            .into_iter()
            .fold(pins(agent, graph), |pins, (interaction, model)| {
                preferring(pins, interaction, model, json!({}))
            })
    })
}

fn any_world() -> impl Strategy<Value = World> {
    let name = proptest::sample::select(vec!["edge", "release", "preview", "personal-alex", "a b", "X"]);
    let yanks = proptest::collection::vec((any::<bool>(), 1..6i64), 0..4);
    let target = (proptest::option::of(any_pins()), any::<bool>());
    let flags = (proptest::bool::weighted(0.2), proptest::bool::weighted(0.1));
    (name, yanks, proptest::option::of(target), flags).prop_map(
        |(name, yanks, target, (is_deprecated, is_full))| {
            let mut world = World::named(name);
            let kind = |is_agent| {
                if is_agent {
                    AssetKind::Agent
                } else {
                    AssetKind::ContextGraph
                }
            };
            world.yanked = yanks
                .into_iter()
                .map(|(is_agent, number)| yanked(kind(is_agent), number))
                .collect();
            world.target = target.map(|(pins, is_held)| Target {
                revision: 7,
                hold: is_held.then(|| hold("it swears")),
                pins,
            });
            world.binding.context_graph.is_deprecated = is_deprecated;
            world.sets = sets(if is_full { 100 } else { 3 });
            world
        },
    )
}

fn any_change() -> impl Strategy<Value = Change> {
    let source = proptest::sample::select(vec!["preview", "test", "personal-alex", "nowhere"]);
    let found = || {
        (any_pins(), 1..3u8).prop_map(|(pins, id)| PinnedRevision {
            agent_id: agent_id(id),
            ..content(pins)
        })
    };
    prop_oneof![
        any_pins().prop_map(|pins| upsert(&pins)),
        (source, proptest::option::of(found()), any::<bool>()).prop_map(|(source, content, freeze)| {
            Change::Promote {
                source: source.to_owned(),
                source_revision: None,
                content,
                freeze,
            }
        }),
        (found(), any::<bool>()).prop_map(|(content, freeze)| Change::Rollback {
            restored: Ok(content),
            freeze
        }),
        Just(Change::Delete),
    ]
}

/// Returns `true` if pins name only versions that exist.
fn exist(pins: &Pins) -> bool {
    let latest = Some(version(5));
    let numbers = [pins.agent_version, pins.context_graph_version];
    numbers.into_iter().flatten().all(|number| number.exists(latest))
}

fn is_yanked(world: &World, pins: &Pins) -> bool {
    world.yanked.iter().any(|yank| {
        let pin = match yank.asset {
            AssetKind::Agent => pins.agent_version,
            AssetKind::ContextGraph => pins.context_graph_version,
        };
        pin == Some(yank.version)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_nothing_blocks_pins_what_exists_and_is_not_yanked(
        world in any_world(), change in any_change(), lift_hold in any::<bool>()
    ) {
        let planned = world.plan_with(change, lift_hold);
        if planned.plan.is_blocked() {
            return Ok(());
        }
        let Some(Some(pins)) = &planned.effect.revision else { return Ok(()) };
        prop_assert!(exist(pins), "{pins:?}");
        if planned.plan.action != RevisionAction::Rollback {
            prop_assert!(!is_yanked(&world, pins), "{pins:?}");
        }
        prop_assert_eq!(planned.plan.resolved, Some(pins.resolve(&world.binding)));
    }

    #[test]
    fn a_no_op_writes_nothing_and_changes_nothing(
        world in any_world(), change in any_change(), lift_hold in any::<bool>()
    ) {
        let planned = world.plan_with(change, lift_hold);
        let writes = planned.effect.revision.is_some() || planned.effect.hold != HoldEffect::Keep;
        prop_assert_eq!(planned.plan.is_no_op, !writes);
        if planned.plan.is_no_op {
            prop_assert!(planned.plan.changes.is_empty());
        }
    }

    #[test]
    fn findings_are_listed_rules_of_their_severity(
        world in any_world(), change in any_change(), lift_hold in any::<bool>()
    ) {
        // Whether a set that is not there can be rolled back is judged where the revision is chosen.
        let is_there = world.target.as_ref().is_some_and(|target| target.pins.is_some());
        if is_there || !matches!(change, Change::Rollback { .. }) {
            assert_listed(&world.plan_with(change, lift_hold));
        }
    }

    #[test]
    fn a_dry_run_and_the_real_call_build_the_same_plan(
        world in any_world(), change in any_change(), lift_hold in any::<bool>()
    ) {
        prop_assert_eq!(world.plan_with(change.clone(), lift_hold), world.plan_with(change, lift_hold));
    }
}
