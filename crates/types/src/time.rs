//! Points in time, and where they come from.

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns how long it is since an earlier point; nothing is shorter than no time at all.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration(if millis > 0 { millis } else { 0 })
    }

    /// Returns the point `seconds` later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * 1000)
    }
}

/// A length of time, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(i64);

impl Duration {
    /// Returns the length of some days.
    pub const fn days(days: i64) -> Self {
        Self(days * 86_400_000)
    }

    /// Returns the length of some seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// Returns the whole seconds, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }
}

/// The text is no duration in ISO 8601, or a longer one than makes sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration in ISO 8601, such as P30D or PT12H, of less than 1000 years")]
pub struct InvalidDuration;

impl std::str::FromStr for Duration {
    type Err = InvalidDuration;

    /// Reads ISO 8601: `P1Y2M3W4DT5H6M7.5S`, each part optional.
    ///
    /// As with the contract's framework, a year has 365 days and a month 30.
    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        const LONGEST: f64 = 365_000.0 * 86_400.0;
        let rest = text.strip_prefix('P').ok_or(InvalidDuration)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(InvalidDuration),
            Some((date, time)) => (date, time),
            None => (rest, ""),
        };
        let date = seconds(
            date,
            &[
                ('Y', 31_536_000.0),
                ('M', 2_592_000.0),
                ('W', 604_800.0),
                ('D', 86_400.0),
            ],
        )?;
        let time = seconds(time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)])?;
        let total = match (date, time) {
            (None, None) => return Err(InvalidDuration),
            (date, time) => date.unwrap_or(0.0) + time.unwrap_or(0.0),
        };
        if total > LONGEST {
            return Err(InvalidDuration);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is not negative and below the longest"
        )]
        let millis = (total * 1000.0).round() as i64;
        Ok(Self(millis))
    }
}

/// Returns the sum of parts such as `5H6M`, whose units come in the order given, or `None` if there are none.
fn seconds(mut text: &str, units: &[(char, f64)]) -> Result<Option<f64>, InvalidDuration> {
    let mut total = None;
    let mut next = 0;
    while !text.is_empty() {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(InvalidDuration)?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next().ok_or(InvalidDuration)?;
        let position = units[next..]
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or(InvalidDuration)?;
        let number: f64 = number.parse().map_err(|_| InvalidDuration)?;
        total = Some(total.unwrap_or(0.0) + number * units[next + position].1);
        next += position + 1;
        text = &rest[unit.len_utf8()..];
    }
    Ok(total)
}

/// Tells the time; the one place it comes from, so that tests can decide it.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_iso_8601() {
        let seconds = |text: &str| text.parse::<Duration>().map(|duration| duration.0 / 1000);
        assert_eq!(seconds("P1D"), Ok(86_400));
        assert_eq!(seconds("PT12H30M"), Ok(45_000));
        assert_eq!(seconds("P1W2DT1.5S"), Ok(777_601));
        assert_eq!(seconds("P1Y1M"), Ok(34_128_000));
        assert_eq!(seconds("PT0S"), Ok(0));
        for bad in [
            "", "P", "PT", "1D", "P1", "P1H", "PT1D", "PD", "P-1D", "P1D2W", "P1DT", "P9999Y", "P1é",
            "P1.2.3D",
        ] {
            assert_eq!(seconds(bad), Err(InvalidDuration), "{bad}");
        }
        assert_eq!(
            Timestamp::from_millis(5) + Duration::days(1),
            Timestamp::from_millis(86_400_005)
        );
    }
}
