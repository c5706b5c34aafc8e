//! How sure one can be of a rate that was measured a few times.

/// The quantile of the normal distribution for intervals that are right 95 times out of 100.
const Z: f64 = 1.959_964;

/// How many conversations of how many passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) passed: u64,
    pub(super) of: u64,
}

impl Rate {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            of: self.of + other.of,
        }
    }

    /// Returns the share; nothing of nothing.
    #[expect(
        clippy::cast_precision_loss,
        reason = "runs have at most a thousand conversations"
    )]
    pub(super) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.passed as f64 / self.of as f64)
    }

    /// Returns where the true share is, 95 times out of 100: the Wilson score interval. Unlike the usual one it also
    /// says something sensible where few, none or all pass.
    #[expect(
        clippy::cast_precision_loss,
        reason = "runs have at most a thousand conversations"
    )]
    pub(super) fn interval(self) -> Option<(f64, f64)> {
        let share = self.share()?;
        let n = self.of as f64;
        let centre = share + Z * Z / (2.0 * n);
        let margin = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Some((
            ((centre - margin) / scale).max(0.0),
            ((centre + margin) / scale).min(1.0),
        ))
    }

    /// Returns the rate as people read it: `8/10 = 80 % (49–94 %)`.
    pub(super) fn text(self) -> String {
        match (self.share(), self.interval()) {
            (Some(share), Some((low, high))) => format!(
                "{}/{} = {} % ({}–{} %)",
                self.passed,
                self.of,
                percent(share),
                percent(low),
                percent(high)
            ),
            _ => "none held".to_owned(),
        }
    }
}

/// Returns how much greater the share of `b` is, and where the true difference is, 95 times out of 100: Newcombe's
/// interval, which is made of both Wilson intervals.
pub(super) fn difference(a: Rate, b: Rate) -> Option<(f64, (f64, f64))> {
    let (share_a, share_b) = (a.share()?, b.share()?);
    let ((low_a, high_a), (low_b, high_b)) = (a.interval()?, b.interval()?);
    let difference = share_b - share_a;
    let below = ((share_b - low_b).powi(2) + (high_a - share_a).powi(2)).sqrt();
    let above = ((high_b - share_b).powi(2) + (share_a - low_a).powi(2)).sqrt();
    Some((difference, (difference - below, difference + above)))
}

/// Returns a share in percent, without decimals.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.0}", share * 100.0);
    if text == "-0" { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(passed: u64, of: u64) -> Rate {
        Rate { passed, of }
    }

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 0.0005, "{found} is not {expected}");
    }

    #[test]
    fn intervals_are_those_of_the_books() {
        // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (passed, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (found_low, found_high) = rate(passed, of).interval().unwrap();
            assert_near(found_low, low);
            assert_near(found_high, high);
        }
        assert_eq!(rate(0, 0).interval(), None);
    }

    #[test]
    fn differences_are_those_of_the_books() {
        // Newcombe 1998, part II, table II, method 10: 56/70 - 48/80 and 10/10 - 0/20.
        let (found, (low, high)) = difference(rate(48, 80), rate(56, 70)).unwrap();
        assert_near(found, 0.2);
        assert_near(low, 0.0524);
        assert_near(high, 0.3339);
        let (_, (low, high)) = difference(rate(0, 20), rate(10, 10)).unwrap();
        assert_near(low, 0.6791);
        assert_near(high, 1.0);
        assert_eq!(difference(rate(0, 0), rate(1, 1)), None);
    }

    #[test]
    fn people_are_told_how_many_there_were() {
        assert_eq!(rate(8, 10).text(), "8/10 = 80 % (49–94 %)");
        assert_eq!(rate(0, 0).text(), "none held");
        assert_eq!(percent(-0.001), "0");
    }
}
