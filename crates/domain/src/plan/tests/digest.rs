//! What a digest fixes: whoever brings one gets exactly the change they saw, or none.

use super::*;

fn digest(world: &World, change: Change) -> String {
    world.plan(change).plan.digest
}

#[test]
fn an_equal_snapshot_gives_an_equal_digest() {
    let digests = || {
        [
            upsert(&pins(3, 3)),
            promote(pins(3, 3)),
            roll_back(pins(1, 1)),
            Change::Delete,
        ]
        .map(|change| digest(&World::default().held(), change))
    };
    let first = digests();
    assert_eq!(first, digests());
    for (index, one) in first.iter().enumerate() {
        assert_eq!(one.len(), 64);
        assert!(
            !first[..index].contains(one),
            "two kinds of change have one digest"
        );
    }
}

#[test]
fn whatever_the_change_depends_on_moves_the_digest() {
    let base = || promote(pins(None, 3));
    let expected = digest(&World::default(), base());
    let mut moved = World::default();
    moved.binding.agent.latest = Some(version(6));
    let mut later_target = World::default();
    later_target.target.as_mut().unwrap().revision = 8;
    let with = |edit: fn(&mut PinnedRevision)| {
        let mut content = content(pins(None, 3));
        edit(&mut content);
        Change::Promote {
            source: "preview".to_owned(),
            source_revision: None,
            content: Some(content),
            freeze: true,
        }
    };
    let others = [
        ("a hold", digest(&World::default().held(), base())),
        (
            "freeze",
            digest(&World::default(), promote_from("preview", pins(None, 3), false)),
        ),
        ("lift_hold", World::default().plan_with(base(), true).plan.digest),
        (
            "a yank of what the set is to mean",
            digest(&World::default().with_yanked_agent_version(4), base()),
        ),
        (
            "a yank of what the set means",
            digest(&World::default().with_yanked_agent_version(2), base()),
        ),
        (
            "the source",
            digest(&World::default(), promote_from("test", pins(None, 3), true)),
        ),
        (
            "the source's revision",
            digest(&World::default(), with(|content| content.revision = 9)),
        ),
        ("the target's revision", digest(&later_target, base())),
        (
            "what the source resolves to",
            digest(
                &World::default(),
                with(|content| {
                    content.resolved.agent_version = Some(version(3));
                }),
            ),
        ),
        (
            "a blocker",
            digest(&World::default().with_deprecated_agent(), base()),
        ),
        (
            "the service's name",
            World::default().plan_in("Old", base(), false).plan.digest,
        ),
        ("another service's set", digest(&World::named("release"), base())),
        (
            "a target that is not there",
            digest(&World::default().without_target(), base()),
        ),
    ];
    for (index, (what, other)) in others.iter().enumerate() {
        assert_ne!(*other, expected, "{what}");
        for (before, earlier) in &others[..index] {
            assert_ne!(other, earlier, "{what} and {before}");
        }
    }
    // Frozen, a newer version of the agent is no part of the change. Floating, it is.
    assert_eq!(digest(&moved, base()), expected);
    let floating = || promote_from("preview", pins(None, 3), false);
    assert_ne!(digest(&moved, floating()), digest(&World::default(), floating()));
}

#[test]
fn a_set_that_was_never_there_and_one_that_was_deleted_differ() {
    let never = World::default().without_target();
    let was = World {
        target: Some(deleted()),
        ..World::default()
    };
    let (one, two) = (never.plan(upsert(&pins(1, 1))), was.plan(upsert(&pins(1, 1))));
    assert_eq!(
        (&one.plan.target, &one.plan.changes),
        (&two.plan.target, &two.plan.changes)
    );
    assert_ne!(one.plan.digest, two.plan.digest);
}

/// A set that is there gets a revision with another agent; one that would come into being cannot.
#[test]
fn whose_versions_the_numbers_are_is_part_of_the_digest() {
    let new = || World::default().without_target();
    let (mut other_agent, mut other_graph) = (new(), new());
    other_agent.binding.agent.id = agent_id(9).into();
    other_graph.binding.context_graph.id = graph_id(9).into();
    let of = |world: &World| digest(world, upsert(&pins(1, 1)));
    assert_ne!(of(&other_agent), of(&new()));
    assert_ne!(of(&other_graph), of(&new()));
    assert_ne!(of(&other_graph), of(&other_agent));
}

#[test]
fn who_holds_a_set_and_why_is_part_of_the_digest() {
    let held_for = |reason| {
        let mut target = target(pins(2, 2));
        target.hold = Some(hold(reason));
        let world = World {
            target: Some(target),
            ..World::default()
        };
        world.plan_with(upsert(&pins(3, 3)), true).plan.digest
    };
    assert_ne!(held_for("it swears"), held_for("it lies"));
}

/// Clients write the same preferences in another order, and the store may tell yanks in another one.
#[test]
fn the_order_in_which_things_are_told_is_no_part_of_the_digest() {
    let model = |pins, interaction| preferring(pins, interaction, "retiring", json!({}));
    let one = model(model(pins(3, 3), "a-typo"), "another-typo");
    let two = model(model(pins(3, 3), "another-typo"), "a-typo");
    assert_eq!(
        digest(&World::default(), upsert(&one)),
        digest(&World::default(), upsert(&two))
    );
    let mut yanks = vec![
        yanked(AssetKind::Agent, 3),
        yanked(AssetKind::ContextGraph, 3),
        yanked(AssetKind::Agent, 2),
    ];
    let there = digest(
        &World {
            yanked: yanks.clone(),
            ..World::default()
        },
        upsert(&pins(3, 3)),
    );
    yanks.reverse();
    let back = digest(
        &World {
            yanked: yanks,
            ..World::default()
        },
        upsert(&pins(3, 3)),
    );
    assert_eq!(there, back);
}

#[test]
fn a_yank_of_what_a_set_neither_means_nor_is_to_mean_moves_no_digest() {
    let mut other = World::default().with_yanked_agent_version(1);
    other.yanked.push(yanked(AssetKind::ContextGraph, 4));
    // Version 5 of the agent is the latest: only a pin that floats means it.
    other.yanked.push(yanked(AssetKind::Agent, 5));
    for change in [
        upsert(&pins(3, 3)),
        promote(pins(3, 3)),
        roll_back(pins(3, 3)),
        Change::Delete,
    ] {
        assert_eq!(digest(&World::default(), change.clone()), digest(&other, change));
    }
    let floating = upsert(&pins(None, 3));
    assert_ne!(
        digest(&World::default(), floating.clone()),
        digest(&other, floating)
    );
}

#[test]
fn the_same_number_written_otherwise_is_the_same_plan() {
    let preferring = |text: &str| {
        let params = serde_json::from_str(text).unwrap();
        preferring(pins(3, 3), "engage-user", "retiring", params)
    };
    let (one, other) = (
        preferring(r#"{"temperature": 1}"#),
        preferring(r#"{"temperature": 1.0}"#),
    );
    assert_eq!(
        digest(&World::default(), upsert(&one)),
        digest(&World::default(), upsert(&other))
    );
    let mut world = World::default();
    world.target.as_mut().unwrap().pins = Some(one);
    for change in [upsert(&other), promote(other.clone())] {
        let planned = world.plan(change);
        assert!(planned.plan.is_no_op, "{:?}", planned.plan);
        assert_eq!(planned.plan.changes, []);
        assert_eq!(planned.effect.revision, None);
    }
}

#[test]
fn several_plans_have_one_digest_that_each_of_them_and_their_order_moves() {
    let plan = |agent| World::default().plan(upsert(&pins(agent, 3))).plan;
    let together = joint_digest(&[plan(3), plan(4)]);
    assert_eq!(together, joint_digest(&[plan(3), plan(4)]));
    for other in [vec![plan(4), plan(3)], vec![plan(3), plan(5)], vec![plan(3)]] {
        assert_ne!(joint_digest(&other), together);
    }
}

#[test]
fn the_digest_stands_for_what_is_found_beyond_what_is_told() {
    let planned = |last: &str| {
        let mut wanted = pins(3, 3);
        for number in 0..149 {
            wanted = preferring(wanted, &format!("i{number}"), "none", json!({}));
        }
        let wanted = preferring(wanted, "last", last, json!({}));
        World::default().plan(upsert(&wanted)).plan
    };
    let (one, other) = (planned("none"), planned("retired"));
    let told = |plan: &Plan| {
        plan.blockers
            .iter()
            .filter(|finding| finding.code == "unknown_model")
            .count()
    };
    assert_eq!((told(&one), told(&other)), (101, 101));
    assert_eq!(one.blockers[100].message, "there are 50 more of these");
    assert_ne!(one.digest, other.digest);
}
