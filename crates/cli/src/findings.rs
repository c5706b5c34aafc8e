//! What stands against a change, and what to think twice about.

use forge_client::answers::Finding;
use forge_domain::{Hint, Refusal};
use serde_json::{Value, json};

use crate::ui::{Style, Ui, folded};

/// How many blockers, and how many warnings, are shown.
const LISTED: usize = 50;

/// Shows blockers and warnings, as many as anybody reads.
pub(crate) fn show(ui: &Ui, blockers: &[Finding], warnings: &[Finding]) {
    for (style, label, all) in [
        (Style::Error, "blocker", blockers),
        (Style::Warning, "warning", warnings),
    ] {
        for finding in all.iter().take(LISTED) {
            show_one(ui, style, label, finding);
        }
        if all.len() > LISTED {
            ui.labelled(style, label, &format!("… and {} more", all.len() - LISTED));
        }
    }
}

fn show_one(ui: &Ui, style: Style, label: &str, finding: &Finding) {
    let text = format!("{} [{}]", finding.message, finding.code);
    ui.labelled(style, label, &folded(&text));
    if let Some(hint) = &finding.hint {
        ui.labelled(Style::Hint, "  hint", &folded(in_own_words(hint)));
    }
}

/// What of the advice of the API is about its parameters, and what to do here instead.
const OWN_WORDS: [(Hint, &str); 5] = [
    (Hint::LiftHold, "lift the hold first, or pass `--lift-hold`"),
    (
        Hint::ForwardOnPurpose,
        "pass `--lift-hold` to go forward to it on purpose",
    ),
    (
        Hint::FloatOnPurpose,
        "leave `--no-freeze` out to write the numbers, or pass `--lift-hold` to let it float without a hold",
    ),
    (Hint::Freeze, "leave `--no-freeze` out to write the numbers"),
    (
        Hint::ListModels,
        "`forge version-set models` lists those there are",
    ),
];

/// Returns what the command line says in place of advice of the API.
///
/// What it does not know, as that of a newer server, stays.
fn in_own_words(hint: &str) -> &str {
    let own = OWN_WORDS.iter().find(|(of_api, _)| of_api.to_string() == hint);
    own.map_or(hint, |(_, own)| own)
}

/// Returns findings as documents have them.
pub(crate) fn json(findings: &[Finding]) -> Vec<Value> {
    let one =
        |finding: &Finding| json!({"code": finding.code, "message": finding.message, "hint": finding.hint});
    findings.iter().map(one).collect()
}

/// Returns the finding of a rule that was looked at here.
pub(crate) fn of_rule(refusal: &Refusal) -> Finding {
    Finding {
        code: refusal.code().to_owned(),
        message: refusal.message(),
        hint: refusal.hint().map(|hint| hint.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_worded_for_the_command_line() {
        assert_eq!(
            in_own_words("lift the hold first, or pass lift_hold=true"),
            "lift the hold first, or pass `--lift-hold`"
        );
        assert_eq!(
            in_own_words("admin/get_models lists those there are"),
            "`forge version-set models` lists those there are"
        );
        assert_eq!(in_own_words("choose another one"), "choose another one");
        for (_, own) in OWN_WORDS {
            assert_eq!(in_own_words(own), own);
        }
    }
}
