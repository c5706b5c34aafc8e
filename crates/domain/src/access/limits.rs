//! How much a role may hold. Whatever a role holds is looked at with each request of its users, so there is a most.

use serde_json::Value;

use super::{Condition, Grant};
use crate::fault::{Fault, Faults};

/// How many grants a role has at most.
pub(super) const MAX_GRANTS: usize = 1_000;

/// How many conditions a grant has at most.
pub(super) const MAX_CONDITIONS: usize = 20;

/// How many values a condition has at most.
pub(super) const MAX_VALUES: usize = 1_000;

/// How many values the conditions of a role have together at most.
///
/// Long ones count several times.
pub(super) const MAX_VALUES_TOGETHER: usize = 10_000;

/// As how many a text counts: one for every so many bytes that are begun.
const TEXT_BYTES: usize = 256;

/// Returns as how many values a text counts.
pub(super) fn weight_of_text(text: &str) -> usize {
    1 + text.len() / TEXT_BYTES
}

/// Returns as how many values one counts: everything inside it counts.
pub(super) fn weight_of_value(value: &Value) -> usize {
    match value {
        Value::String(text) => weight_of_text(text),
        Value::Array(items) => 1 + items.iter().map(weight_of_value).sum::<usize>(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| weight_of_text(name) + weight_of_value(value);
            1 + fields.iter().map(field).sum::<usize>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

fn weight_of_condition(condition: &Condition) -> usize {
    match condition {
        Condition::Equals { value } | Condition::NotEquals { value } => weight_of_value(value),
        Condition::In { values } => values.iter().map(weight_of_value).sum(),
    }
}

/// Returns where some grants are more than a role may hold; places begin with the grant's.
///
/// Roles that were made before there were these limits go on being read.
pub fn excesses(grants: &[Grant]) -> Faults {
    let mut faults = Faults::default();
    if grants.len() > MAX_GRANTS {
        let msg = format!("must have at most {MAX_GRANTS} items");
        faults.push(Fault::new(Vec::new(), "too_long", msg));
        return faults;
    }
    let mut together = 0;
    for (index, grant) in grants.iter().enumerate() {
        let place = |rest: &[&str]| {
            let mut loc = vec![index.into()];
            loc.extend(rest.iter().map(|step| (*step).into()));
            loc
        };
        if grant.conditions.len() > MAX_CONDITIONS {
            let msg = format!("a grant has at most {MAX_CONDITIONS} conditions");
            faults.push(Fault::new(place(&["conditions"]), "too_long", msg));
        }
        for (name, condition) in &grant.conditions {
            if let Condition::In { values } = condition
                && values.len() > MAX_VALUES
            {
                let msg = format!("must have at most {MAX_VALUES} items");
                faults.push(Fault::new(
                    place(&["conditions", name, "values"]),
                    "too_long",
                    msg,
                ));
            }
            together += weight_of_text(name) + weight_of_condition(condition);
        }
    }
    if together > MAX_VALUES_TOGETHER {
        let msg = format!(
            "the conditions have more than {MAX_VALUES_TOGETHER} values together (a text counts once for every \
             {TEXT_BYTES} bytes)"
        );
        faults.push(Fault::new(Vec::new(), "too_long", msg));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grant(conditions: &Value) -> Grant {
        serde_json::from_value(json!({"permission_name": "Service:GetService", "conditions": conditions}))
            .unwrap()
    }

    fn one_of(values: impl Iterator<Item = Value>) -> Value {
        json!({"service_id": {"type": "In", "values": values.collect::<Vec<_>>()}})
    }

    fn told(grants: &[Grant]) -> Vec<String> {
        excesses(grants)
            .into_vec()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_role_at_its_limits_is_admitted_and_one_beyond_is_not() {
        let plain = grant(&json!({}));
        assert!(told(&vec![plain.clone(); MAX_GRANTS]).is_empty());
        assert_eq!(
            told(&vec![plain; MAX_GRANTS + 1]),
            ["must have at most 1000 items"]
        );
        assert!(told(&[grant(&one_of((0..MAX_VALUES).map(Value::from)))]).is_empty());
        assert_eq!(
            told(&[grant(&one_of((0..=MAX_VALUES).map(Value::from)))]),
            ["[0].conditions.service_id.values: must have at most 1000 items"]
        );
        let conditions = |count: usize| -> Value {
            (0..count)
                .map(|n| (n.to_string(), json!({"type": "Equals", "value": n})))
                .collect()
        };
        assert!(told(&[grant(&conditions(MAX_CONDITIONS))]).is_empty());
        assert_eq!(
            told(&[grant(&conditions(MAX_CONDITIONS + 1))]),
            ["[0].conditions: a grant has at most 20 conditions"]
        );
    }

    #[test]
    fn a_value_counts_with_everything_inside_it() {
        let text = |bytes: usize| "x".repeat(bytes);
        for (value, weight) in [
            (json!(null), 1),
            (json!(text(0)), 1),
            (json!(text(255)), 1),
            (json!(text(256)), 2),
            (json!(text(1024)), 5),
            (json!([]), 1),
            (json!([1, [2], text(256)]), 6),
            (json!({}), 1),
            (json!({"a": 1, "b": [2]}), 6),
            (json!({text(256): true}), 4),
        ] {
            assert_eq!(weight_of_value(&value), weight, "{value}");
        }
    }

    #[test]
    fn values_are_counted_together_and_long_ones_several_times() {
        // The name of the attribute counts, too.
        let tenth = grant(&one_of((1..MAX_VALUES).map(Value::from)));
        assert!(told(&vec![tenth.clone(); 10]).is_empty());
        let mut beyond = vec![tenth; 10];
        beyond[9] = grant(&one_of((0..MAX_VALUES).map(Value::from)));
        assert_eq!(told(&beyond).len(), 1);
        for long in [
            json!("x".repeat(256 * 10_000)),
            json!(vec![1; 10_000]),
            json!({"a": vec![1; 10_000]}),
        ] {
            let told = told(&[grant(&json!({"service_id": {"type": "Equals", "value": long}}))]);
            assert_eq!(told.len(), 1);
            assert!(
                told[0].starts_with("the conditions have more than 10000 values together"),
                "{told:?}"
            );
        }
    }
}
