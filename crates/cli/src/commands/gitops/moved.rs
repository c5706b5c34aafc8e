//! What is not as it was shown any more.

use forge_client::answers::{FieldChange, Plan, ServicePlan};

use crate::error::{Exit, Failure};
use crate::ui::values;

/// Says that something is not as it was shown any more.
pub(super) fn moved(what: String, details: Vec<String>) -> Failure {
    let text = format!("{what} was changed while its plan was looked at");
    let mut failure = Failure::new(Exit::Conflict, text).hint("look at the plan anew, and apply that");
    failure.details = details;
    failure
}

/// Returns in what two plans of a service differ.
pub(super) fn service_moved(shown: &ServicePlan, now: &ServicePlan) -> Vec<String> {
    let mut details = changes_moved(&shown.changes, &now.changes);
    for now in &now.version_sets {
        let name = &now.target.name;
        let before = shown.version_sets.iter().find(|set| set.target.name == *name);
        let of_set = match before {
            Some(shown) if shown.digest == now.digest => continue,
            Some(shown) => what_moved(shown, now),
            None => vec!["it was not there".to_owned()],
        };
        details.extend(of_set.into_iter().map(|detail| format!("`{name}`: {detail}")));
    }
    or_the_rules(details)
}

/// Returns in what two plans of a set differ.
pub(super) fn what_moved(shown: &Plan, now: &Plan) -> Vec<String> {
    let revision = |plan: &Plan| match plan.target.revision {
        Some(revision) => format!("at revision {revision}"),
        None => "not there".to_owned(),
    };
    let mut details = Vec::new();
    if shown.target != now.target {
        details.push(format!("it was {}, and is {}", revision(shown), revision(now)));
    }
    details.extend(changes_moved(&shown.changes, &now.changes));
    or_the_rules(details)
}

fn changes_moved(shown: &[FieldChange], now: &[FieldChange]) -> Vec<String> {
    let text = |change: &FieldChange| {
        let (from, to) = (values::text(&change.from), values::text(&change.to));
        format!(
            "now it would change {}: {from} → {to}",
            values::field(&change.field)
        )
    };
    now.iter()
        .filter(|change| !shown.contains(change))
        .map(text)
        .collect()
}

fn or_the_rules(mut details: Vec<String>) -> Vec<String> {
    if details.is_empty() {
        details.push("the rules find something else now".to_owned());
    }
    details
}
