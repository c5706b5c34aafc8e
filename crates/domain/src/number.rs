//! JSON values whose numbers are compared by value: `1` and `1.0` are one number, whoever wrote them.
//!
//! One client always sends `1`, another always `1.0`. Were they two, each would undo the other's "change" for ever.

use serde_json::{Number, Value};

/// The first whole number that no integer of JSON values can hold.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

/// Returns `true` if two values are the same, numbers by value.
///
/// Whole numbers are compared exactly, however large: a float equals an integer only if it is that very number.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || integral(one) == integral(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, value)| other.get(key).is_some_and(|other| is_same(value, other)))
        }
        (one, other) => one == other,
    }
}

/// Returns a value with every whole number as an integer, so that values which are the same have one text.
#[must_use]
pub fn integral_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(integral(number)),
        Value::Array(items) => items.iter().map(integral_numbers).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), integral_numbers(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Returns a number as an integer, if it is a whole one that an integer can hold.
fn integral(number: &Number) -> Number {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.clone();
    };
    if float.fract() != 0.0 || float.abs() >= BEYOND {
        return number.clone();
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole, and far below the limits of the type"
    )]
    let whole = float as i128;
    match (u64::try_from(whole), i64::try_from(whole)) {
        (Ok(whole), _) => whole.into(),
        (_, Ok(whole)) => whole.into(),
        _ => number.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn whole_numbers_are_the_same_however_they_are_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("-0.0", "0"),
            ("-5.0", "-5"),
            ("[1, {\"a\": 2.0}]", "[1.0, {\"a\": 2}]"),
            ("9007199254740992.0", "9007199254740992"),
            ("18446744073709549568.0", "18446744073709549568"),
            ("-9223372036854775808.0", "-9223372036854775808"),
            ("1e300", "1.0e300"),
        ] {
            let (one, other) = (read(one), read(other));
            assert!(is_same(&one, &other), "{one} {other}");
            assert_eq!(
                integral_numbers(&one).to_string(),
                integral_numbers(&other).to_string()
            );
        }
    }

    #[test]
    fn numbers_that_a_float_cannot_tell_apart_are_not_the_same() {
        for (one, other) in [
            ("9007199254740993", "9007199254740992.0"),
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709551616.0"),
            ("0.1", "0.10000000000000002"),
            ("1", "\"1\""),
            ("1", "true"),
            ("[1]", "[1, 1]"),
            ("{\"a\": 1}", "{\"b\": 1}"),
            ("{\"a\": 1}", "{\"a\": 1, \"b\": null}"),
        ] {
            let (one, other) = (read(one), read(other));
            assert!(!is_same(&one, &other), "{one} {other}");
            assert!(!is_same(&other, &one), "{other} {one}");
            assert_ne!(
                integral_numbers(&one).to_string(),
                integral_numbers(&other).to_string()
            );
        }
    }

    proptest! {
        #[test]
        fn values_are_the_same_exactly_if_their_texts_with_integral_numbers_are(
            one in -4_i32..4, other in -4_i32..4, halves in 0_u8..2, as_float in any::<bool>()
        ) {
            let half = f64::from(halves) / 2.0;
            let one = json!(f64::from(one) + half);
            let other = if as_float { json!(f64::from(other)) } else { json!(other) };
            let texts = [&one, &other].map(|value| integral_numbers(value).to_string());
            prop_assert_eq!(is_same(&one, &other), texts[0] == texts[1]);
        }
    }
}
