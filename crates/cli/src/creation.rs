//! Making something new by naming it: a name that was mistyped is one of nothing, too.

use forge_client::answers::{Finding, Plan};

use crate::finder::{did_you_mean, joined};
use crate::likeness::slips;
use crate::lookup::KNOWN_SETS;

/// Adds to a plan that makes a new set what stands against it: a name that is nearly that of another one.
///
/// `sets` are those of the service.
pub(crate) fn of_set<'n>(plan: &mut Plan, sets: impl IntoIterator<Item = &'n str>, is_wanted: bool) {
    let has_been_said = plan.blockers.iter().any(|blocker| blocker.code == "alike_name");
    if plan.target.revision.is_some() || has_been_said {
        return;
    }
    let name = plan.target.name.clone();
    let alike = alike_sets(&name, sets);
    if alike.is_empty() {
        return;
    }
    let (code, message) = (
        "similar_name".to_owned(),
        format!(
            "there is no set `{name}` yet, and it would be called nearly like {}",
            joined(&alike, " and ")
        ),
    );
    if is_wanted {
        plan.warnings.push(Finding {
            code,
            message,
            hint: None,
        });
    } else {
        plan.blockers.push(Finding {
            code,
            message,
            hint: Some(instead(&alike)),
        });
    }
}

/// Returns what to do if something new would be made that is called nearly like these: say that it is meant, or name
/// one of them.
pub(crate) fn instead(alike: &[String]) -> String {
    match alike {
        [] => "`--create` makes it".to_owned(),
        alike => format!("{} `--create` makes a new one", did_you_mean(alike)),
    }
}

/// Warns that others are called nearly like something new, or `None` if none is.
pub(crate) fn similar(alike: &[String]) -> Option<Finding> {
    (!alike.is_empty()).then(|| Finding {
        code: "similar_name".to_owned(),
        message: format!(
            "there is {} already, called nearly the same",
            joined(alike, " and ")
        ),
        hint: None,
    })
}

/// Returns the sets that may have been meant by a new one: the service's, and those that mean the same everywhere.
pub(crate) fn alike_sets<'n>(name: &str, sets: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let mut sets: Vec<&str> = sets.into_iter().chain(KNOWN_SETS).collect();
    sets.sort_unstable();
    sets.dedup();
    if sets.contains(&name) {
        return Vec::new();
    }
    slips(name, sets).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str, revision: Option<i64>) -> Plan {
        let plan = serde_json::json!({
            "action": "create", "service_id": "0123456789abcdef01234567", "changes": [], "digest": "d",
            "target": {"name": name, "revision": revision},
        });
        serde_json::from_value(plan).unwrap()
    }

    #[test]
    fn a_new_set_is_not_made_by_a_slip() {
        for (name, meant) in [
            ("relaese", "release"),
            ("realease", "release"),
            ("egde", "edge"),
            ("Preview", "preview"),
            ("personal-aelx", "personal-alex"),
        ] {
            let mut found = plan(name, None);
            of_set(&mut found, ["release", "personal-alex"], false);
            let [blocker] = found.blockers.as_slice() else {
                panic!("{name}")
            };
            assert_eq!(blocker.code, "similar_name");
            let hint = format!("did you mean `{meant}`? `--create` makes a new one");
            assert_eq!(blocker.hint.as_deref(), Some(hint.as_str()));
            let mut wanted = plan(name, None);
            of_set(&mut wanted, ["release", "personal-alex"], true);
            assert_eq!((wanted.blockers.len(), wanted.warnings.len()), (0, 1));
        }
    }

    #[test]
    fn what_is_there_is_known_and_what_is_numbered_is_meant() {
        for (name, revision) in [
            ("relaese", Some(3)),
            ("preview", None),
            ("pr-124", None),
            ("release-candidate", None),
        ] {
            let mut found = plan(name, revision);
            of_set(&mut found, ["release", "pr-123"], false);
            assert!(found.blockers.is_empty() && found.warnings.is_empty(), "{name}");
        }
    }
}
