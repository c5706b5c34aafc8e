//! Comparing what two roles may do.
//!
//! A role is greater than another if it may do everything that the other may and something more. Conditions count:
//! a grant without conditions is more than the same one with some. Only the super administrator's role counts as
//! greater than itself; temporary grants count on neither side.

use serde_json::Value;

use super::{Condition, DefaultRole, Grant};

/// What a role may do, and which default role it is, if it is one. By default, no role at all: it may do nothing.
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

    /// Tells whether this is the super administrator's role.
    pub fn is_super(&self) -> bool {
        self.role_name == DefaultRole::SuperAdministrator.name()
    }

    /// Tells whether everything that these grants allow is allowed to this role too.
    pub fn cover(&self, grants: &[Grant]) -> bool {
        self.is_super() || grants.iter().all(|grant| implies(&self.grants, grant))
    }

    /// Tells whether this role is greater than another.
    pub fn exceed(&self, other: &Self) -> bool {
        self.is_super() || !other.is_super() && self.cover(&other.grants) && !other.cover(&self.grants)
    }
}

/// Tells whether some grants allow everything that another one does.
///
/// It may say no where several grants cover another only together; it never says yes wrongly.
pub fn implies(grants: &[Grant], wanted: &Grant) -> bool {
    if grants.iter().any(|grant| grant_implies(grant, wanted)) {
        return true;
    }
    // One of several values is covered if each of them is, by whichever grant.
    let several = wanted
        .conditions
        .iter()
        .find_map(|(name, condition)| match condition {
            Condition::In { values } if values.len() > 1 => Some((name, values)),
            _ => None,
        });
    several.is_some_and(|(name, values)| {
        values.iter().all(|value| {
            let mut narrowed = wanted.clone();
            narrowed
                .conditions
                .insert(name.clone(), Condition::Equals { value: value.clone() });
            implies(grants, &narrowed)
        })
    })
}

/// Tells whether one grant allows everything that another one does: each of its conditions must follow from the
/// other's condition on the same attribute.
fn grant_implies(grant: &Grant, wanted: &Grant) -> bool {
    grant.permission_name == wanted.permission_name
        && grant.conditions.iter().all(|(name, needed)| {
            wanted
                .conditions
                .get(name)
                .is_some_and(|given| condition_implies(given, needed))
        })
}

/// Tells whether every value that fulfils `given` fulfils `needed`.
fn condition_implies(given: &Condition, needed: &Condition) -> bool {
    let all = |values: &[Value]| values.iter().all(|value| needed.holds_for(value));
    match given {
        Condition::Equals { value } => needed.holds_for(value),
        Condition::In { values } => all(values),
        // Of infinitely many values, all fulfil the same condition and no other that can be written.
        Condition::NotEquals { value } => {
            matches!(needed, Condition::NotEquals { value: other } if other == value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Attributes, Permission, allows};
    use indexmap::IndexMap;
    use proptest::prelude::*;
    use serde_json::json;

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
    fn several_grants_cover_several_values_together() {
        let both = role(vec![
            grant(json!({"service_id": {"type": "Equals", "value": "a"}})),
            grant(json!({"service_id": {"type": "Equals", "value": "b"}})),
        ]);
        assert!(both.cover(&[grant(json!({"service_id": {"type": "In", "values": ["a", "b"]}}))]));
        assert!(!both.cover(&[grant(json!({"service_id": {"type": "In", "values": ["a", "c"]}}))]));
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
