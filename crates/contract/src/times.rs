//! Times in queries, as people and clients write them.

use forge_domain::Timestamp;
use forge_domain::fault::Fault;
use serde_json::Value;

use forge_wire::rfc3339;

/// Returns `true` if a schema admits a time.
pub(super) fn is_time(schema: &Value) -> bool {
    let alternatives = schema["anyOf"].as_array();
    let alternatives = alternatives.map_or(std::slice::from_ref(schema), Vec::as_slice);
    alternatives.iter().any(|one| one["format"] == "date-time")
}

/// Returns a time whose `+` a client did not escape: in a query that is a blank, and nothing else can have stood there.
pub(super) fn repaired(text: &str) -> String {
    match text.split_once(' ') {
        Some((moment, offset)) if moment.contains(['T', 't']) && is_offset(offset) => {
            format!("{moment}+{offset}")
        }
        _ => text.to_owned(),
    }
}

fn is_offset(text: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(':')
        .is_some_and(|(hours, minutes)| digits(hours) && digits(minutes))
}

/// Returns the fault of a text that is no time, with what would be one.
pub(super) fn fault(text: &str) -> Fault {
    let expected = "expected a time in RFC 3339 with an offset";
    let example = meant(text).map_or_else(
        || ", such as 2026-11-23T15:29:16Z or 2026-11-23T16:29:16%2B01:00".to_owned(),
        |meant| format!("; did you mean {meant}?"),
    );
    Fault::new(Vec::new(), "format", format!("{expected}{example}"))
}

/// Returns the time that a text of another form means.
fn meant(text: &str) -> Option<String> {
    let is_valid = |text: &String| forge_wire::parse_rfc3339(text).is_some();
    if let Ok(number) = text.parse::<i64>() {
        // Ten digits are seconds of our time, thirteen are milliseconds.
        let millis = match text.len() {
            9..=10 => number * 1000,
            12..=13 => number,
            _ => return None,
        };
        return Some(rfc3339(Timestamp::from_millis(millis)));
    }
    let text = text.replacen(' ', "T", 1);
    let meant = [format!("{text}T00:00:00Z"), format!("{text}Z"), text];
    meant.into_iter().find(is_valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_that_became_a_blank_is_a_plus() {
        assert_eq!(repaired("2026-11-27T05:58:05 02:00"), "2026-11-27T05:58:05+02:00");
        assert_eq!(
            repaired("2026-11-27T05:58:05.5 02:00"),
            "2026-11-27T05:58:05.5+02:00"
        );
        for other in [
            "2026-11-27T05:58:05Z",
            "2026-11-27 05:58:05",
            "2026-11-27 05:58",
            "a b",
        ] {
            assert_eq!(repaired(other), other);
        }
    }

    #[test]
    fn what_is_no_time_is_answered_with_the_time_that_it_means() {
        for (text, meant) in [
            ("2026-11-27", "2026-11-27T00:00:00Z"),
            ("2026-11-27T05:58:05", "2026-11-27T05:58:05Z"),
            ("2026-11-27 05:58:05", "2026-11-27T05:58:05Z"),
            ("2026-11-27 05:58:05+02:00", "2026-11-27T05:58:05+02:00"),
            ("1795447756", "2026-11-23T15:29:16.000Z"),
            ("1795447756042", "2026-11-23T15:29:16.042Z"),
        ] {
            let msg = fault(text).msg;
            assert!(
                msg.ends_with(&format!("; did you mean {meant}?")),
                "{text}: {msg}"
            );
        }
        for text in ["", "yesterday", "3", "99999999999999999999", "2026-13-01"] {
            assert!(fault(text).msg.contains("such as 2026-11-23T15:29:16Z"), "{text}");
        }
    }
}
