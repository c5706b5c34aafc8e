//! Who may do what: permissions, grants, roles and the one function that decides.
//!
//! Everything is denied unless a grant allows it. A grant names a permission and conditions on attributes of the
//! thing acted upon; all conditions must hold, and a condition on an attribute that the thing does not have is
//! false, `NotEquals` included.

mod change;
mod comparison;
mod grant;
mod limits;
#[cfg(test)]
mod matrix;
mod operation;
mod permission;
mod privilege;
mod role;

pub use change::{CHANGEABLE_ATTRIBUTES, ChangeableAttribute, gained};
pub use grant::{Condition, Grant};
pub use limits::excesses;
pub use operation::{Asked, Need, OPERATIONS, OperationNeeds};
pub use permission::{Attributes, Permission};
pub use privilege::Privileges;
pub use role::{DefaultRole, ModifyRole, Role};

/// Decides whether the grants allow the permission on a thing with these attributes.
///
/// This is the only place where that is decided, whichever way a request came in.
pub fn allows(grants: &[Grant], permission: Permission, attributes: &Attributes) -> bool {
    grants.iter().any(|grant| {
        grant.permission_name == permission.name()
            && grant.conditions.iter().all(|(name, condition)| {
                attributes
                    .get(name)
                    .is_some_and(|value| condition.holds_for(value))
            })
    })
}

/// Returns `true` if the grants could allow the permission on anything at all.
pub fn allows_some(grants: &[Grant], permission: Permission) -> bool {
    grants
        .iter()
        .any(|grant| grant.permission_name == permission.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const GET: Permission = Permission::GetAgent;

    fn grants(conditions: serde_json::Value) -> Vec<Grant> {
        vec![
            serde_json::from_value(json!({"permission_name": GET.name(), "conditions": conditions})).unwrap(),
        ]
    }

    fn attributes() -> Attributes {
        Attributes::default()
            .with("agent_id", "a1")
            .with("agent_name", "Mira")
    }

    #[test]
    fn nothing_is_allowed_without_a_grant() {
        assert!(!allows(&[], GET, &attributes()));
        assert!(!allows(
            &grants(json!({})),
            Permission::CreateAgent,
            &attributes()
        ));
        assert!(allows(&grants(json!({})), GET, &attributes()));
    }

    #[test]
    fn a_grant_allows_its_own_permission_on_something_whatever_its_conditions() {
        let narrow = grants(json!({"agent_id": {"type": "Equals", "value": "a1"}}));
        assert!(allows_some(&narrow, GET));
        assert!(!allows_some(&narrow, Permission::CreateAgent));
        assert!(!allows_some(&[], GET));
    }

    #[test]
    fn every_condition_must_hold() {
        let allowed = |conditions| allows(&grants(conditions), GET, &attributes());
        assert!(allowed(json!({"agent_id": {"type": "Equals", "value": "a1"}})));
        assert!(!allowed(json!({"agent_id": {"type": "Equals", "value": "a2"}})));
        assert!(allowed(
            json!({"agent_id": {"type": "In", "values": ["a1", "a2"]}})
        ));
        assert!(!allowed(json!({"agent_id": {"type": "In", "values": []}})));
        assert!(allowed(json!({"agent_id": {"type": "NotEquals", "value": "a2"}})));
        assert!(!allowed(
            json!({"agent_id": {"type": "NotEquals", "value": "a1"}})
        ));
        let both = json!({"agent_id": {"type": "Equals", "value": "a1"},
            "agent_name": {"type": "Equals", "value": "Tom"}});
        assert!(!allowed(both));
    }

    #[test]
    fn a_condition_on_an_absent_attribute_is_false() {
        for condition in [
            json!({"type": "Equals", "value": "x"}),
            json!({"type": "NotEquals", "value": "x"}),
            json!({"type": "In", "values": ["x"]}),
        ] {
            assert!(!allows(
                &grants(json!({"service_id": condition})),
                GET,
                &attributes()
            ));
        }
    }

    #[test]
    fn values_of_another_type_are_not_equal() {
        let conditions = json!({"agent_id": {"type": "Equals", "value": 1}});
        assert!(!allows(
            &grants(conditions),
            GET,
            &Attributes::default().with("agent_id", "1")
        ));
    }

    #[test]
    fn a_name_is_the_same_however_it_is_spelled() {
        let thing = || Attributes::default().with("agent_name", "Caf\u{e9}");
        for spelling in ["Caf\u{e9}", "Cafe\u{301}"] {
            let allowed = |kind| {
                let mut condition = json!({"type": kind, "value": spelling, "values": [spelling]});
                condition
                    .as_object_mut()
                    .unwrap()
                    .remove(if kind == "In" { "value" } else { "values" });
                allows(&grants(json!({"agent_name": condition})), GET, &thing())
            };
            assert_eq!(
                ["Equals", "In", "NotEquals"].map(allowed),
                [true, true, false],
                "{spelling:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn more_conditions_never_allow_more(name in "[ab]", value in "[ab]", other in "[ab]", actual in "[ab]") {
            let thing = Attributes::default().with("a", actual.as_str());
            let one = grants(json!({name.as_str(): {"type": "Equals", "value": value}}));
            let mut two = one.clone();
            two[0].conditions.insert("b".into(), Condition::NotEquals { value: json!(other) });
            prop_assert!(!allows(&two, GET, &thing) || allows(&one, GET, &thing));
        }
    }
}
