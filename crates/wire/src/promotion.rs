//! Promotions, rollbacks and the history of version sets.

use forge_domain::plan::{self, Plan};
use forge_domain::revision::RevisionAction;
use forge_domain::version_set::ResolvedPins;
use forge_domain::{Actor, AgentId, ContextGraphId, Pins, ServiceId};
use serde::{Deserialize, Serialize};

use crate::version_sets::Source;

/// The options of a change, as a body or a query states them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Options {
    /// Whether holds on what is changed are lifted, or none is left.
    #[serde(default)]
    pub lift_hold: bool,
    /// Why.
    #[serde(default)]
    pub message: Option<String>,
    /// Whether only the plan is wanted.
    #[serde(default)]
    pub dry_run: bool,
    /// The digest of the plan that the caller saw, or of the plans.
    #[serde(default)]
    pub plan_digest: Option<String>,
}

/// The body that promotes one set onto another.
#[derive(Debug, Deserialize)]
pub struct Promote {
    /// What is to be copied.
    #[serde(flatten)]
    pub promote: plan::Promote,
    /// On which options.
    #[serde(flatten)]
    pub options: Options,
}

/// The body that rolls a set back; every field may be absent, and the body too.
#[derive(Debug, Deserialize)]
pub struct Rollback {
    /// What is to be restored.
    #[serde(flatten)]
    pub rollback: plan::Rollback,
    /// On which options.
    #[serde(flatten)]
    pub options: Options,
}

/// The answer of a promotion and of a rollback.
#[derive(Debug, Serialize)]
pub struct PromotionAnswer<'a> {
    /// Whether something was written.
    pub applied: bool,
    /// The set's latest revision afterwards; null where it would be created.
    pub revision: Option<i64>,
    /// The plan.
    pub plan: &'a Plan,
}

/// One promotion among several.
#[derive(Debug, Deserialize)]
pub struct PromotionOfMany {
    /// The service.
    pub service_id: ServiceId,
    /// The set to copy.
    pub source: String,
    /// The set to copy it to.
    pub target: String,
}

/// The body that promotes in several services at once.
#[derive(Debug, Deserialize)]
pub struct Promotions {
    /// The promotions.
    pub promotions: Vec<PromotionOfMany>,
    /// On which options.
    #[serde(flatten)]
    pub options: Options,
}

/// The answer of several promotions.
#[derive(Debug, Serialize)]
pub struct PromotionsAnswer<'a> {
    /// Whether anything was written.
    pub applied: bool,
    /// The plans, in the order asked for.
    pub plans: &'a [Plan],
    /// The digest that fixes all of them.
    pub digest: &'a str,
}

/// What a revision pinned; null if it deleted the set.
#[derive(Debug, Serialize)]
pub struct RevisionPins<'r> {
    /// Its number.
    pub revision: i64,
    /// What it pinned.
    pub pins: Option<&'r Pins>,
    /// The versions that this meant at the time.
    pub resolved: ResolvedPins,
}

/// One entry of a set's history.
#[derive(Debug, Serialize)]
pub struct RevisionInstance<'r> {
    /// Its number, what it pinned, and what that meant.
    #[serde(flatten)]
    pub after: RevisionPins<'r>,
    /// What happened.
    pub action: RevisionAction,
    /// The revision that it replaced.
    pub previous: Option<RevisionPins<'r>>,
    /// The service's agent at the time.
    pub agent_id: AgentId,
    /// The service's context graph at the time.
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
    /// The set and revision that the pins were copied from.
    pub source: Option<Source>,
    /// The revision that was restored.
    pub restored_revision: Option<i64>,
    /// Who did it.
    pub actor: &'r Actor,
    /// Why.
    pub message: Option<&'r str>,
    /// The organization's change number of the write.
    pub change_number: i64,
    /// When.
    pub created_at: String,
}
