//! What to think twice about before a change; it never fails for it.

use std::time::Duration;

use super::finding::Finding;
use super::input::PlanInput;
use super::outcome::SetRevision;
use crate::asset::AssetKind;
use crate::hint::Hint;
use crate::llm_interaction;
use crate::prompt::LongPrompt;
use crate::refusal::Refusal;
use crate::revision::RevisionAction;
use crate::text::shortened;
use crate::version::VersionNumber;
use crate::version_set::{Pins, SetName};
use crate::visible::shown;

/// How far ahead a model's retirement is warned about.
pub const RETIRES_SOON: Duration = Duration::from_hours(30 * 24);

/// One thing to think twice about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the messages say what each variant and its fields mean"
)]
pub enum Warning {
    FloatingRelease,
    NotFrozen,
    PreviewSkipped {
        source: String,
    },
    PersonalToRelease {
        source: String,
    },
    OlderThanTarget {
        asset: AssetKind,
        from: VersionNumber,
        to: VersionNumber,
    },
    UnknownInteraction(String),
    RetiringModel {
        interaction: String,
        model: String,
    },
    UnconventionalName(String),
    PromptTooLong(LongPrompt),
    /// What would forbid another change and does not forbid this one.
    Tolerated(Refusal),
}

impl Warning {
    fn code(&self) -> &'static str {
        match self {
            Self::FloatingRelease => "floating_release",
            Self::NotFrozen => "not_frozen",
            Self::PreviewSkipped { .. } => "preview_skipped",
            Self::PersonalToRelease { .. } => "personal_to_release",
            Self::OlderThanTarget { .. } => "older_than_target",
            Self::UnknownInteraction(_) => "unknown_interaction",
            Self::RetiringModel { .. } => "retiring_model",
            Self::UnconventionalName(_) => "unconventional_name",
            Self::PromptTooLong(_) => LongPrompt::CODE,
            Self::Tolerated(refusal) => refusal.code(),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::FloatingRelease => "`release` would float: it changes with every new version".to_owned(),
            Self::NotFrozen => "the pins are copied as they float, not as what they mean now".to_owned(),
            Self::PreviewSkipped { source } => {
                format!(
                    "`{}` goes to `release` without having been in `preview`",
                    shortened(source)
                )
            }
            Self::PersonalToRelease { source } => {
                format!(
                    "the personal set `{}` goes straight to `release`",
                    shortened(source)
                )
            }
            Self::OlderThanTarget { asset, from, to } => {
                format!("the {asset} goes back from version {from} to version {to}")
            }
            Self::UnknownInteraction(interaction) => {
                format!(
                    "no known prompt uses the interaction `{}`",
                    shortened(interaction)
                )
            }
            Self::RetiringModel { interaction, model } => format!(
                "model `{}`, preferred for `{}`, retires within 30 days",
                shortened(model),
                shortened(interaction)
            ),
            Self::UnconventionalName(name) => format!("`{}` is off the naming convention", shortened(name)),
            Self::PromptTooLong(prompt) => prompt.message(),
            Self::Tolerated(refusal) => refusal.message(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        Some(match self {
            Self::FloatingRelease => Hint::PinNumbersOrFreeze,
            Self::NotFrozen => Hint::Freeze,
            Self::PreviewSkipped { .. } => Hint::PreviewFirst,
            Self::PersonalToRelease { .. } => Hint::ShareFirst,
            Self::OlderThanTarget { .. } => Hint::RollBackInstead,
            Self::UnknownInteraction(_) => Hint::CheckSpellingOfInteraction,
            Self::RetiringModel { .. } => Hint::ChooseModelThatStays,
            Self::UnconventionalName(_) => Hint::FollowConvention,
            Self::PromptTooLong(_) => Hint::SayLess,
            Self::Tolerated(refusal) => return refusal.hint(),
        })
    }
}

impl From<&Warning> for Finding {
    fn from(warning: &Warning) -> Self {
        Self {
            code: warning.code().to_owned(),
            message: shown(warning.message()),
            hint: warning.hint().map(|hint| shown(hint.to_string())),
        }
    }
}

/// Returns what to think twice about in what a set is to pin, and in its name.
pub(super) fn of_pins(input: &PlanInput<'_>, action: RevisionAction, pins: Option<&Pins>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !is_conventional(input.name) {
        warnings.push(Warning::UnconventionalName(input.name.to_owned()));
    }
    let Some(pins) = pins else { return warnings };
    if input.name == "release" && pins.is_floating() {
        warnings.push(Warning::FloatingRelease);
    }
    warnings.extend(input.long_prompt.map(Warning::PromptTooLong));
    let current = input.current_pins();
    if let Some(current) = current.filter(|_| action != RevisionAction::Rollback) {
        let (before, after) = (current.resolve(input.binding), pins.resolve(input.binding));
        for (asset, from, to) in [
            (AssetKind::Agent, before.agent_version, after.agent_version),
            (
                AssetKind::ContextGraph,
                before.context_graph_version,
                after.context_graph_version,
            ),
        ] {
            if let (Some(from), Some(to)) = (from, to)
                && to < from
            {
                warnings.push(Warning::OlderThanTarget { asset, from, to });
            }
        }
    }
    for (name, preference) in &pins.model_preferences {
        if !llm_interaction::is_known(name) {
            warnings.push(Warning::UnknownInteraction(name.clone()));
        }
        let retires_at = input.models.retires_at(&preference.llm_name);
        let soon = input.now + RETIRES_SOON;
        if retires_at.is_some_and(|at| at > input.now && at <= soon) {
            let (interaction, model) = (name.clone(), preference.llm_name.clone());
            warnings.push(Warning::RetiringModel { interaction, model });
        }
    }
    warnings
}

/// Returns what to think twice about in the way that a promotion takes.
pub(super) fn of_promotion(name: &str, action: RevisionAction, source: Option<&SetRevision>) -> Vec<Warning> {
    let Some(source) = source.filter(|_| name == "release" && action == RevisionAction::Promote) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    if source.name != "preview" && source.name != "release" {
        warnings.push(Warning::PreviewSkipped {
            source: source.name.clone(),
        });
    }
    if source.name.starts_with("personal-") {
        warnings.push(Warning::PersonalToRelease {
            source: source.name.clone(),
        });
    }
    warnings
}

/// Returns `true` if a name follows the convention of the workflow: `edge|release|preview|test|personal-[a-z0-9-]+`.
fn is_conventional(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match name.strip_prefix("personal-") {
        Some(rest) => !rest.is_empty() && rest.bytes().all(is_plain),
        None => SetName::SHARED.contains(&name),
    }
}

#[cfg(test)]
mod tests {
    use crate::asset::AssetId;

    use super::*;

    #[test]
    fn each_warning_says_what_is_so_and_what_to_do() {
        let source = "personal-alex".to_owned();
        let version = |number: i64| VersionNumber::try_from(number).unwrap();
        let refusal = Refusal::Deprecated {
            asset: AssetId::parse(AssetKind::Agent, "0123456789abcdef01234567").unwrap(),
        };
        for (warning, code, message) in [
            (
                Warning::FloatingRelease,
                "floating_release",
                "`release` would float: it changes with every new version",
            ),
            (
                Warning::NotFrozen,
                "not_frozen",
                "the pins are copied as they float, not as what they mean now",
            ),
            (
                Warning::PreviewSkipped {
                    source: source.clone(),
                },
                "preview_skipped",
                "`personal-alex` goes to `release` without having been in `preview`",
            ),
            (
                Warning::PersonalToRelease { source },
                "personal_to_release",
                "the personal set `personal-alex` goes straight to `release`",
            ),
            (
                Warning::OlderThanTarget {
                    asset: AssetKind::ContextGraph,
                    from: version(2),
                    to: version(1),
                },
                "older_than_target",
                "the context graph goes back from version 2 to version 1",
            ),
            (
                Warning::UnknownInteraction("engage-usr".to_owned()),
                "unknown_interaction",
                "no known prompt uses the interaction `engage-usr`",
            ),
            (
                Warning::RetiringModel {
                    interaction: "decide".to_owned(),
                    model: "m".to_owned(),
                },
                "retiring_model",
                "model `m`, preferred for `decide`, retires within 30 days",
            ),
            (
                Warning::UnconventionalName("7".to_owned()),
                "unconventional_name",
                "`7` is off the naming convention",
            ),
            (
                Warning::Tolerated(refusal),
                "deprecated",
                "agent 0123456789abcdef01234567 is deprecated",
            ),
        ] {
            let told = Finding::from(&warning);
            assert_eq!((told.code.as_str(), told.message.as_str()), (code, message));
            assert!(told.hint.is_some_and(|hint| !hint.is_empty()), "{code}");
        }
        let long = Finding::from(&Warning::PromptTooLong(LongPrompt { bytes: 11, most: 10 }));
        assert!(long.message.contains("has 11 bytes"), "{}", long.message);
    }
}
