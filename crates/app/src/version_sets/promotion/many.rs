//! Promotions of several services at once: all or nothing.

use std::collections::HashSet;

use forge_domain::ServiceId;
use forge_domain::fault::Fault;
use forge_domain::plan::{Plan, joint_digest};

use super::Promote;
use super::batch::{Batch, ChangeRequest, SetChange};
use super::change::change;
use super::options::ChangeOptions;
use crate::{AppError, Ctx};

/// One promotion among several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The service.
    pub service_id: ServiceId,
    /// The set to copy.
    pub source: String,
    /// The set to copy it to.
    pub target: String,
}

/// What came of several promotions.
#[derive(Debug, Clone, PartialEq)]
pub struct PromotionsOutcome {
    /// Whether anything was written.
    pub is_applied: bool,
    /// The plans, in the order asked for.
    pub plans: Vec<Plan>,
    /// The digest that fixes all of them.
    pub digest: String,
    /// The organization's change number of the write, if there was one.
    pub change_number: Option<i64>,
}

/// Promotes in several services at once.
///
/// Every plan looks at the state before the call; either all are carried out, in one change, or none is.
pub async fn promote_many(
    ctx: Ctx<'_>,
    promotions: &[Promotion],
    options: &ChangeOptions,
) -> Result<PromotionsOutcome, AppError> {
    refuse_twice(promotions)?;
    let changes = promotions.iter().enumerate();
    let changes = changes.map(|(index, promotion)| set_change(promotion, &promotions[..index]));
    let outcomes = change(ctx, &Batch::Many(changes.collect()), options).await?;
    let change_number = outcomes.iter().find_map(|outcome| outcome.change_number);
    let plans: Vec<Plan> = outcomes.into_iter().map(|outcome| outcome.plan).collect();
    Ok(PromotionsOutcome {
        is_applied: change_number.is_some(),
        digest: joint_digest(&plans),
        plans,
        change_number,
    })
}

/// Returns what a promotion wants.
///
/// The sets that those before it create in its service count for the rules about new ones.
fn set_change(promotion: &Promotion, earlier: &[Promotion]) -> SetChange {
    let beside = earlier
        .iter()
        .filter(|other| other.service_id == promotion.service_id)
        .filter_map(|other| other.target.parse().ok());
    SetChange {
        service: promotion.service_id,
        name: promotion.target.clone(),
        request: ChangeRequest::Promote(Promote {
            source: promotion.source.clone(),
            source_revision: None,
            freeze: true,
        }),
        beside: beside.collect(),
    }
}

/// Refuses to promote into one set twice: only the last could count.
fn refuse_twice(promotions: &[Promotion]) -> Result<(), AppError> {
    let mut seen = HashSet::new();
    let twice = promotions
        .iter()
        .position(|promotion| !seen.insert((promotion.service_id, promotion.target.as_str())));
    let Some(index) = twice else { return Ok(()) };
    let loc = vec!["promotions".into(), index.into(), "target".into()];
    let msg = "the set of this service is a target already; name each one once";
    Err(AppError::Invalid(vec![Fault::new(loc, "duplicate", msg)]))
}
