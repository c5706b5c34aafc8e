//! Times as people say them.

use forge_domain::Timestamp;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const UNITS: [(i64, &str); 5] = [
    (SECOND, "second"),
    (MINUTE, "minute"),
    (HOUR, "hour"),
    (DAY, "day"),
    (365 * DAY, "year"),
];

/// Returns how long ago a time was.
///
/// Clocks differ a little, so what seems to come is now.
pub(super) fn relative(time: Timestamp, now: Timestamp) -> String {
    let passed = now.as_millis().saturating_sub(time.as_millis());
    if passed < 2 * SECOND {
        return "just now".to_owned();
    }
    format!("{} ago", duration(passed))
}

/// Returns a length of time in its largest unit.
pub(super) fn duration(millis: i64) -> String {
    let (unit, name) = UNITS
        .into_iter()
        .rfind(|(unit, _)| millis >= *unit)
        .unwrap_or(UNITS[0]);
    let count = millis.max(0) / unit;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let ago = |millis| relative(Timestamp::from_millis(0), Timestamp::from_millis(millis));
        assert_eq!(ago(-5 * HOUR), "just now");
        assert_eq!(ago(SECOND), "just now");
        assert_eq!(ago(59 * SECOND), "59 seconds ago");
        assert_eq!(ago(MINUTE), "1 minute ago");
        assert_eq!(ago(HOUR - 1), "59 minutes ago");
        assert_eq!(ago(2 * HOUR), "2 hours ago");
        assert_eq!(ago(DAY), "1 day ago");
        assert_eq!(ago(800 * DAY), "2 years ago");
    }
}
