//! Times as text.

use chrono::{DateTime, SecondsFormat};

use crate::Timestamp;

/// Returns a time as RFC 3339 in UTC with milliseconds, such as `2026-11-23T15:29:16.042Z`.
///
/// The official Python client refuses a time without an offset.
pub fn rfc3339(time: Timestamp) -> String {
    let time = DateTime::from_timestamp_millis(time.as_millis()).unwrap_or(DateTime::UNIX_EPOCH);
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a time in RFC 3339, with an offset.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(Timestamp::from_millis(time.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds() {
        assert_eq!(
            rfc3339(Timestamp::from_millis(1_795_447_756_042)),
            "2026-11-23T15:29:16.042Z"
        );
        assert_eq!(rfc3339(Timestamp::from_millis(0)), "1970-01-01T00:00:00.000Z");
        let read = |text| parse_rfc3339(text).map(Timestamp::as_millis);
        assert_eq!(read("2026-11-23T16:29:16.042+01:00"), Some(1_795_447_756_042));
        assert_eq!(read("2026-11-23T15:29:16"), None);
    }
}
