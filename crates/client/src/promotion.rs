//! What is asked of the server to move sets forward and back.

use forge_types::ServiceId;
use serde::Serialize;

/// Copies one set onto another.
#[derive(Debug, Serialize)]
pub struct Promote {
    /// The set to copy.
    pub source: String,
    /// Which revision of it, or `None` for the latest.
    pub source_revision: Option<i64>,
    /// Whether floating pins are written as numbers.
    pub freeze: bool,
    /// Whether a hold on the target is lifted.
    pub lift_hold: bool,
    /// Why.
    pub message: Option<String>,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// The digest of the plan that was looked at.
    pub plan_digest: Option<String>,
}

/// Restores an earlier revision of a set.
#[derive(Debug, Serialize)]
pub struct Rollback {
    /// The revision to restore, or `None` for the one that was in force before.
    pub to_revision: Option<i64>,
    /// Whether floating pins are written as numbers.
    pub freeze: bool,
    /// Whether the set is left without a hold.
    pub lift_hold: bool,
    /// Why.
    pub message: Option<String>,
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// The digest of the plan that was looked at.
    pub plan_digest: Option<String>,
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
    /// Whether holds on the targets are lifted.
    pub lift_hold: bool,
    /// Why.
    pub message: Option<String>,
    /// Whether only the plans are wanted.
    pub dry_run: bool,
    /// The digest of the plans that were looked at.
    pub plan_digest: Option<String>,
}
