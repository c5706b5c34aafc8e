//! The plans of one call.

use super::*;

/// Returns the plan of deleting a set: `edge` and `release` cannot be deleted.
fn deletion(name: &str) -> Plan {
    World::named(name).plan(Change::Delete).plan
}

#[test]
fn one_plan_speaks_for_itself_and_many_together() {
    let (free, blocked) = (deletion("test"), deletion("edge"));
    let one = Plans::One(Box::new(blocked.clone()));
    assert_eq!(one.digest(), blocked.digest);
    assert_eq!(one.blockers_text(), blocked.blockers_text());
    assert_eq!(one.of_sets(), std::slice::from_ref(&blocked));
    assert_eq!(one.into_plans_of_sets(), std::slice::from_ref(&blocked));
    let both = [free.clone(), blocked.clone()];
    let many = Plans::Many(both.to_vec());
    assert_eq!(many.digest(), joint_digest(&both));
    assert_ne!(many.digest(), free.digest);
    assert_eq!(many.of_sets(), both);
    let told = many.blockers_text();
    assert!(told.contains("`edge`: ") && !told.contains("`test`"), "{told}");
    assert_eq!(many.into_plans_of_sets(), both);
}

#[test]
fn many_plans_are_blocked_if_one_of_them_is() {
    let (free, blocked) = (deletion("test"), deletion("edge"));
    let is_blocked = |plans: &[&Plan]| Plans::Many(plans.iter().copied().cloned().collect()).is_blocked();
    assert!(!is_blocked(&[&free]));
    assert!(is_blocked(&[&free, &blocked]));
    assert!(is_blocked(&[&blocked, &free]));
    assert!(!Plans::One(Box::new(free)).is_blocked());
    assert!(Plans::One(Box::new(blocked)).is_blocked());
}

#[test]
fn a_plan_of_a_service_speaks_for_its_sets_too() {
    let (_, blocked) = service::blocked().swap_remove(0);
    let (sets, digest, text) = (
        blocked.version_sets.clone(),
        blocked.digest.clone(),
        blocked.blockers_text(),
    );
    assert!(!sets.is_empty());
    let plans = Plans::Service(Box::new(blocked.clone()));
    assert!(plans.is_blocked());
    assert_eq!((plans.digest(), plans.blockers_text()), (digest, text));
    assert_eq!(plans.of_sets(), sets);
    assert_eq!(plans.into_plans_of_sets(), sets);
    let free = ServicePlan {
        blockers: Vec::new(),
        ..blocked
    };
    assert!(!Plans::Service(Box::new(free)).is_blocked());
}
