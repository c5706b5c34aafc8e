//! Comparing what two roles may do.
//!
//! A role is greater than another if it may do everything that the other may and something more. Conditions count:
//! a grant without conditions is more than the same one with some. Only the super administrator's role counts as
//! greater than itself; temporary grants count on neither side.
//!
//! A comparison has a budget of steps. Where that is not enough, the answer is no.

use super::comparison::Comparison;
use super::{DefaultRole, Grant, Permission};

/// What a role may do, and which default role it is, if it is one.
///
/// By default, no role at all: it may do nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Privileges {
    /// The role's name.
    pub role_name: String,
    /// What it grants.
    pub grants: Vec<Grant>,
}

impl Privileges {
    /// Returns what a default role may do.
    pub fn of_default(role: DefaultRole) -> Self {
        Self {
            role_name: role.name().to_owned(),
            grants: role.grants(),
        }
    }

    /// Returns `true` if a permission is held on everything, so that the thing need not be looked at.
    pub fn allow_everything(&self, permission: Permission) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| grant.permission_name == permission.name() && grant.conditions.is_empty())
    }

    /// Returns `true` if this is the super administrator's role.
    pub fn is_super(&self) -> bool {
        self.role_name == DefaultRole::SuperAdministrator.name()
    }

    /// Returns `true` if everything that these grants allow is allowed to this role too.
    ///
    /// It may say no where several grants cover another only together, or where to find out takes too long; it never
    /// says yes wrongly.
    pub fn cover(&self, grants: &[Grant]) -> bool {
        self.first_uncovered(grants).is_none()
    }

    /// Returns the first of some grants that this role does not hold to that extent; the first one of all if to find
    /// out takes too long.
    pub fn first_uncovered<'g>(&self, grants: &'g [Grant]) -> Option<&'g Grant> {
        if self.is_super() {
            return None;
        }
        let place = Comparison::new()
            .uncovered(&self.grants, grants)
            .unwrap_or(Some(0));
        place.and_then(|place| grants.get(place))
    }

    /// Returns `true` if this role holds everything that another does; no, if they differ and to find out takes too
    /// long.
    pub fn hold_all_of(&self, other: &Self) -> bool {
        self == other || self.is_super() || !other.is_super() && self.cover(&other.grants)
    }

    /// Returns `true` if this role is greater than another; no, if to find out takes too long.
    pub fn exceed(&self, other: &Self) -> bool {
        let exceeds = || Comparison::new().exceeds(&self.grants, &other.grants);
        self.is_super() || !other.is_super() && exceeds().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::comparison::{BUDGET, OutOfSteps};
    use super::*;
    use crate::access::{Attributes, Condition, Permission, allows};
    use indexmap::IndexMap;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const PERMISSION: Permission = Permission::UpdateVersionSet;

    fn grant(conditions: Value) -> Grant {
        serde_json::from_value(json!({"permission_name": PERMISSION.name(), "conditions": conditions}))
            .unwrap()
    }

    fn role(grants: Vec<Grant>) -> Privileges {
        Privileges {
            role_name: "custom".into(),
            grants,
        }
    }

    #[test]
    fn each_default_role_exceeds_those_before_it_and_only_the_last_itself() {
        let roles = DefaultRole::ALL.map(Privileges::of_default);
        for (i, one) in roles.iter().enumerate() {
            for (j, other) in roles.iter().enumerate() {
                assert_eq!(
                    one.exceed(other),
                    i > j || (i == 3 && j == 3),
                    "{} {}",
                    one.role_name,
                    other.role_name
                );
            }
        }
    }

    #[test]
    fn a_role_holds_all_of_those_that_are_not_above_it() {
        let everything = DefaultRole::SuperAdministrator.grants();
        let roles = DefaultRole::ALL.map(Privileges::of_default);
        for (i, one) in roles.iter().enumerate() {
            for (j, other) in roles.iter().enumerate() {
                assert_eq!(
                    one.hold_all_of(other),
                    i >= j,
                    "{} {}",
                    one.role_name,
                    other.role_name
                );
            }
        }
        assert!(
            !role(everything).hold_all_of(&roles[3]),
            "it may do more than it lists"
        );
    }

    #[test]
    fn fewer_conditions_are_more() {
        let any = role(vec![grant(json!({}))]);
        let one = role(vec![grant(
            json!({"service_id": {"type": "Equals", "value": "a"}}),
        )]);
        let two = role(vec![grant(
            json!({"service_id": {"type": "In", "values": ["a", "b"]}}),
        )]);
        let not = role(vec![grant(
            json!({"service_id": {"type": "NotEquals", "value": "b"}}),
        )]);
        for (more, less) in [
            (&any, &one),
            (&any, &two),
            (&any, &not),
            (&two, &one),
            (&not, &one),
        ] {
            assert!(more.exceed(less) && !less.exceed(more), "{more:?} {less:?}");
        }
        assert!(!not.cover(&two.grants) && !two.cover(&not.grants));
        assert!(
            !one.exceed(&one),
            "nothing but the super administrator's role exceeds itself"
        );
    }

    #[test]
    fn a_name_is_compared_however_it_is_spelled() {
        let on = |kind: &str, name: &str| {
            role(vec![grant(
                json!({"service_name": {"type": kind, "value": name}}),
            )])
        };
        let [composed, decomposed] = ["Caf\u{e9}", "Cafe\u{301}"];
        assert!(on("Equals", composed).cover(&on("Equals", decomposed).grants));
        assert!(!on("NotEquals", decomposed).cover(&on("Equals", composed).grants));
    }

    #[test]
    fn several_grants_cover_several_values_together() {
        let both = role(vec![
            grant(json!({"service_id": {"type": "Equals", "value": "a"}})),
            grant(json!({"service_id": {"type": "Equals", "value": "b"}})),
        ]);
        assert!(both.cover(&[grant(json!({"service_id": {"type": "In", "values": ["a", "b"]}}))]));
        assert!(!both.cover(&[grant(json!({"service_id": {"type": "In", "values": ["a", "c"]}}))]));
    }

    /// The attributes of conditions on a conversation.
    const FIVE: [&str; 5] = [
        "conversation_id",
        "service_id",
        "service_name",
        "user_id",
        "is_own",
    ];

    /// Returns a grant with the same condition on each of five attributes.
    fn on_all_five(condition: &Value) -> Grant {
        let conditions: Value = FIVE
            .iter()
            .map(|name| ((*name).to_owned(), condition.clone()))
            .collect();
        grant(conditions)
    }

    /// Returns the grants that admit one of two values of each attribute, every combination in a grant of its own.
    fn combinations(values: [&str; 2]) -> Vec<Grant> {
        let combination = |bits: usize| {
            let conditions: Value = FIVE
                .iter()
                .enumerate()
                .map(|(place, name)| {
                    let value = values[bits >> place & 1];
                    ((*name).to_owned(), json!({"type": "Equals", "value": value}))
                })
                .collect();
            grant(conditions)
        };
        (0..32).map(combination).collect()
    }

    #[test]
    fn a_grant_that_allows_nothing_is_compared_by_its_conditions_like_any_other() {
        let nothing = [grant(json!({"service_id": {"type": "In", "values": []}}))];
        let on = |name: &str| role(vec![grant(json!({name: {"type": "Equals", "value": "a"}}))]);
        assert!(on("service_id").cover(&nothing));
        assert!(!on("version_set_name").cover(&nothing));
    }

    #[test]
    fn a_list_of_one_value_is_that_value_however_many_grants_there_are() {
        let values = 0..1000;
        let equals = values
            .clone()
            .map(|value| grant(json!({"service_id": {"type": "Equals", "value": value}})));
        let lists = values.map(|value| grant(json!({"service_id": {"type": "In", "values": [value]}})));
        let (equals, lists) = (role(equals.collect()), role(lists.collect()));
        assert!(equals.cover(&lists.grants) && lists.cover(&equals.grants));
    }

    #[test]
    fn a_grant_that_is_looked_at_takes_a_step_and_each_of_its_conditions_another() {
        let steps = |conditions| {
            let grants = [grant(conditions)];
            let mut comparison = Comparison::new();
            assert_eq!(comparison.uncovered(&grants, &grants), Ok(None));
            comparison.steps_taken()
        };
        // To read the permission, an attribute or a value takes one, too, on either side.
        assert_eq!(steps(json!({})), 2 + 1);
        assert_eq!(
            steps(json!({"service_id": {"type": "Equals", "value": "a"}})),
            2 * 3 + 2
        );
    }

    #[test]
    fn equal_values_of_a_condition_count_once() {
        let held = combinations(["a", "b"]);
        let repeated: Vec<&str> = ["a", "b"].repeat(20);
        let wanted = [on_all_five(&json!({"type": "In", "values": repeated}))];
        let mut comparison = Comparison::new();
        assert_eq!(comparison.uncovered(&held, &wanted), Ok(None));
        assert!(comparison.steps_taken() < 10_000, "{}", comparison.steps_taken());
        assert!(role(held).exceed(&role(vec![on_all_five(&json!({"type": "In", "values": ["a"]}))])));
    }

    #[test]
    fn a_comparison_ends_when_its_steps_are_used_up_and_says_no() {
        // Every combination of twenty values of five attributes would be looked at, one after the other.
        let values: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let wanted = vec![on_all_five(&json!({"type": "In", "values": values}))];
        let mut held: Vec<Grant> = FIVE
            .iter()
            .flat_map(|name| values.iter().map(move |value| (*name, value)))
            .map(|(name, value)| grant(json!({name: {"type": "Equals", "value": value}})))
            .collect();
        assert!(
            role(held.clone()).cover(&wanted),
            "one value of one attribute after the other is enough"
        );
        // With two conditions each, nothing short of all combinations tells.
        held = values
            .iter()
            .flat_map(|one| values.iter().map(move |other| (one, other)))
            .map(|(one, other)| {
                grant(json!({"user_id": {"type": "Equals", "value": one}, "is_own": {"type": "Equals", "value": other}}))
            })
            .collect();
        let mut comparison = Comparison::new();
        assert_eq!(comparison.uncovered(&held, &wanted), Err(OutOfSteps));
        assert!(comparison.steps_taken() <= BUDGET);
        let (held, wanted) = (role(held), role(wanted));
        assert!(!held.cover(&wanted.grants));
        assert_eq!(held.first_uncovered(&wanted.grants), wanted.grants.first());
        assert!(!held.exceed(&wanted) && !wanted.exceed(&held));
    }

    #[test]
    fn roles_that_were_stored_before_there_were_limits_end_a_comparison_too() {
        let values: Vec<usize> = (0..20_000).collect();
        let many_values = vec![grant(json!({"user_id": {"type": "In", "values": values}})); 20];
        let many_grants = vec![grant(json!({"user_id": {"type": "Equals", "value": "a"}})); 200_000];
        let long = vec![grant(
            json!({"user_id": {"type": "Equals", "value": "a".repeat(30_000_000)}}),
        )];
        let names = (0..20_000).map(|number| (number.to_string(), json!({"type": "In", "values": [1, 2]})));
        let deep = vec![grant(names.collect())];
        for grants in [many_values, many_grants, long, deep] {
            let mut comparison = Comparison::new();
            assert_eq!(comparison.exceeds(&grants, &grants), Err(OutOfSteps));
            assert!(!role(grants.clone()).exceed(&role(grants.clone())));
            assert!(role(grants.clone()).hold_all_of(&role(grants)));
        }
    }

    #[test]
    fn the_largest_role_that_can_be_made_is_compared_with_itself() {
        let largest: Vec<Grant> = (0..1000)
            .map(|number| {
                let values: Vec<usize> = (number..number + 9).collect();
                grant(json!({"service_id": {"type": "In", "values": values}}))
            })
            .collect();
        assert!(crate::access::excesses(&largest).is_empty());
        let mut comparison = Comparison::new();
        assert_eq!(comparison.exceeds(&largest, &largest), Ok(false));
        let above = role(
            [
                largest.clone(),
                vec![grant(json!({"user_id": {"type": "Equals", "value": 1}}))],
            ]
            .concat(),
        );
        assert!(above.exceed(&role(largest)));
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let value = || prop_oneof![Just(json!("a")), Just(json!("b")), Just(json!("c"))];
        prop_oneof![
            value().prop_map(|value| Condition::Equals { value }),
            value().prop_map(|value| Condition::NotEquals { value }),
            proptest::collection::vec(value(), 0..3).prop_map(|values| Condition::In { values }),
        ]
    }

    fn grants() -> impl Strategy<Value = Vec<Grant>> {
        let name = prop_oneof![Just("service_id"), Just("version_set_name")];
        let conditions = proptest::collection::vec((name, condition()), 0..3);
        let one = conditions.prop_map(|conditions| {
            let conditions: IndexMap<_, _> = conditions.into_iter().map(|(n, c)| (n.to_owned(), c)).collect();
            Grant {
                permission_name: PERMISSION.name().to_owned(),
                conditions,
            }
        });
        proptest::collection::vec(one, 0..4)
    }

    proptest! {
        /// What a role covers, it may do: on whichever thing.
        #[test]
        fn covering_is_never_claimed_wrongly(mine in grants(), theirs in grants(), s in "[abcd]", v in "[abcd]") {
            let thing = Attributes::default().with("service_id", s).with("version_set_name", v);
            if role(mine.clone()).cover(&theirs) && allows(&theirs, PERMISSION, &thing) {
                prop_assert!(allows(&mine, PERMISSION, &thing));
            }
        }

        #[test]
        fn exceeding_is_never_mutual(mine in grants(), theirs in grants()) {
            let (mine, theirs) = (role(mine), role(theirs));
            prop_assert!(!(mine.exceed(&theirs) && theirs.exceed(&mine)));
        }
    }
}
