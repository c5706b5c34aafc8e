//! What to do about a reason that stands against a change.

use std::fmt;

use crate::version::VersionNumber;
use crate::version_set::SetName;

/// One piece of advice.
///
/// Its text is what the API says, to programs that call it. Who talks to people otherwise words those that name something of
/// the API, such as [`Hint::LiftHold`], in terms of what they see.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the texts say what each variant means")]
pub enum Hint {
    ActivateFirst,
    AskWhoSeesAllSets,
    AwaitEndOfRun,
    ChangeUnitTestsFirst,
    CheckSpellingOfInteraction,
    ChooseAnother,
    ChooseCriterionOfKind,
    ChooseModelThatStays,
    ChooseNameOrDeactivate,
    ConfiguredVoicesOnly,
    CreateVersionFirst,
    DeactivateOrRebindFirst,
    DeleteSetFirst,
    /// Of a set whose name differs from this one in capitals only; `None` if its spelling is not to be told.
    DifferInMoreThanCapitals(Option<SetName>),
    FloatOnPurpose,
    FollowConvention,
    ForwardOnPurpose,
    Freeze,
    LatestRevision(i64),
    LiftHold,
    ListModels,
    LowerRunCounts,
    NameSetThatIsThere,
    NewestVersion(Option<VersionNumber>),
    PinAnotherOrUnyank,
    PinExistingOrFloat,
    PinNumbersOrFreeze,
    PinWhatRuns,
    PreviewFirst,
    PromoteOrPin,
    PromoteOrPinBehindBoundary,
    RollBackInstead,
    SayLess,
    ShareFirst,
    TakeTestOutOfSets,
    UseAnotherSet,
    UseLettersAndDigits,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActivateFirst => "activate it first",
            Self::AskWhoSeesAllSets => "ask somebody who may see every set of the service",
            Self::AwaitEndOfRun => "its artifacts are there when it has ended",
            Self::ChangeUnitTestsFirst => "change or delete those unit tests first",
            Self::CheckSpellingOfInteraction => {
                "check the spelling; a preference for it changes nothing of Forge's own prompts"
            }
            Self::ChooseAnother => "choose another one",
            Self::ChooseCriterionOfKind => "choose a criterion of the metric's kind, or another metric",
            Self::ChooseModelThatStays => "choose a model that stays",
            Self::ChooseNameOrDeactivate => "choose another name, or deactivate that one first",
            Self::ConfiguredVoicesOnly => "this installation admits only the voices of its configuration",
            Self::CreateVersionFirst => "create one first",
            Self::DeactivateOrRebindFirst => "deactivate or rebind it first",
            Self::DeleteSetFirst => "delete one first",
            Self::DifferInMoreThanCapitals(None) => "choose a name that differs in more than capitals",
            Self::DifferInMoreThanCapitals(Some(other)) => {
                return write!(
                    f,
                    "use `{other}`, or choose a name that differs in more than capitals"
                );
            }
            Self::FloatOnPurpose => {
                "leave freeze on to write the numbers, or pass lift_hold=true to let it float without a hold"
            }
            Self::FollowConvention => {
                "the convention is edge, release, preview, test and personal-NAME in small letters"
            }
            Self::ForwardOnPurpose => "pass lift_hold=true to go forward to it on purpose",
            Self::Freeze => "leave freeze on to write the numbers",
            Self::LatestRevision(latest) => return write!(f, "its latest revision is {latest}"),
            Self::LiftHold => "lift the hold first, or pass lift_hold=true",
            Self::ListModels => "admin/get_models lists those there are",
            Self::LowerRunCounts => "lower the run counts of the set or of its tests",
            Self::NameSetThatIsThere => "name a set, and a revision of it, that is there",
            Self::NewestVersion(Some(latest)) => return write!(f, "its newest version is {latest}"),
            Self::NewestVersion(None) => "it has no versions yet",
            Self::PinAnotherOrUnyank => "pin another version, or take the yank back",
            Self::PinExistingOrFloat => {
                "pin a version that exists in both, or let the set float, and try again"
            }
            Self::PinNumbersOrFreeze => "pin numbers, or promote with freeze",
            Self::PinWhatRuns => "pin versions of what the service runs now",
            Self::PreviewFirst => "promote to `preview` first and look at it there",
            Self::PromoteOrPin => "promote or pin the versions that are wanted",
            Self::PromoteOrPinBehindBoundary => {
                "a rollback does not go behind that; promote or pin the versions that are wanted"
            }
            Self::RollBackInstead => "if that is meant, a rollback says so in the history",
            Self::SayLess => {
                "say less in the agent or in the state, or let the server's operator raise `runtime.max_prompt_bytes`"
            }
            Self::ShareFirst => "share it in `test`, then in `preview`",
            Self::TakeTestOutOfSets => "take the test out of those sets first",
            Self::UseAnotherSet => "use another version set",
            Self::UseLettersAndDigits => "use 1 to 40 letters, digits, `_` and `-`",
        })
    }
}
