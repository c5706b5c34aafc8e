//! Plans of changes of a service.

use super::*;
use crate::service::Service;

/// A service with the sets `edge`, which floats, and `release`, which pins the versions 2.
struct Care {
    service: Service,
    binding: Binding,
    wanted: Binding,
    missing: Vec<Refusal>,
    sets: Vec<(SetName, Target)>,
    hidden_sets: Vec<SetName>,
    unit_tests: Vec<UnitTestRef>,
    namesake: Option<Namesake>,
}

impl Care {
    fn new() -> Self {
        let World { binding, .. } = World::default();
        let user = hold("").by;
        Self {
            service: Service {
                id: ServiceId::new(NOW, [9; 8]),
                seq: 1,
                name: "Care".to_owned(),
                description: "Cares.".to_owned(),
                is_active: true,
                agent_id: agent_id(1),
                context_graph_id: graph_id(1),
                tags: crate::tag::Tags::new(),
                keyterms: Vec::new(),
                creator: user.clone(),
                updated_by: user,
                created_at: NOW,
                updated_at: NOW,
            },
            wanted: binding.clone(),
            binding,
            missing: Vec::new(),
            sets: vec![
                (SetName::edge(), target(pins(None, None))),
                (SetName::release(), target(pins(2, 2))),
            ],
            hidden_sets: Vec::new(),
            unit_tests: Vec::new(),
            namesake: None,
        }
    }

    /// The same on another agent, which has that many versions, and the service as it would be then.
    fn on_another_agent(mut self, latest: i64) -> (Self, Service) {
        self.wanted.agent.id = agent_id(2).into();
        self.wanted.agent.latest = latest.try_into().ok();
        let after = Service {
            agent_id: agent_id(2),
            ..self.service.clone()
        };
        (self, after)
    }

    fn plan_with(&self, after: &Service, lift_hold: bool) -> PlannedService {
        let input = ServicePlanInput {
            service: &self.service,
            binding: &self.binding,
            wanted: &self.wanted,
            missing: &self.missing,
            yanked: &[],
            sets: &self.sets,
            hidden_sets: &self.hidden_sets,
            unit_tests: &self.unit_tests,
            namesake: self.namesake,
            models: &MODELS,
            now: NOW,
        };
        plan_service(&input, after, lift_hold)
    }

    fn plan(&self, after: &Service) -> ServicePlan {
        self.plan_with(after, false).plan
    }
}

/// Plans that break the rules which are asked of services only.
pub(super) fn blocked() -> Vec<(&'static str, ServicePlan)> {
    let (lost, after_loss) = Care::new().on_another_agent(1);
    let (empty, after_emptiness) = Care::new().on_another_agent(0);
    let (mut missing, after_missing) = Care::new().on_another_agent(1);
    missing.missing.push(no_such_agent());
    let mut taken = Care::new();
    taken.namesake = Some(Namesake::Seen(ServiceId::new(NOW, [8; 8])));
    vec![
        ("pin_lost_by_rebind", lost.plan(&after_loss)),
        ("no_versions", empty.plan(&after_emptiness)),
        ("no_such_asset", missing.plan(&after_missing)),
        ("name_taken", taken.plan(&taken.service)),
    ]
}

fn no_such_agent() -> Refusal {
    Refusal::NoSuchAsset {
        asset: agent_id(2).into(),
    }
}

#[test]
fn a_plan_names_what_each_set_would_mean() {
    let (care, after) = Care::new().on_another_agent(3);
    let planned = care.plan_with(&after, false);
    let means: Vec<_> = planned
        .plan
        .version_sets
        .iter()
        .map(|plan| {
            (
                plan.target.name.as_str(),
                plan.resolved.unwrap().agent_version.unwrap().get(),
            )
        })
        .collect();
    assert_eq!(means, [("edge", 3), ("release", 2)]);
    assert_eq!(planned.effects.len(), 2);
    assert_eq!(planned.plan.changes.len(), 1);
    assert!(planned.plan.blockers.is_empty());
}

#[test]
fn what_concerns_no_set_leaves_them_alone() {
    let care = Care::new();
    let renamed = Service {
        name: "Sales".to_owned(),
        ..care.service.clone()
    };
    let planned = care.plan_with(&renamed, false);
    assert!(planned.plan.version_sets.is_empty() && planned.effects.is_empty());
    assert_eq!(
        planned.plan.changes[0],
        FieldChange {
            field: "name".into(),
            from: json!("Care"),
            to: json!("Sales")
        }
    );
    assert!(care.plan(&care.service).is_no_op);
}

#[test]
fn blockers_of_sets_name_the_set_and_those_of_the_service_are_told_once() {
    let mut care = Care::new();
    care.sets[1].1.hold = Some(hold("it swears"));
    let (mut care, after) = care.on_another_agent(1);
    care.wanted.agent.is_deprecated = true;
    care.namesake = Some(Namesake::Hidden);
    let plan = care.plan(&after);
    assert_eq!(
        codes(&plan.blockers),
        ["deprecated", "name_taken", "held", "pin_lost_by_rebind"]
    );
    let named = |finding: &Finding| finding.message.contains("`release`");
    assert!(plan.blockers[2..].iter().all(named), "{}", plan.blockers_text());
}

#[test]
fn a_hidden_set_that_stands_in_the_way_is_not_named() {
    let mut care = Care::new();
    care.service.is_active = false;
    let preferring = |model: &str| {
        let mut pins = pins(2, 2);
        let preferred = json!({"talk": {"llm_name": model, "params": {}}});
        pins.model_preferences = serde_json::from_value(preferred).unwrap();
        target(pins)
    };
    for (name, model) in [("secret", "model-a"), ("secreter", "model-b")] {
        care.sets.push((name.parse().unwrap(), preferring(model)));
    }
    let after = Service {
        is_active: true,
        ..care.service.clone()
    };
    let told = care.plan(&after).blockers_text();
    assert!(told.contains("`secret`") && told.contains("`secreter`"), "{told}");
    care.hidden_sets = vec!["secret".parse().unwrap(), "secreter".parse().unwrap()];
    let plan = care.plan(&after);
    assert_eq!(codes(&plan.blockers), ["unknown_model"], "the same is told once");
    let told = plan.blockers_text();
    assert!(!told.contains("secret") && !told.contains("model-"), "{told}");
}

#[test]
fn a_name_is_taken_by_a_service_that_is_named_only_to_those_who_may_see_it() {
    let mut care = Care::new();
    let told = |care: &Care| care.plan(&care.service).blockers_text();
    care.namesake = Some(Namesake::Seen(ServiceId::new(NOW, [8; 8])));
    let id = ServiceId::new(NOW, [8; 8]).to_string();
    assert!(told(&care).contains(&id), "{}", told(&care));
    care.namesake = Some(Namesake::Hidden);
    assert!(
        told(&care).starts_with("another active service is named `Care` already"),
        "{}",
        told(&care)
    );
}

#[test]
fn a_service_that_unit_tests_use_is_not_deactivated() {
    let mut care = Care::new();
    care.unit_tests = World::default().tested().unit_tests;
    let after = Service {
        is_active: false,
        ..care.service.clone()
    };
    assert_eq!(codes(&care.plan(&after).blockers), ["used_by_unit_tests"]);
    let renamed = Service {
        name: "Sales".to_owned(),
        ..care.service.clone()
    };
    assert!(care.plan(&renamed).blockers.is_empty());
}

#[test]
fn what_is_not_there_is_a_blocker_and_no_set_is_planned() {
    let (mut care, after) = Care::new().on_another_agent(1);
    care.missing.push(no_such_agent());
    let plan = care.plan(&after);
    assert_eq!(codes(&plan.blockers), ["no_such_asset"]);
    assert!(plan.version_sets.is_empty());
}

#[test]
fn the_digest_moves_with_a_set_and_not_with_the_order_of_calls() {
    let (care, after) = Care::new().on_another_agent(3);
    let digest = care.plan(&after).digest;
    assert_eq!(care.plan(&after).digest, digest);
    assert_ne!(care.plan_with(&after, true).plan.digest, digest);
    let mut renamed = Care::new();
    "Old".clone_into(&mut renamed.service.name);
    let (renamed, renamed_after) = renamed.on_another_agent(3);
    assert_ne!(renamed.plan(&renamed_after).digest, digest);
    let (mut moved, after) = Care::new().on_another_agent(3);
    moved.sets[1].1.revision += 1;
    assert_ne!(moved.plan(&after).digest, digest);
    let (mut held, after) = Care::new().on_another_agent(3);
    held.sets[1].1.hold = Some(hold("it swears"));
    assert_ne!(held.plan(&after).digest, digest);
}

#[test]
fn the_digest_of_an_activation_fixes_what_conversations_would_begin_with() {
    let activating = |edit: fn(&mut Care)| {
        let mut care = Care::new();
        care.service.is_active = false;
        edit(&mut care);
        let after = Service {
            is_active: true,
            ..care.service.clone()
        };
        care.plan(&after).digest
    };
    let digest = activating(|_| {});
    let other_pins = |care: &mut Care| care.sets[1].1.pins = Some(pins(1, 1));
    assert_ne!(activating(other_pins), digest);
    // Whoever must not learn of a set learns nothing of it from a digest, either.
    let hidden = |care: &mut Care| care.hidden_sets.push(SetName::release());
    let hidden_and_other = |care: &mut Care| {
        care.hidden_sets.push(SetName::release());
        care.sets[1].1.pins = Some(pins(1, 1));
    };
    assert_eq!(activating(hidden), activating(hidden_and_other));
    // Nothing begins where a service that is active, or stays inactive, changes otherwise.
    let renaming = |is_active: bool, agent: i64| {
        let mut care = Care::new();
        care.service.is_active = is_active;
        care.sets[1].1.pins = Some(pins(agent, 1));
        let after = Service {
            name: "Sales".to_owned(),
            ..care.service.clone()
        };
        care.plan(&after).digest
    };
    assert_eq!(renaming(true, 1), renaming(true, 2));
    assert_eq!(renaming(false, 1), renaming(false, 2));
}
