//! Lengths of time as text.

use std::time::Duration;

/// The text is no duration in ISO 8601, or a longer one than makes sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a duration in ISO 8601, such as P30D or PT12H, of less than 1000 years")]
pub struct InvalidDuration;

/// The longest duration, in nanoseconds: a thousand years.
const LONGEST: u128 = 365_000 * 86_400 * SECOND;
const SECOND: u128 = 1_000_000_000;

/// The units of the date and of the time, in the order in which they come, in seconds.
const OF_DATES: [(char, u128); 4] = [('Y', 31_536_000), ('M', 2_592_000), ('W', 604_800), ('D', 86_400)];
const OF_TIMES: [(char, u128); 3] = [('H', 3600), ('M', 60), ('S', 1)];

/// Reads ISO 8601: `P1Y2M3W4DT5H6M7.5S`, each part optional, to the millisecond.
///
/// As with the contract's framework, a year has 365 days and a month 30.
///
/// # Errors
///
/// Fails if the text is no duration, or one of more than 1000 years.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let rest = text.strip_prefix('P').ok_or(InvalidDuration)?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return Err(InvalidDuration),
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return Err(InvalidDuration),
        None => (rest, ""),
    };
    let total = nanoseconds(date, &OF_DATES)? + nanoseconds(time, &OF_TIMES)?;
    if total > LONGEST {
        return Err(InvalidDuration);
    }
    let millis = (total + SECOND / 2000) / (SECOND / 1000);
    u64::try_from(millis)
        .map(Duration::from_millis)
        .map_err(|_| InvalidDuration)
}

/// Returns the sum of parts such as `5H6M`, whose units come in the order given.
fn nanoseconds(mut text: &str, mut units: &[(char, u128)]) -> Result<u128, InvalidDuration> {
    let mut total: u128 = 0;
    while !text.is_empty() {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(InvalidDuration)?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next().ok_or(InvalidDuration)?;
        let position = units
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or(InvalidDuration)?;
        total = total.saturating_add(part(number, units[position].1)?);
        units = &units[position + 1..];
        text = &rest[unit.len_utf8()..];
    }
    Ok(total)
}

/// Returns a number of units, such as `7.5` of so many seconds, in nanoseconds.
fn part(number: &str, unit: u128) -> Result<u128, InvalidDuration> {
    /// More digits tell less than a nanosecond, whatever the unit.
    const MOST_DIGITS: usize = 18;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = &fraction[..fraction.len().min(MOST_DIGITS)];
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(InvalidDuration);
    }
    let read = |digits: &str| match digits {
        "" => Ok(0),
        digits => digits.parse::<u64>().map(u128::from).map_err(|_| InvalidDuration),
    };
    let of_one = (0..fraction.len()).fold(1, |of_one: u128, _| of_one * 10);
    Ok(read(whole)? * unit * SECOND + read(fraction)? * unit * SECOND / of_one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn durations_are_read_in_iso_8601() {
        let millis = |text: &str| parse_duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("P1D"), Ok(86_400_000));
        assert_eq!(millis("PT12H30M"), Ok(45_000_000));
        assert_eq!(millis("P1W2DT1.5S"), Ok(777_601_500));
        assert_eq!(millis("P1Y1M"), Ok(34_128_000_000));
        assert_eq!(millis("PT0S"), Ok(0));
        assert_eq!(millis("PT.5S"), Ok(500));
        assert_eq!(millis("P0.1D"), Ok(8_640_000));
        assert_eq!(millis("PT0.0004999999999999999999999S"), Ok(0));
        assert_eq!(millis("PT0.0005S"), Ok(1));
        assert_eq!(millis("P1000Y"), Ok(31_536_000_000_000));
        for bad in [
            "",
            "P",
            "PT",
            "1D",
            "P1",
            "P1H",
            "PT1D",
            "PD",
            "P-1D",
            "P1D2W",
            "P1DT",
            "P9999Y",
            "P1é",
            "P1.2.3D",
            "P.D",
            "P1000YT0.001S",
            "P99999999999999999999D",
            "PT18446744073709551615H",
        ] {
            assert_eq!(millis(bad), Err(InvalidDuration), "{bad}");
        }
    }

    #[test]
    fn times_are_moved_by_durations() {
        let time = Timestamp::from_millis(5);
        let later = time + Duration::from_hours(24);
        assert_eq!(later, Timestamp::from_millis(86_400_005));
        assert_eq!(later - Duration::from_hours(24), time);
        assert_eq!(later.since(time), Duration::from_hours(24));
        assert_eq!(time.since(later), Duration::ZERO);
        assert_eq!(time + Duration::MAX, Timestamp::from_millis(i64::MAX));
    }
}
