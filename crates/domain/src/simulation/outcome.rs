//! What comes of one conversation of a run, and what it means for the run.

use super::run::{Measurement, UnitTestRunState};

/// What came of one conversation of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitTestRunOutcome {
    /// What was found, metric by metric, or why the conversation could not take place or be judged.
    pub verdicts: Result<Vec<Measurement>, String>,
    /// How many interactions it had.
    pub interactions: i64,
}

impl UnitTestRunOutcome {
    /// Creates the outcome of a conversation that could not take place or be judged.
    pub fn error(error: impl Into<String>) -> Self {
        Self {
            verdicts: Err(error.into()),
            interactions: 0,
        }
    }

    /// Returns the state that the conversation ends in.
    pub fn state(&self) -> UnitTestRunState {
        match self.verdicts {
            Ok(_) => UnitTestRunState::Judged,
            Err(_) => UnitTestRunState::Errored,
        }
    }

    /// Returns what was found; nothing of a conversation that could not be judged.
    pub fn found(&self) -> &[Measurement] {
        self.verdicts.as_deref().unwrap_or_default()
    }

    /// Returns why the conversation could not take place or be judged.
    pub fn reason(&self) -> Option<&str> {
        self.verdicts.as_ref().err().map(String::as_str)
    }

    /// Returns `true` if the run has failed a criterion by it.
    pub fn fails_metrics(&self) -> bool {
        self.found().iter().any(|judged| !judged.passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::VersionNumber;

    fn judged(passed: bool) -> Measurement {
        Measurement {
            result_id: "0123456789abcdef01234567".parse().unwrap(),
            name: "is kind".into(),
            metric_id: "0123456789abcdef01234567".parse().unwrap(),
            metric_version: VersionNumber::FIRST,
            value: None,
            passed,
        }
    }

    fn outcome(passed: &[bool]) -> UnitTestRunOutcome {
        UnitTestRunOutcome {
            verdicts: Ok(passed.iter().copied().map(judged).collect()),
            interactions: 3,
        }
    }

    #[test]
    fn one_criterion_that_is_not_met_fails_the_metrics() {
        for (passed, fails) in [
            (&[][..], false),
            (&[true, true], false),
            (&[true, false, true], true),
        ] {
            let outcome = outcome(passed);
            assert_eq!(outcome.fails_metrics(), fails, "{passed:?}");
            assert_eq!(outcome.state(), UnitTestRunState::Judged);
            assert_eq!(outcome.reason(), None);
            assert_eq!(outcome.found().len(), passed.len());
        }
    }

    #[test]
    fn what_could_not_be_judged_has_errored_and_failed_no_metric() {
        let outcome = UnitTestRunOutcome::error("the persona had nothing to say");
        assert_eq!(outcome.state(), UnitTestRunState::Errored);
        assert_eq!(outcome.reason(), Some("the persona had nothing to say"));
        assert!(!outcome.fails_metrics());
        assert!(outcome.found().is_empty());
    }
}
