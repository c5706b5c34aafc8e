//! Every rule is broken once, and nothing breaks a rule that is not listed.

use std::collections::BTreeSet;

use super::*;
use crate::plan::rollback::{Past, choose_restored};

/// Which kind of change a case is, as `Rule::changes` calls it.
fn word(action: RevisionAction) -> &'static str {
    match action {
        RevisionAction::Create | RevisionAction::Update => "upsert",
        RevisionAction::Promote => "promote",
        RevisionAction::Rollback => "rollback",
        RevisionAction::Delete => "delete",
        RevisionAction::Rebind => panic!("no change is planned as a rebind"),
    }
}

/// Fails unless everything that a plan finds is a rule of that severity, asked of that kind of change.
#[track_caller]
pub(super) fn assert_listed(planned: &Planned) {
    let change = word(planned.plan.action);
    let listed = |finding: &Finding, other_severity| {
        let rule = RULES.iter().find(|rule| rule.code == finding.code);
        let rule = rule.unwrap_or_else(|| panic!("`{}` is no listed rule", finding.code));
        assert_ne!(rule.severity, other_severity, "{}", rule.code);
        let is_asked = rule.changes == "all" || rule.changes.split(", ").any(|asked| asked == change);
        assert!(is_asked, "`{}` is said not to be asked of {change}", rule.code);
    };
    for blocker in &planned.plan.blockers {
        listed(blocker, Severity::Warning);
    }
    for warning in &planned.plan.warnings {
        listed(warning, Severity::Blocker);
    }
}

/// Plans a rollback of a set with this history; a number stands for a rollback that restored it.
fn roll_back_through(history: &[Result<i64, RevisionAction>], to_revision: Option<i64>) -> Planned {
    let past = |(index, step): (usize, &Result<i64, RevisionAction>)| Past {
        revision: i64::try_from(index).unwrap() + 1,
        action: step.err().unwrap_or(RevisionAction::Rollback),
        restored_revision: step.ok(),
    };
    let history: Vec<Past> = history.iter().enumerate().map(past).collect();
    let restored = choose_restored("test", &history, to_revision, false).map(|_| content(pins(1, 1)));
    World::default().plan(Change::Rollback {
        restored,
        freeze: true,
    })
}

/// Returns the plans that break a rule by which a change is refused.
fn blocked() -> Vec<(&'static str, Planned)> {
    let (world, at_the_limit) = (
        World::default(),
        World {
            sets: sets(100),
            ..World::default()
        },
    );
    let of_another_agent = PinnedRevision {
        agent_id: agent_id(2),
        ..content(pins(2, 2))
    };
    let unknown_source = |source_revision| Change::Promote {
        source: "nowhere".to_owned(),
        source_revision,
        content: None,
        freeze: true,
    };
    vec![
        ("bad_name", World::named("a b").plan(upsert(&pins(2, 2)))),
        ("bad_name", World::named("").plan(Change::Delete)),
        ("edge_is_fixed", World::named("edge").plan(upsert(&pins(2, 2)))),
        ("edge_is_fixed", World::named("edge").plan(promote(pins(2, 2)))),
        ("edge_is_fixed", World::named("edge").plan(roll_back(pins(2, 2)))),
        ("set_is_permanent", World::named("edge").plan(Change::Delete)),
        ("set_is_permanent", World::named("release").plan(Change::Delete)),
        (
            "too_many_sets",
            at_the_limit.without_target().plan(promote(pins(2, 2))),
        ),
        (
            "alike_name",
            World::named("SET-1").without_target().plan(upsert(&pins(3, 3))),
        ),
        ("held", World::default().held().plan(upsert(&pins(3, 3)))),
        ("held", World::default().held().plan(promote(pins(3, 3)))),
        ("held", World::default().held().plan(Change::Delete)),
        (
            "used_by_unit_tests",
            World::default().tested().plan(Change::Delete),
        ),
        ("unknown_source", world.plan(unknown_source(None))),
        ("unknown_source", world.plan(unknown_source(Some(9)))),
        ("no_such_version", world.plan(upsert_numbers(6, 1))),
        ("no_such_version", world.plan(upsert_numbers(1, 0))),
        ("no_such_version", world.plan(promote(pins(1, 6)))),
        ("no_such_version", world.plan(roll_back(pins(6, 1)))),
        (
            "another_asset",
            world.plan(Change::Promote {
                source: "preview".to_owned(),
                source_revision: Some(6),
                content: Some(of_another_agent.clone()),
                freeze: true,
            }),
        ),
        (
            "another_asset",
            world.plan(Change::Rollback {
                restored: Ok(of_another_agent),
                freeze: true,
            }),
        ),
        (
            "yanked_version",
            World::default()
                .with_yanked_agent_version(3)
                .plan(upsert(&pins(3, 2))),
        ),
        (
            "yanked_version",
            World::default()
                .with_yanked_agent_version(3)
                .plan(promote(pins(3, 2))),
        ),
        // Frozen, the floating pin of the source would be written as the yanked number.
        (
            "yanked_version",
            World::default()
                .with_yanked_agent_version(4)
                .plan(promote(pins(None, 2))),
        ),
        (
            "deprecated",
            World::default().with_deprecated_agent().plan(upsert(&pins(3, 2))),
        ),
        (
            "deprecated",
            World::default().with_deprecated_agent().plan(promote(pins(3, 2))),
        ),
        // Unlike a yanked version, a deprecated asset stands in the way of floating with it, too.
        (
            "deprecated",
            World::default()
                .with_deprecated_agent()
                .plan(upsert(&pins(None, None))),
        ),
    ]
}

/// Returns the plans that prefer a model which cannot be called, or restore what is not restored.
fn blocked_by_models_and_history() -> Vec<(&'static str, Planned)> {
    use RevisionAction::{Create, Delete, Promote, Rebind};
    let world = World::default();
    let model = |name: &str, params| upsert(&preferring(pins(2, 2), "engage-user", name, params));
    vec![
        ("unknown_model", world.plan(model("nothing", json!({})))),
        ("retired_model", world.plan(model("retired", json!({})))),
        (
            "model_parameters",
            world.plan(model("staying", json!({"temperature": "warm"}))),
        ),
        ("nothing_to_roll_back", roll_back_through(&[Err(Create)], None)),
        ("no_such_revision", roll_back_through(&[Err(Create)], Some(2))),
        (
            "across_deletion",
            roll_back_through(&[Err(Create), Err(Delete), Err(Create)], Some(1)),
        ),
        (
            "across_rebind",
            roll_back_through(&[Err(Create), Err(Rebind)], Some(1)),
        ),
        (
            "undone_revision",
            roll_back_through(&[Err(Create), Err(Promote), Ok(1)], Some(2)),
        ),
        (
            "floating_hold",
            world.plan(Change::Rollback {
                restored: Ok(content(pins(None, 1))),
                freeze: false,
            }),
        ),
    ]
}

/// Returns the plans that are only warned about.
fn warned() -> Vec<(&'static str, Planned)> {
    let (world, release) = (World::default(), World::named("release"));
    let floating = pins(None, None);
    let model = |interaction: &str, name: &str| upsert(&preferring(pins(2, 2), interaction, name, json!({})));
    let yanked_latest = World::default().with_yanked_agent_version(5);
    vec![
        ("yanked_version", yanked_latest.plan(roll_back(pins(5, 2)))),
        ("yanked_version", yanked_latest.plan(upsert(&pins(None, 2)))),
        (
            "yanked_version",
            yanked_latest.plan(promote_from("preview", pins(None, 2), false)),
        ),
        (
            "deprecated",
            World::default()
                .with_deprecated_agent()
                .plan(roll_back(pins(2, 2))),
        ),
        ("floating_release", release.plan(upsert(&floating))),
        (
            "floating_release",
            release.plan(promote_from("preview", floating.clone(), false)),
        ),
        (
            "not_frozen",
            world.plan(promote_from("preview", floating.clone(), false)),
        ),
        (
            "not_frozen",
            world.plan_with(
                Change::Rollback {
                    restored: Ok(content(floating)),
                    freeze: false,
                },
                true,
            ),
        ),
        (
            "preview_skipped",
            release.plan(promote_from("test", pins(2, 2), true)),
        ),
        (
            "personal_to_release",
            release.plan(promote_from("personal-alex", pins(2, 2), true)),
        ),
        ("older_than_target", world.plan(upsert(&pins(1, 2)))),
        ("older_than_target", world.plan(promote(pins(2, 1)))),
        ("unknown_interaction", world.plan(model("engage-usr", "staying"))),
        ("retiring_model", world.plan(model("engage-user", "retiring"))),
        (
            "prompt_too_long",
            World {
                long_prompt: Some(LongPrompt { bytes: 11, most: 10 }),
                ..World::default()
            }
            .plan(upsert(&pins(2, 2))),
        ),
        (
            "unconventional_name",
            World::named("Tests").without_target().plan(upsert(&pins(2, 2))),
        ),
        ("unconventional_name", World::named("7").plan(promote(pins(2, 2)))),
        (
            "unconventional_name",
            World::named("personal-").plan(roll_back(pins(2, 2))),
        ),
    ]
}

#[test]
fn every_rule_is_found_broken_and_every_finding_is_a_rule() {
    let mut broken = BTreeSet::new();
    for (code, planned) in blocked().into_iter().chain(blocked_by_models_and_history()) {
        assert!(blockers(&planned).contains(&code), "{code}: {:?}", planned.plan);
        assert!(planned.plan.is_blocked());
        assert_listed(&planned);
        broken.insert((code, "blocker"));
    }
    for (code, planned) in warned() {
        assert!(warnings(&planned).contains(&code), "{code}: {:?}", planned.plan);
        assert!(!planned.plan.is_blocked(), "{code}: {:?}", planned.plan.blockers);
        assert_listed(&planned);
        broken.insert((code, "warning"));
    }
    for (code, plan) in service::blocked() {
        let found = codes(&plan.blockers);
        assert!(found.contains(&code), "{code}: {plan:?}");
        let is_listed = |code: &&str| RULES.iter().any(|rule| rule.code == *code);
        assert!(found.iter().all(is_listed), "{found:?}");
        broken.insert((code, "blocker"));
    }
    let listed = RULES.iter().flat_map(|rule| match rule.severity {
        Severity::Blocker => vec![(rule.code, "blocker")],
        Severity::Warning => vec![(rule.code, "warning")],
        Severity::BlockerUnlessRollback | Severity::BlockerIfPinned => {
            vec![(rule.code, "blocker"), (rule.code, "warning")]
        }
    });
    assert_eq!(broken, listed.collect());
}

#[test]
fn all_blockers_are_told_at_once_each_with_what_to_do() {
    let world = World::default().held().with_deprecated_agent();
    let change = upsert(&preferring(pins(9, 9), "engage-user", "nothing", json!({})));
    let planned = world.plan(change);
    let expected = [
        "held",
        "deprecated",
        "no_such_version",
        "no_such_version",
        "unknown_model",
    ];
    assert_eq!(blockers(&planned), expected);
    let text = planned.plan.blockers_text();
    for part in [
        "it swears; lift the hold first",
        "its newest version is 5",
        "no model `nothing`",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn everything_against_a_promotion_is_told_but_numbers_of_another_asset_say_nothing() {
    let world = World::default().with_deprecated_agent();
    assert_eq!(
        blockers(&world.plan(promote(pins(9, 2)))),
        ["deprecated", "no_such_version"]
    );
    let of_another_agent = PinnedRevision {
        agent_id: agent_id(2),
        ..content(pins(9, 2))
    };
    let change = Change::Promote {
        source: "preview".to_owned(),
        source_revision: None,
        content: Some(of_another_agent),
        freeze: true,
    };
    assert_eq!(blockers(&world.plan(change)), ["deprecated", "another_asset"]);
}

#[test]
fn a_sound_change_has_nothing_against_it() {
    for planned in [
        World::default().plan(upsert(&pins(3, 3))),
        World::default().plan(promote(pins(3, 3))),
        World::named("release").plan(promote(pins(3, 3))),
        World::named("preview").plan(promote_from("personal-alex", pins(3, 3), true)),
        World::default().plan(roll_back(pins(1, 1))),
        World::default().plan(Change::Delete),
        World::named("personal-a-1")
            .without_target()
            .plan(upsert(&pins(None, None))),
    ] {
        assert_eq!((blockers(&planned), warnings(&planned)), (vec![], vec![]));
        assert!(!planned.plan.is_no_op);
    }
}

#[test]
fn the_hundredth_set_may_come_and_no_more() {
    let create = |count| {
        World {
            sets: sets(count),
            ..World::default()
        }
        .without_target()
        .plan(upsert(&pins(1, 1)))
    };
    assert!(!create(99).plan.is_blocked());
    assert_eq!(blockers(&create(100)), ["too_many_sets"]);
    // A set that is there already may still change, and one that was deleted counts as new.
    assert!(
        !World {
            sets: sets(100),
            ..World::default()
        }
        .plan(upsert(&pins(3, 3)))
        .plan
        .is_blocked()
    );
    let again = World {
        sets: sets(100),
        target: Some(deleted()),
        ..World::default()
    };
    assert_eq!(blockers(&again.plan(upsert(&pins(1, 1)))), ["too_many_sets"]);
}

#[test]
fn a_new_set_is_not_told_from_another_by_capitals_alone() {
    let beside = |name: &str, others: &[&str]| World {
        sets: others.iter().map(|other| other.parse().unwrap()).collect(),
        ..World::named(name)
    };
    let create = |name, others| beside(name, others).without_target().plan(upsert(&pins(1, 1)));
    assert_eq!(
        blockers(&create("Hotfix", &["edge", "hotfix", "release"])),
        ["alike_name"]
    );
    assert_eq!(blockers(&create("Release", &["release"])), ["alike_name"]);
    assert!(!create("hotfix", &["hotfix-2", "hot_fix"]).plan.is_blocked());
    // Those that are there already go on.
    assert!(
        !beside("Hotfix", &["Hotfix", "hotfix"])
            .plan(upsert(&pins(1, 1)))
            .plan
            .is_blocked()
    );
    let again = World {
        target: Some(deleted()),
        ..beside("Hotfix", &["hotfix"])
    };
    assert_eq!(blockers(&again.plan(upsert(&pins(1, 1)))), ["alike_name"]);
}

#[test]
fn names_that_all_share_are_written_in_one_way_before_they_are_there() {
    let create = |name: &str| World::named(name).without_target().plan(upsert(&pins(1, 1)));
    for name in ["EDGE", "Release", "PREVIEW", "pReview", "Test"] {
        assert_eq!(blockers(&create(name)), ["alike_name"], "{name}");
        let told = create(name).plan.blockers_text();
        assert!(
            told.contains(&format!("`{}`", name.to_ascii_lowercase())),
            "{told}"
        );
    }
    for name in ["preview", "test", "previews", "Personal-Alex"] {
        assert!(!create(name).plan.is_blocked(), "{name}");
    }
    let there = World::named("PREVIEW").plan(upsert(&pins(1, 1)));
    assert!(!there.plan.is_blocked(), "what is there already goes on");
}

#[test]
fn the_spelling_of_a_hidden_set_is_not_told() {
    let told = |hidden: &[&str], name: &str| {
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let world = World {
            sets: names(&["edge", "hotFix", "preview", "release"]),
            hidden_sets: names(hidden),
            ..World::named(name)
        };
        world
            .without_target()
            .plan(upsert(&pins(1, 1)))
            .plan
            .blockers_text()
    };
    assert!(told(&[], "HotFix").contains("`hotFix`"));
    let hidden = told(&["hotFix", "preview"], "HotFix");
    assert!(
        hidden.contains("another set of the service") && !hidden.contains("hotFix"),
        "{hidden}"
    );
    assert!(
        told(&["preview"], "Preview").contains("`preview`"),
        "everybody knows it"
    );
}

#[test]
fn a_yank_counts_for_its_own_kind_of_asset_only() {
    let mut world = World::default();
    world.yanked.push(yanked(AssetKind::ContextGraph, 3));
    assert!(!world.plan(upsert(&pins(3, 2))).plan.is_blocked());
    assert_eq!(blockers(&world.plan(upsert(&pins(2, 3)))), ["yanked_version"]);
}

#[test]
fn a_model_is_warned_about_up_to_thirty_days_ahead() {
    let retiring_at = |retires_at| {
        let description = ModelDescription {
            name: "m".to_owned(),
            provider: "provider".to_owned(),
            params_schema: json!({"type": "object"}),
            retires_at: Some(retires_at),
        };
        let models = ModelCatalogue::new([description]).unwrap();
        let planned = World {
            models,
            ..World::default()
        }
        .plan(upsert(&preferring(pins(2, 2), "engage-user", "m", json!({}))));
        !warnings(&planned).is_empty()
    };
    assert!(retiring_at(NOW.plus_seconds(1)));
    assert!(retiring_at(NOW + RETIRES_SOON));
    assert!(!retiring_at((NOW + RETIRES_SOON).plus_seconds(1)));
    // Once it is retired, it stands in the way instead.
    let retired = preferring(pins(2, 2), "engage-user", "retired", json!({}));
    let planned = World::default().plan(promote(retired));
    assert_eq!(
        (blockers(&planned), warnings(&planned)),
        (vec!["retired_model"], vec![])
    );
}
