//! What a plan finds, and how much of it is told.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::refusal::{MOST_TOLD, Refusal};
use crate::visible::shown;

/// How many findings of one rule are told.
const MOST_OF_A_RULE: usize = 100;

/// One finding of a plan: a stable code, what is so, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// A stable word for programs; `docs/rules.md` lists all of them.
    pub code: String,
    /// What is so, as one sentence without its full stop.
    pub message: String,
    /// What to do about it, where more can be said than the message does.
    pub hint: Option<String>,
}

impl Finding {
    fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Returns findings as one text; of very many, the first ones and how many there are
/// beside, as far as that is known.
pub(super) fn told(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().take(MOST_TOLD).map(Finding::text).collect();
    let told = texts.join("; ");
    match findings.len().saturating_sub(MOST_TOLD) {
        0 => told,
        more => format!("{told}; and at least {more} more reasons"),
    }
}

impl From<&Refusal> for Finding {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code().to_owned(),
            message: shown(refusal.message()),
            hint: refusal.hint().map(|hint| shown(hint.to_string())),
        }
    }
}

/// Returns the first findings of each rule, and of how many more there are.
///
/// The digest of a plan stands for all of them.
pub(super) fn told_of_each_rule(findings: Vec<Finding>) -> Vec<Finding> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut told = Vec::new();
    for finding in findings {
        let count = counts.entry(finding.code.clone()).or_default();
        *count += 1;
        if *count <= MOST_OF_A_RULE {
            told.push(finding);
        }
    }
    let mut more: Vec<(String, usize)> = counts
        .into_iter()
        .filter(|(_, count)| *count > MOST_OF_A_RULE)
        .collect();
    more.sort_unstable();
    told.extend(more.into_iter().map(|(code, count)| Finding {
        code,
        message: format!("there are {} more of these", count - MOST_OF_A_RULE),
        hint: Some("correct the others to see them".to_owned()),
    }));
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(code: &str, count: usize) -> Vec<Finding> {
        let finding = |number| Finding {
            code: code.to_owned(),
            message: format!("{number}"),
            hint: None,
        };
        (0..count).map(finding).collect()
    }

    #[test]
    fn of_each_rule_a_hundred_are_told_and_how_many_more_there_are() {
        let told = told_of_each_rule([findings("a", 250), findings("b", 100), findings("c", 101)].concat());
        let of = |code: &str| told.iter().filter(|finding| finding.code == code).count();
        assert_eq!((of("a"), of("b"), of("c")), (101, 100, 101));
        let texts: Vec<String> = told[300..].iter().map(Finding::text).collect();
        assert_eq!(
            texts,
            [
                "there are 150 more of these; correct the others to see them",
                "there are 1 more of these; correct the others to see them"
            ]
        );
    }

    #[test]
    fn few_are_told_as_they_are() {
        let few = [findings("a", 3), findings("b", 100)].concat();
        assert_eq!(told_of_each_rule(few.clone()), few);
    }
}
