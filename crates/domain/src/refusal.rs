//! Why a change is refused although its request is well-formed.

use std::fmt;

use crate::asset::{AssetId, AssetKind};
use crate::hint::Hint;
use crate::metric::MetricValueKind;
use crate::model::ModelProblem;
use crate::revision::RevisionAction;
use crate::text::shortened;
use crate::version::VersionNumber;
use crate::version_set::SetName;

/// One reason to refuse a change.
///
/// Each has a stable code, a sentence that says what is wrong, and most a hint that says what to do; its text is both.
/// `docs/rules.md` lists the codes that plans use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the messages say what each variant and its fields mean"
)]
pub enum Refusal {
    EdgeIsFixed,
    SetIsPermanent(SetName),
    BadName(String),
    NoSuchVersion {
        asset: AssetId,
        number: i64,
        latest: Option<VersionNumber>,
    },
    AnotherAsset {
        pinned: AssetId,
        bound: AssetId,
    },
    Yanked {
        asset: AssetId,
        number: VersionNumber,
        reason: String,
    },
    NoVersions {
        asset: AssetId,
    },
    Deprecated {
        asset: AssetId,
    },
    NoSuchAsset {
        asset: AssetId,
    },
    Model {
        interaction: String,
        model: String,
        problem: ModelProblem,
    },
    PinLostByRebind {
        set: SetName,
        asset: AssetKind,
        number: VersionNumber,
        latest: Option<VersionNumber>,
    },
    InSet {
        set: SetName,
        reason: Box<Refusal>,
    },
    /// The same of a set whose name and content are not to be told.
    InHiddenSet {
        code: &'static str,
    },
    TooManySets {
        limit: usize,
    },
    AlikeName {
        name: SetName,
        /// Nothing if its spelling is not to be told.
        other: Option<SetName>,
    },
    InUse {
        asset: AssetKind,
        services: String,
    },
    NameTaken {
        /// Nothing if it is not to be told.
        service: Option<String>,
        name: String,
    },
    NoSuchVoice(String),
    UnknownSource {
        source: String,
        revision: Option<i64>,
    },
    Held {
        set: String,
        reason: Option<String>,
    },
    NothingToRollBack(String),
    NoSuchRevision {
        set: String,
        revision: i64,
        latest: i64,
    },
    AcrossBoundary {
        revision: i64,
        boundary: i64,
        action: RevisionAction,
    },
    UndoneRevision {
        revision: i64,
    },
    FloatingHold {
        set: String,
    },
    UsedByUnitTests {
        what: String,
        tests: String,
    },
    UsedByUnitTestSets {
        sets: String,
    },
    CriterionOfAnotherKind {
        criterion: String,
        kind: MetricValueKind,
        metric: String,
        metric_kind: MetricValueKind,
    },
    InactiveService {
        service: String,
    },
    TooManyConversations {
        conversations: u64,
        limit: u64,
    },
    RunInProgress {
        run: String,
    },
    NotOver {
        interactions: u32,
    },
}

fn model_message(interaction: &str, model: &str, problem: &ModelProblem) -> String {
    let place = format!("llm_model_preferences.{}", shortened(interaction));
    let model = shortened(model);
    match problem {
        ModelProblem::Unknown => format!("{place}: there is no model `{model}`"),
        ModelProblem::Retired => format!("{place}: model `{model}` is retired"),
        ModelProblem::Parameters(reasons) => {
            format!("{place}.params: not admitted by the schema of `{model}`: {reasons}")
        }
    }
}

impl Refusal {
    /// Returns a stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EdgeIsFixed => "edge_is_fixed",
            Self::SetIsPermanent(_) => "set_is_permanent",
            Self::BadName(_) => "bad_name",
            Self::NoSuchVersion { .. } => "no_such_version",
            Self::AnotherAsset { .. } => "another_asset",
            Self::Yanked { .. } => "yanked_version",
            Self::NoVersions { .. } => "no_versions",
            Self::Deprecated { .. } => "deprecated",
            Self::NoSuchAsset { .. } => "no_such_asset",
            Self::Model { problem, .. } => match problem {
                ModelProblem::Unknown => "unknown_model",
                ModelProblem::Retired => "retired_model",
                ModelProblem::Parameters(_) => "model_parameters",
            },
            Self::PinLostByRebind { .. } => "pin_lost_by_rebind",
            Self::InSet { reason, .. } => reason.code(),
            Self::InHiddenSet { code } => code,
            Self::TooManySets { .. } => "too_many_sets",
            Self::AlikeName { .. } => "alike_name",
            Self::InUse { .. } => "in_use",
            Self::NameTaken { .. } => "name_taken",
            Self::NoSuchVoice(_) => "no_such_voice",
            Self::UnknownSource { .. } => "unknown_source",
            Self::Held { .. } => "held",
            Self::NothingToRollBack(_) => "nothing_to_roll_back",
            Self::NoSuchRevision { .. } => "no_such_revision",
            Self::AcrossBoundary { action, .. } => match action {
                RevisionAction::Rebind => "across_rebind",
                _ => "across_deletion",
            },
            Self::UndoneRevision { .. } => "undone_revision",
            Self::FloatingHold { .. } => "floating_hold",
            Self::UsedByUnitTests { .. } => "used_by_unit_tests",
            Self::UsedByUnitTestSets { .. } => "used_by_unit_test_sets",
            Self::CriterionOfAnotherKind { .. } => "criterion_of_another_kind",
            Self::InactiveService { .. } => "inactive_service",
            Self::TooManyConversations { .. } => "too_many_conversations",
            Self::RunInProgress { .. } => "run_in_progress",
            Self::NotOver { .. } => "not_over",
        }
    }

    /// Returns what is wrong, as one sentence without its full stop.
    #[expect(clippy::too_many_lines, reason = "one arm for each reason there is")]
    pub fn message(&self) -> String {
        match self {
            Self::EdgeIsFixed => "`edge` always means the latest versions and cannot be changed".to_owned(),
            Self::SetIsPermanent(set) => format!("`{set}` belongs to every service and cannot be deleted"),
            Self::BadName(name) => format!("`{}` is no name of a version set", shortened(name)),
            Self::NoSuchVersion { asset, number, .. } => {
                format!("{} {asset} has no version {number}", asset.kind())
            }
            Self::AnotherAsset { pinned, bound } => format!(
                "the revision is of {} {pinned}, but the service runs {} {bound} now",
                pinned.kind(),
                bound.kind()
            ),
            Self::Yanked {
                asset,
                number,
                reason,
            } => format!(
                "version {number} of {} {asset} was yanked: {}",
                asset.kind(),
                shortened(reason)
            ),
            Self::NoVersions { asset } => format!("{} {asset} has no versions yet", asset.kind()),
            Self::Deprecated { asset } => format!("{} {asset} is deprecated", asset.kind()),
            Self::NoSuchAsset { asset } => {
                format!("there is no {} {asset} in this organization", asset.kind())
            }
            Self::Model {
                interaction,
                model,
                problem,
            } => model_message(interaction, model, problem),
            Self::PinLostByRebind {
                set,
                asset,
                number,
                latest,
            } => format!(
                "version set `{set}` pins version {number} of the {asset}, which the new one does not have; {}",
                Hint::NewestVersion(*latest)
            ),
            Self::InSet { set, reason } => format!("version set `{set}`: {}", reason.message()),
            Self::InHiddenSet { .. } => "a version set that you may not see stands in the way".to_owned(),
            Self::AlikeName { name, other } => {
                let other = other.as_ref().map_or_else(
                    || "another set of the service".to_owned(),
                    |other| format!("the set `{other}`"),
                );
                format!("the new set `{name}` would differ from {other} only in capitals")
            }
            Self::TooManySets { limit } => format!("a service has at most {limit} version sets"),
            Self::InUse { asset, services } => format!("an active service uses this {asset} ({services})"),
            Self::NameTaken { service, name } => {
                let service = service.as_ref().map_or_else(
                    || "another active service".to_owned(),
                    |id| format!("the active service {id}"),
                );
                format!("{service} is named `{}` already", shortened(name))
            }
            Self::NoSuchVoice(voice) => format!("there is no voice `{}`", shortened(voice)),
            Self::UnknownSource {
                source,
                revision: None,
            } => {
                format!(
                    "the service has no version set `{}` to promote",
                    shortened(source)
                )
            }
            Self::UnknownSource {
                source,
                revision: Some(revision),
            } => {
                format!(
                    "version set `{}` has no revision {revision} that pins anything",
                    shortened(source)
                )
            }
            Self::Held { set, reason: None } => format!("`{set}` is held since it was rolled back"),
            Self::Held {
                set,
                reason: Some(reason),
            } => {
                format!("`{set}` is held since it was rolled back: {}", shortened(reason))
            }
            Self::NothingToRollBack(set) => format!("there is nothing that `{set}` could go back to"),
            Self::NoSuchRevision { set, revision, .. } => format!("`{set}` has no revision {revision}"),
            Self::AcrossBoundary {
                revision,
                boundary,
                action,
            } => {
                let what = match action {
                    RevisionAction::Rebind => "the service got another agent or context graph",
                    _ => "the set was deleted",
                };
                format!("{what} in revision {boundary}, after revision {revision}")
            }
            Self::UndoneRevision { revision } => format!("revision {revision} was undone by a rollback"),
            Self::FloatingHold { set } => {
                format!("`{set}` would be held and float all the same: it would move with every new version")
            }
            Self::UsedByUnitTests { what, tests } => format!("unit tests use {what}: {tests}"),
            Self::UsedByUnitTestSets { sets } => format!("unit test sets run this test: {sets}"),
            Self::CriterionOfAnotherKind {
                criterion,
                kind,
                metric,
                metric_kind,
            } => format!(
                "success criterion `{}` is {kind}, but the values of metric `{}` are {metric_kind}",
                shortened(criterion),
                shortened(metric)
            ),
            Self::InactiveService { service } => format!("service {service} is not active"),
            Self::TooManyConversations { conversations, limit } => {
                format!("the run would hold {conversations} conversations, and one may hold at most {limit}")
            }
            Self::NotOver { interactions } => {
                format!("the conversation was not over after {interactions} interactions")
            }
            Self::RunInProgress { run } => format!("unit test set run {run} is still in progress"),
        }
    }

    /// Returns what to do about it, where more can be said than that.
    pub fn hint(&self) -> Option<Hint> {
        let hint = match self {
            Self::EdgeIsFixed => Hint::UseAnotherSet,
            Self::BadName(_) => Hint::UseLettersAndDigits,
            Self::NoSuchVersion { latest, .. } => Hint::NewestVersion(*latest),
            Self::AnotherAsset { .. } => Hint::PinWhatRuns,
            Self::Yanked { .. } => Hint::PinAnotherOrUnyank,
            Self::NoVersions { .. } => Hint::CreateVersionFirst,
            Self::Deprecated { .. } => Hint::ChooseAnother,
            Self::Model { problem, .. } => match problem {
                ModelProblem::Unknown => Hint::ListModels,
                ModelProblem::Retired => Hint::ChooseAnother,
                ModelProblem::Parameters(_) => return None,
            },
            Self::PinLostByRebind { .. } => Hint::PinExistingOrFloat,
            Self::InSet { reason, .. } => return reason.hint(),
            Self::InHiddenSet { .. } => Hint::AskWhoSeesAllSets,
            Self::TooManySets { .. } => Hint::DeleteSetFirst,
            Self::AlikeName { other, .. } => Hint::DifferInMoreThanCapitals(other.clone()),
            Self::InUse { .. } => Hint::DeactivateOrRebindFirst,
            Self::NameTaken { .. } => Hint::ChooseNameOrDeactivate,
            Self::NoSuchVoice(_) => Hint::ConfiguredVoicesOnly,
            Self::UnknownSource { .. } => Hint::NameSetThatIsThere,
            Self::Held { .. } => Hint::LiftHold,
            Self::NothingToRollBack(_) => Hint::PromoteOrPin,
            Self::NoSuchRevision { latest, .. } => Hint::LatestRevision(*latest),
            Self::AcrossBoundary { .. } => Hint::PromoteOrPinBehindBoundary,
            Self::UndoneRevision { .. } => Hint::ForwardOnPurpose,
            Self::FloatingHold { .. } => Hint::FloatOnPurpose,
            Self::UsedByUnitTests { .. } => Hint::ChangeUnitTestsFirst,
            Self::UsedByUnitTestSets { .. } => Hint::TakeTestOutOfSets,
            Self::CriterionOfAnotherKind { .. } => Hint::ChooseCriterionOfKind,
            Self::InactiveService { .. } => Hint::ActivateFirst,
            Self::RunInProgress { .. } => Hint::AwaitEndOfRun,
            Self::TooManyConversations { .. } => Hint::LowerRunCounts,
            Self::SetIsPermanent(_) | Self::NoSuchAsset { .. } | Self::NotOver { .. } => return None,
        };
        Some(hint)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// How many reasons to refuse one change are told.
pub const MOST_TOLD: usize = 50;

/// All reasons to refuse one change; never empty.
///
/// Its text tells the first ones, and how many there are beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals(Vec<Refusal>);

impl From<Vec<Refusal>> for Refusals {
    fn from(refusals: Vec<Refusal>) -> Self {
        Self(refusals)
    }
}

impl Refusals {
    /// Returns an error unless there are no reasons to refuse.
    pub fn unless_empty(refusals: Vec<Refusal>) -> Result<(), Self> {
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(Self(refusals))
        }
    }

    /// Returns the reasons.
    pub fn as_slice(&self) -> &[Refusal] {
        &self.0
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().take(MOST_TOLD).map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))?;
        match self.0.len().saturating_sub(MOST_TOLD) {
            0 => Ok(()),
            more => write!(f, "; and {more} more reasons"),
        }
    }
}

impl std::error::Error for Refusals {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_many_reasons_tells_fifty_and_how_many_more_there_are() {
        let refusals = |count: usize| {
            let all = (0..count).map(|number| Refusal::NoSuchVoice(number.to_string()));
            Refusals::unless_empty(all.collect()).unwrap_err().to_string()
        };
        assert_eq!(refusals(50).matches("there is no voice").count(), 50);
        assert!(!refusals(50).contains("more reasons"));
        let many = refusals(40_000);
        assert_eq!(many.matches("there is no voice").count(), 50);
        assert!(many.ends_with("; and 39950 more reasons"), "{many}");
    }
}
