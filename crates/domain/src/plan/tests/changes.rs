//! What a plan says would change, and what is written for it.

use super::*;

/// Returns the changed fields as `field: from -> to`.
fn changes(planned: &Planned) -> Vec<String> {
    let line = |change: &FieldChange| format!("{}: {} -> {}", change.field, change.from, change.to);
    planned.plan.changes.iter().map(line).collect()
}

const AGENT: &str = "agent_version_number";
const GRAPH: &str = "service_hierarchical_state_machine_version_number";

#[test]
fn a_new_set_tells_both_versions_although_they_float() {
    let planned = World::default().without_target().plan(upsert(&pins(None, 3)));
    assert_eq!(planned.plan.action, RevisionAction::Create);
    assert_eq!(planned.plan.target.revision, None);
    assert_eq!(
        changes(&planned),
        [format!("{AGENT}: null -> null"), format!("{GRAPH}: null -> 3")]
    );
    assert_eq!(planned.effect.revision, Some(Some(pins(None, 3))));
    let resolved = planned.plan.resolved.unwrap();
    assert_eq!(
        (resolved.agent_version, resolved.context_graph_version),
        (Some(version(5)), Some(version(3)))
    );
}

#[test]
fn a_set_that_was_deleted_is_created_anew() {
    let world = World {
        target: Some(deleted()),
        ..World::default()
    };
    let planned = world.plan(upsert(&pins(2, 2)));
    assert_eq!(
        (planned.plan.action, planned.plan.target.revision),
        (RevisionAction::Create, None)
    );
    assert_eq!(changes(&planned).len(), 2);
}

#[test]
fn an_update_tells_only_what_differs() {
    let before = preferring(pins(2, 2), "decide", "staying", json!({}));
    let world = World {
        target: Some(target(before)),
        ..World::default()
    };
    let planned = world.plan(upsert(&preferring(pins(3, 2), "reflect", "staying", json!({}))));
    assert_eq!(
        (planned.plan.action, planned.plan.target.revision),
        (RevisionAction::Update, Some(7))
    );
    let model = r#"{"llm_name":"staying","params":{}}"#;
    let expected = [
        format!("{AGENT}: 2 -> 3"),
        format!("llm_model_preferences.decide: {model} -> null"),
        format!("llm_model_preferences.reflect: null -> {model}"),
    ];
    assert_eq!(changes(&planned), expected);
}

#[test]
fn a_deletion_tells_everything_that_goes() {
    let world = World {
        target: Some(target(preferring(pins(2, None), "decide", "staying", json!({})))),
        ..World::default()
    };
    let planned = world.plan(Change::Delete);
    let model = r#"{"llm_name":"staying","params":{}}"#;
    let expected = [
        format!("{AGENT}: 2 -> null"),
        format!("{GRAPH}: null -> null"),
        format!("llm_model_preferences.decide: {model} -> null"),
    ];
    assert_eq!(changes(&planned), expected);
    assert_eq!(
        (planned.plan.resolved, planned.effect.revision),
        (None, Some(None))
    );
}

#[test]
fn a_promotion_can_create_its_target_and_names_its_source() {
    let planned = World::default().without_target().plan(promote(pins(3, 3)));
    assert_eq!(
        (planned.plan.action, planned.plan.target.revision),
        (RevisionAction::Promote, None)
    );
    assert_eq!(
        changes(&planned),
        [format!("{AGENT}: null -> 3"), format!("{GRAPH}: null -> 3")]
    );
    let source = SetRevision {
        name: "preview".to_owned(),
        revision: Some(6),
    };
    assert_eq!(planned.plan.source, Some(source));
    assert_eq!(planned.effect.source, Some(("preview".parse().unwrap(), 6)));
    assert_eq!(planned.effect.restored_revision, None);
}

#[test]
fn freezing_writes_what_floating_pins_mean_and_only_them() {
    let floating = pins(None, 3);
    let frozen = World::default().plan(promote_from("preview", floating.clone(), true));
    assert_eq!(frozen.effect.revision, Some(Some(pins(4, 3))));
    assert_eq!(warnings(&frozen), Vec::<&str>::new());
    let kept = World::default().plan(promote_from("preview", floating.clone(), false));
    assert_eq!(kept.effect.revision, Some(Some(floating)));
    // Not frozen, it means the latest version from now on, whatever it meant in the source.
    assert_eq!(kept.plan.resolved.unwrap().agent_version, Some(version(5)));
    assert_eq!(warnings(&kept), ["not_frozen"]);
}

#[test]
fn what_cannot_be_had_is_shown_as_it_was_asked_for() {
    let planned = World::default().plan(upsert_numbers(9, 2));
    assert_eq!(changes(&planned), [format!("{AGENT}: 2 -> 9")]);
    assert_eq!(planned.plan.resolved, None);
    let unknown = Change::Promote {
        source: "nowhere".to_owned(),
        source_revision: None,
        content: None,
        freeze: true,
    };
    assert_eq!(changes(&World::default().plan(unknown)), Vec::<String>::new());
}

#[test]
fn what_is_so_already_is_a_no_op_in_whichever_order_models_come() {
    let model = |pins, interaction| preferring(pins, interaction, "staying", json!({}));
    let there = model(model(pins(2, 2), "decide"), "reflect");
    let same = model(model(pins(2, 2), "reflect"), "decide");
    let world = World {
        target: Some(target(there)),
        ..World::default()
    };
    for change in [upsert(&same), promote(same)] {
        let planned = world.plan(change);
        assert!(planned.plan.is_no_op && !planned.plan.is_blocked());
        assert_eq!(
            (planned.effect.revision, planned.effect.hold),
            (None, HoldEffect::Keep)
        );
        assert!(planned.plan.changes.is_empty());
    }
    // A number is not the same as floating with it, and a set that is not there is never so already.
    assert!(
        !World {
            target: Some(target(pins(None, 2))),
            ..World::default()
        }
        .plan(upsert(&pins(5, 2)))
        .plan
        .is_no_op
    );
    assert!(
        !World::default()
            .without_target()
            .plan(upsert(&pins(None, None)))
            .plan
            .is_no_op
    );
}

#[test]
fn a_hold_is_lifted_on_purpose_only_and_the_plan_says_so() {
    let held = World::default().held();
    assert_eq!(blockers(&held.plan(upsert(&pins(3, 2)))), ["held"]);
    let planned = held.plan_with(upsert(&pins(3, 2)), true);
    assert!(!planned.plan.is_blocked());
    assert_eq!(planned.effect.hold, HoldEffect::Lift);
    assert_eq!(
        changes(&planned),
        [format!("{AGENT}: 2 -> 3"), "hold: true -> false".to_owned()]
    );
    // Lifting alone is a change without a revision.
    let planned = held.plan_with(upsert(&pins(2, 2)), true);
    assert_eq!((planned.plan.is_no_op, planned.effect.revision), (false, None));
    assert_eq!(planned.effect.hold, HoldEffect::Lift);
    // Where nothing is held there is nothing to lift.
    let planned = World::default().plan_with(upsert(&pins(3, 2)), true);
    assert_eq!(planned.effect.hold, HoldEffect::Keep);
}

#[test]
fn of_two_pins_the_fields_are_told_in_which_they_differ() {
    let told = |from: &Pins, to: &Pins| -> Vec<(String, Value, Value)> {
        let changes = pin_changes(from, to).into_iter();
        changes
            .map(|change| (change.field, change.from, change.to))
            .collect()
    };
    let (one, other) = (pins(2, None), pins(3, None));
    assert_eq!(told(&one, &other), [(AGENT.to_owned(), json!(2), json!(3))]);
    assert_eq!(
        told(&one, &pins(2, 1)),
        [(GRAPH.to_owned(), Value::Null, json!(1))]
    );
    assert_eq!(told(&one, &one), []);
}
