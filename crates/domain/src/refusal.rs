//! Why a change is refused although its request is well-formed.

use std::fmt;

use serde::Serialize;

use crate::model::ModelProblem;
use crate::text::shortened;
use crate::version::VersionNumber;
use crate::version_set::SetName;

/// What a version set pins: one of the two versioned things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// An agent.
    Agent,
    /// A context graph.
    ContextGraph,
}

impl fmt::Display for AssetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::ContextGraph => "context graph",
        })
    }
}

/// One reason to refuse a change. Its text says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say what each variant and its fields mean")]
pub enum Refusal {
    #[error("`edge` always means the latest versions and cannot be changed; use another version set")]
    EdgeIsFixed,
    #[error("`{0}` belongs to every service and cannot be deleted")]
    SetIsPermanent(SetName),
    #[error("{asset} {id} has no version {number}; {}", newest(*.latest))]
    NoSuchVersion {
        asset: AssetKind,
        id: String,
        number: i64,
        latest: Option<VersionNumber>,
    },
    #[error("{asset} {id} has no versions yet; create one first")]
    NoVersions { asset: AssetKind, id: String },
    #[error("{asset} {id} is deprecated; choose another one")]
    Deprecated { asset: AssetKind, id: String },
    #[error("there is no {asset} {id} in this organization")]
    NoSuchAsset { asset: AssetKind, id: String },
    #[error("{}", model_text(interaction, model, problem))]
    Model {
        interaction: String,
        model: String,
        problem: ModelProblem,
    },
    #[error(
        "version set `{set}` pins version {number} of the {asset}, which the new one does not have; {}; \
         pin a version that exists in both, or let the set float, and try again",
        newest(*.latest)
    )]
    PinLostByRebind {
        set: SetName,
        asset: AssetKind,
        number: VersionNumber,
        latest: Option<VersionNumber>,
    },
    #[error("version set `{set}`: {reason}")]
    InSet { set: SetName, reason: Box<Refusal> },
    #[error("a service has at most {limit} version sets; delete one first")]
    TooManySets { limit: usize },
    #[error("an active service uses this {asset} ({services}); deactivate or rebind it first")]
    InUse { asset: AssetKind, services: String },
    #[error("there is no voice `{0}`; this installation admits only the voices of its configuration")]
    NoSuchVoice(String),
}

fn newest(latest: Option<VersionNumber>) -> String {
    match latest {
        Some(latest) => format!("its newest version is {latest}"),
        None => "it has no versions yet".to_owned(),
    }
}

fn model_text(interaction: &str, model: &str, problem: &ModelProblem) -> String {
    let place = format!("llm_model_preferences.{}", shortened(interaction));
    let model = shortened(model);
    match problem {
        ModelProblem::Unknown => {
            format!("{place}: there is no model `{model}`; admin/get_models lists those there are")
        }
        ModelProblem::Retired => format!("{place}: model `{model}` is retired; choose another one"),
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
            Self::NoSuchVersion { .. } => "no_such_version",
            Self::NoVersions { .. } => "no_versions",
            Self::Deprecated { .. } => "deprecated",
            Self::NoSuchAsset { .. } => "no_such_asset",
            Self::Model {
                problem: ModelProblem::Unknown,
                ..
            } => "unknown_model",
            Self::Model {
                problem: ModelProblem::Retired,
                ..
            } => "retired_model",
            Self::Model {
                problem: ModelProblem::Parameters(_),
                ..
            } => "model_parameters",
            Self::PinLostByRebind { .. } => "pin_lost_by_rebind",
            Self::InSet { reason, .. } => reason.code(),
            Self::TooManySets { .. } => "too_many_sets",
            Self::InUse { .. } => "in_use",
            Self::NoSuchVoice(_) => "no_such_voice",
        }
    }
}

/// All reasons to refuse one change; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals(Vec<Refusal>);

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
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for Refusals {}
