//! What is asked of the server to move sets forward and back.

use forge_types::ServiceId;
use serde::Serialize;

/// On which terms sets are promoted or rolled back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PromotionOptions {
    /// Whether holds on what is changed are lifted, or none is left.
    pub lift_hold: bool,
    /// Why.
    pub message: Option<String>,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// The digest of the plan that was looked at.
    pub plan_digest: Option<String>,
}

/// Copies one set onto another.
#[derive(Debug, Serialize)]
pub struct Promote {
    /// The set to copy.
    pub source: String,
    /// Which revision of it, or `None` for the latest.
    pub source_revision: Option<i64>,
    /// Whether floating pins are written as numbers.
    pub freeze: bool,
    /// On which terms.
    #[serde(flatten)]
    pub options: PromotionOptions,
}

/// Restores an earlier revision of a set.
#[derive(Debug, Serialize)]
pub struct Rollback {
    /// The revision to restore, or `None` for the one that was in force before.
    pub to_revision: Option<i64>,
    /// Whether floating pins are written as numbers.
    pub freeze: bool,
    /// On which terms.
    #[serde(flatten)]
    pub options: PromotionOptions,
}

/// One promotion among several.
#[derive(Debug, Serialize)]
pub struct PromotionOfMany {
    /// The service.
    pub service_id: ServiceId,
    /// The set to copy.
    pub source: String,
    /// The set to copy it to.
    pub target: String,
}

/// Promotes in several services at once.
#[derive(Debug, Serialize)]
pub struct Promotions {
    /// The promotions.
    pub promotions: Vec<PromotionOfMany>,
    /// On which terms.
    #[serde(flatten)]
    pub options: PromotionOptions,
}
