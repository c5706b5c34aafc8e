//! Changes of what conditions are about.
//!
//! A condition names attributes of a thing, and some of them can be changed. So whoever changes one moves the thing into or
//! out of conditions. Out of their own is no harm; into their own would be a right that nobody gave them.

use super::comparison::Comparison;
use super::{Attributes, Grant, Permission};

/// An attribute that a write changes while the thing stays the same one.
#[derive(Debug, Clone, Copy)]
pub struct ChangeableAttribute {
    /// The thing.
    pub of: &'static str,
    /// The attribute.
    pub name: &'static str,
    /// Every attribute of the thing.
    pub beside: &'static [&'static str],
    /// The operation that changes it.
    pub operation: &'static str,
}

/// Every attribute that can be changed.
///
/// All others are what they are for as long as the thing exists.
pub const CHANGEABLE_ATTRIBUTES: &[ChangeableAttribute] = &[
    ChangeableAttribute {
        of: "a service, its version sets and its conversations",
        name: "service_name",
        beside: &["service_id", "service_name"],
        operation: "update-service",
    },
    ChangeableAttribute {
        of: "a dynamic behavior set",
        name: "dynamic_behavior_set_name",
        beside: &["dynamic_behavior_set_id", "dynamic_behavior_set_name"],
        operation: "update-dynamic-behavior-set",
    },
    ChangeableAttribute {
        of: "a set of unit tests and its runs",
        name: "simulation_unit_test_set_name",
        beside: &["simulation_unit_test_set_id", "simulation_unit_test_set_name"],
        operation: "update-simulation-unit-test-set",
    },
    ChangeableAttribute {
        of: "a user",
        name: "role_name",
        beside: &["user_id", "role_name"],
        operation: "assign-role",
    },
    ChangeableAttribute {
        of: "a role",
        name: "role_id",
        beside: &["role_id", "role_name"],
        operation: "modify-role",
    },
];

impl ChangeableAttribute {
    /// Returns the permissions on the thing, and on what belongs to it: those whose conditions can name all that it is
    /// known by.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> {
        on_things_with(self.beside.to_vec())
    }
}

fn on_things_with(names: Vec<&'static str>) -> impl Iterator<Item = Permission> {
    let all = Permission::ALL.iter().copied();
    all.filter(move |permission| names.iter().all(|name| permission.attributes().contains(name)))
}

/// Returns a permission that some grants give on a thing, or on something that belongs to it, after a change of the
/// thing's attributes and did not give before, or `None` if there is none.
///
/// It may name one that was given before, where several grants gave it together or where to find out takes too long; it
/// never leaves one out.
pub fn gained<'g>(
    grants: impl Iterator<Item = &'g Grant> + Clone,
    before: &Attributes,
    after: &Attributes,
) -> Option<Permission> {
    let is_changed = |name: &str| before.get(name) != after.get(name);
    let on_thing: Vec<&str> = on_things_with(after.names().collect())
        .map(Permission::name)
        .collect();
    let on_thing = grants.filter(|grant| on_thing.contains(&grant.permission_name.as_str()));
    let rests_on_change = |grant: &&Grant| grant.conditions.keys().any(|name| is_changed(name));
    let given: Vec<Grant> = on_thing
        .clone()
        .filter(rests_on_change)
        .filter_map(|grant| left_open(grant, after))
        .collect();
    if given.is_empty() {
        return None;
    }
    let held: Vec<Grant> = on_thing.filter_map(|grant| left_open(grant, before)).collect();
    let place = Comparison::new().uncovered(&held, &given).unwrap_or(Some(0))?;
    Permission::by_name(&given.get(place)?.permission_name)
}

/// Returns what a grant gives on a thing: the grant with the conditions that the thing leaves open, or `None` if one of
/// the others does not hold.
fn left_open(grant: &Grant, thing: &Attributes) -> Option<Grant> {
    let mut open = grant.clone();
    for (name, condition) in &grant.conditions {
        if let Some(value) = thing.get(name) {
            if !condition.holds_for(value) {
                return None;
            }
            open.conditions.shift_remove(name);
        }
    }
    Some(open)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::access::{DefaultRole, OperationNeeds, allows};

    /// Attributes that nothing changes, and why.
    const FIXED: &[(&str, &[&str])] = &[
        (
            "ids are given once",
            &[
                "agent_id",
                "api_key_id",
                "conversation_id",
                "dynamic_behavior_set_id",
                "metric_id",
                "organization_id",
                "service_hierarchical_state_machine_id",
                "service_id",
                "simulation_persona_id",
                "simulation_scenario_id",
                "simulation_unit_test_id",
                "simulation_unit_test_set_id",
                "user_id",
            ],
        ),
        (
            "no operation renames them",
            &[
                "agent_name",
                "metric_name",
                "service_hierarchical_state_machine_name",
                "simulation_persona_name",
                "simulation_scenario_name",
                "simulation_unit_test_name",
                "version_set_name",
            ],
        ),
        ("whose something is follows from ids", &["is_own"]),
        (
            "what was done is done",
            &[
                "action",
                "actor_kind",
                "actor_user_id",
                "object_id",
                "object_kind",
                "permission_name",
            ],
        ),
    ];

    #[test]
    fn of_each_attribute_it_is_known_what_changes_it() {
        let all: BTreeSet<&str> = Permission::ALL
            .iter()
            .flat_map(|permission| permission.attributes().iter().copied())
            .collect();
        let fixed = FIXED.iter().flat_map(|(_, names)| names.iter().copied());
        let changeable = CHANGEABLE_ATTRIBUTES.iter().map(|attribute| attribute.name);
        let known: Vec<&str> = fixed.chain(changeable).collect();
        assert_eq!(known.iter().copied().collect::<BTreeSet<_>>(), all);
        assert_eq!(known.len(), all.len(), "each stands in one list");
        for attribute in CHANGEABLE_ATTRIBUTES {
            assert!(attribute.beside.contains(&attribute.name));
            assert!(attribute.permissions().next().is_some(), "{}", attribute.name);
            assert!(
                OperationNeeds::of(attribute.operation).is_some(),
                "{}",
                attribute.operation
            );
        }
    }

    fn grant(permission: Permission, conditions: Value) -> Grant {
        serde_json::from_value(json!({"permission_name": permission.name(), "conditions": conditions}))
            .unwrap()
    }

    fn equals(value: &str) -> Value {
        json!({"type": "Equals", "value": value})
    }

    fn service(name: &str) -> Attributes {
        Attributes::default()
            .with("service_id", "s")
            .with("service_name", name)
    }

    fn gained_by_rename(grants: &[Grant]) -> Option<Permission> {
        gained(grants.iter(), &service("Old"), &service("New"))
    }

    #[test]
    fn what_a_new_name_gives_is_found() {
        const SET: Permission = Permission::UpdateVersionSet;
        let on_new = grant(SET, json!({"service_name": equals("New")}));
        assert_eq!(gained_by_rename(std::slice::from_ref(&on_new)), Some(SET));
        assert_eq!(
            gained_by_rename(&[grant(SET, json!({"service_name": equals("Old")}))]),
            None
        );
        let not_old = json!({"service_name": {"type": "NotEquals", "value": "Old"}});
        assert_eq!(gained_by_rename(&[grant(SET, not_old)]), Some(SET));
        let elsewhere = json!({"service_name": equals("New"), "service_id": equals("t")});
        assert_eq!(gained_by_rename(&[grant(SET, elsewhere)]), None);
        // Held before as well, in another way.
        for conditions in [
            json!({}),
            json!({"service_id": equals("s")}),
            json!({"service_name": equals("Old")}),
        ] {
            assert_eq!(gained_by_rename(&[on_new.clone(), grant(SET, conditions)]), None);
        }
        // To a smaller extent, or something else.
        for held in [
            grant(SET, json!({"version_set_name": equals("test")})),
            grant(Permission::GetVersionSet, json!({})),
        ] {
            assert_eq!(gained_by_rename(&[on_new.clone(), held]), Some(SET));
        }
        let test = json!({"service_name": equals("New"), "version_set_name": equals("test")});
        let held = grant(
            SET,
            json!({"version_set_name": {"type": "In", "values": ["test", "x"]}}),
        );
        assert_eq!(gained_by_rename(&[grant(SET, test), held]), None);
    }

    #[test]
    fn things_of_another_kind_are_not_looked_at() {
        let key = grant(Permission::GetApiKey, json!({"role_name": equals("New")}));
        let user = |role: &str| Attributes::default().with("user_id", "u").with("role_name", role);
        assert_eq!(gained([&key].into_iter(), &user("Old"), &user("New")), None);
    }

    #[test]
    fn default_roles_gain_nothing_by_any_change() {
        for role in DefaultRole::ALL {
            let grants = role.grants();
            assert_eq!(gained_by_rename(&grants), None);
        }
    }

    #[test]
    fn what_takes_too_long_to_find_out_counts_as_gained() {
        let values: Vec<usize> = (0..100_000).collect();
        let many =
            json!({"service_name": equals("New"), "version_set_name": {"type": "In", "values": values}});
        let grants = [
            grant(Permission::GetVersionSet, many),
            grant(
                Permission::GetVersionSet,
                json!({"version_set_name": equals("test")}),
            ),
        ];
        assert_eq!(gained_by_rename(&grants), Some(Permission::GetVersionSet));
    }

    proptest! {
        #[test]
        fn without_a_gain_nothing_is_allowed_that_was_not(
            grants in prop::collection::vec((0..3_usize, "Old|New|Other", 0..3_usize, "a|b", 0..3_usize), 0..5),
            set in "a|b|c",
        ) {
            let condition = |kind: usize, value: &str| match kind {
                0 => equals(value),
                1 => json!({"type": "NotEquals", "value": value}),
                _ => json!({"type": "In", "values": ["New", value]}),
            };
            let grants: Vec<Grant> = grants.into_iter().map(|(kind, name, other_kind, set, parts)| {
                let mut conditions = json!({});
                if parts != 1 {
                    conditions["service_name"] = condition(kind, &name);
                }
                if parts != 2 {
                    conditions["version_set_name"] = condition(other_kind, &set);
                }
                grant(Permission::GetVersionSet, conditions)
            }).collect();
            let may = |name| {
                allows(&grants, Permission::GetVersionSet, &service(name).with("version_set_name", set.as_str()))
            };
            prop_assert!(gained_by_rename(&grants).is_some() || may("Old") || !may("New"));
        }
    }
}
