//! The rules of plans, as a list for people: `docs/rules.md` is checked against it.

/// What breaking a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The change is refused.
    Blocker,
    /// The change is made, and the plan says so.
    Warning,
    /// The change is refused; a rollback only warns.
    BlockerUnlessRollback,
    /// The change is refused; a rollback only warns, and so does whatever pins nothing but floats.
    BlockerIfPinned,
}

/// One rule of plans.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its code, which never changes.
    pub code: &'static str,
    /// What breaking it does.
    pub severity: Severity,
    /// Which changes it is asked of.
    pub changes: &'static str,
    /// What it says, as one sentence.
    pub sentence: &'static str,
}

macro_rules! rules {
    ($($severity:ident $code:literal ($changes:literal) $sentence:literal;)*) => {
        /// Every rule of plans: blockers first.
        pub const RULES: &[Rule] = &[$(Rule {
            code: $code,
            severity: Severity::$severity,
            changes: $changes,
            sentence: $sentence,
        }),*];
    };
}

rules! {
    Blocker "bad_name" ("all") "The name of a set has 1 to 40 letters, digits, `_` and `-`.";
    Blocker "edge_is_fixed" ("upsert, promote, rollback") "`edge` always means the latest versions.";
    Blocker "set_is_permanent" ("delete") "`edge` and `release` belong to every service for as long as it exists.";
    Blocker "too_many_sets" ("upsert, promote") "A service has at most 100 version sets.";
    Blocker "alike_name" ("upsert, promote, rollback") "The name of a new set differs in more than capitals from every other of the service, and from `edge`, `release`, `preview` and `test`.";
    Blocker "held" ("upsert, promote, delete, rebind") "Nothing moves a set forward that was rolled back, until someone lifts the hold.";
    Blocker "used_by_unit_tests" ("delete, deactivate") "A set that a unit test names stays, and its service active, as long as the test is there.";
    Blocker "name_taken" ("activate, rename") "No two active services have the same name.";
    Blocker "no_such_asset" ("rebind") "The new agent and context graph are there, and the caller may get them.";
    Blocker "no_versions" ("rebind, activate") "An agent or context graph that runs has a version.";
    Blocker "pin_lost_by_rebind" ("rebind") "A version that a set pins exists of the new agent or context graph, too.";
    Blocker "unknown_source" ("promote") "The source is a set of the service, and the revision one of its own that pins something.";
    Blocker "no_such_version" ("upsert, promote, rollback") "A pinned version exists.";
    Blocker "another_asset" ("promote, rollback") "Pins belong to the agent and the context graph that the service runs now.";
    BlockerIfPinned "yanked_version" ("upsert, promote, rollback, rebind, activate") "A yanked version is not pinned again, nor do conversations begin with it anew.";
    BlockerUnlessRollback "deprecated" ("upsert, promote, rollback, rebind, activate") "Nothing new starts to run on a deprecated agent or context graph.";
    Blocker "unknown_model" ("upsert, promote, rollback, activate") "A preferred model is one of the installation's.";
    Blocker "retired_model" ("upsert, promote, rollback, activate") "A preferred model is still served.";
    Blocker "model_parameters" ("upsert, promote, rollback, activate") "The parameters of a preferred model fit its schema.";
    Blocker "nothing_to_roll_back" ("rollback") "There is an earlier revision since the set's creation and the service's last rebind.";
    Blocker "no_such_revision" ("rollback") "The revision to restore is one of the set that pins something.";
    Blocker "across_deletion" ("rollback") "A rollback does not go behind a deletion of the set.";
    Blocker "across_rebind" ("rollback") "A rollback does not go behind a change of the service's agent or context graph.";
    Blocker "undone_revision" ("rollback") "What a rollback undid comes back only with `lift_hold`.";
    Blocker "floating_hold" ("rollback") "What is held does not float: a rollback without `freeze` to what floats takes `lift_hold`.";
    Warning "floating_release" ("upsert, promote, rollback, rebind") "`release` pins numbers instead of floating with the latest versions.";
    Warning "not_frozen" ("promote, rollback") "What floats is written as the numbers that it means (`freeze`).";
    Warning "preview_skipped" ("promote") "What goes to `release` comes from `preview`.";
    Warning "personal_to_release" ("promote") "A personal set does not go straight to `release`.";
    Warning "older_than_target" ("upsert, promote") "A version is not older than the one it replaces.";
    Warning "unknown_interaction" ("upsert, promote, rollback") "A preferred model is for an interaction that a known prompt uses.";
    Warning "retiring_model" ("upsert, promote, rollback") "A preferred model is served for more than 30 days to come.";
    Warning "prompt_too_long" ("upsert, promote, rollback") "What a model is told in any state of the context graph fits into a prompt.";
    Warning "unconventional_name" ("upsert, promote, rollback") "A name is `edge`, `release`, `preview`, `test` or `personal-` and small letters, digits or `-`.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// Returns the page of the docs that lists the rules.
    fn page() -> String {
        let mut page = String::from(
            "# Rules of plans\n\nEvery change of a version set or of a service is planned first, and the plan is held \
             against these rules. A change\nof a service is a *rebind* if it gets another agent or context graph, which \
             changes what each of its sets means. A broken *blocker* refuses the\nchange (400) and the plan lists all of them; a *warning* never \
             does. The codes are stable. This page is checked against the\ncode: `UPDATE_GOLDEN=1 cargo test -p \
             forge-domain` rewrites it.\n\n| code | severity | asked of | rule |\n|---|---|---|---|\n",
        );
        for rule in RULES {
            let severity = match rule.severity {
                Severity::Blocker => "blocker",
                Severity::Warning => "warning",
                Severity::BlockerUnlessRollback => "blocker; a warning for a rollback",
                Severity::BlockerIfPinned => "blocker; a warning for a rollback, and where it only floats",
            };
            let _ = writeln!(
                page,
                "| `{}` | {severity} | {} | {} |",
                rule.code, rule.changes, rule.sentence
            );
        }
        page
    }

    #[test]
    fn the_page_lists_the_rules() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, page()).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(found, page(), "run with UPDATE_GOLDEN=1 to rewrite docs/rules.md");
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
