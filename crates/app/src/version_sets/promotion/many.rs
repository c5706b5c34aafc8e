//! Promotions of several services at once: all or nothing.

use std::collections::HashSet;

use forge_domain::ServiceId;
use forge_domain::fault::Fault;
use forge_domain::plan::{Plan, joint_digest};
use forge_domain::size::is_within;
use forge_store::WriteTx;
use serde::{Deserialize, Serialize};

use super::Promote;
use super::change::{ChangeRequest, Conditions, Prepared, prepare, write};
use super::options::{ChangeOptions, Plans};
use crate::long_prompts::Looking;
use crate::{AppError, Caller, Ctx};

/// How large the plans of one call may be together, in bytes of JSON.
const MOST_BYTES: u64 = 1024 * 1024;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    if options.is_dry_run {
        let mut tx = ctx.app.store.read().await?;
        let (looking, mut plans) = (Looking::reading(), Vec::new());
        for (index, promotion) in promotions.iter().enumerate() {
            let request = request(promotion, &promotions[..index]);
            let conditions = Conditions {
                lift_hold: options.lift_hold,
                now: ctx.app.clock.now(),
                is_writing: false,
                looking: &looking,
            };
            request.require_any_grant(ctx.caller)?;
            let (id, target) = (promotion.service_id, promotion.target.as_str());
            let prepared = prepare(ctx, &mut tx, id, target, &request, conditions).await?;
            plans.push(prepared.planned.plan);
        }
        refuse_large(&plans)?;
        let digest = check_digest(&plans, options)?;
        return Ok(PromotionsOutcome {
            is_applied: false,
            plans,
            digest,
            change_number: None,
        });
    }
    if let Some(first) = promotions.first() {
        // All of them ask for the same permissions.
        request(first, &[]).require_any_grant(ctx.caller)?;
    }
    let mut is_second = false;
    loop {
        let looking = Looking::writing();
        let mut tx = ctx.app.write(ctx.caller).await?;
        let all = prepare_all(ctx, &mut tx, (promotions, options), &looking).await?;
        // Others wait for who writes, and need not wait for large versions to be read.
        if !is_second && looking.has_put_off() {
            drop(tx);
            looking.catch_up(ctx.app).await?;
            is_second = true;
            continue;
        }
        let outcome = carry_out(&mut tx, ctx.caller, &all, options).await?;
        if outcome.is_applied {
            tx.commit().await?;
        }
        return Ok(outcome);
    }
}

async fn prepare_all(
    ctx: Ctx<'_>,
    tx: &mut WriteTx,
    (promotions, options): (&[Promotion], &ChangeOptions),
    looking: &Looking,
) -> Result<Vec<Prepared>, AppError> {
    let mut all = Vec::new();
    for (index, promotion) in promotions.iter().enumerate() {
        let request = request(promotion, &promotions[..index]);
        let conditions = Conditions {
            lift_hold: options.lift_hold,
            now: ctx.app.clock.now(),
            is_writing: true,
            looking,
        };
        request.require_any_grant(ctx.caller)?;
        let (id, target) = (promotion.service_id, promotion.target.as_str());
        all.push(prepare(ctx, tx, id, target, &request, conditions).await?);
    }
    Ok(all)
}

async fn carry_out(
    tx: &mut WriteTx,
    caller: &Caller,
    all: &[Prepared],
    options: &ChangeOptions,
) -> Result<PromotionsOutcome, AppError> {
    let plans: Vec<Plan> = all.iter().map(|prepared| prepared.planned.plan.clone()).collect();
    refuse_large(&plans)?;
    let digest = check_digest(&plans, options)?;
    if plans.iter().any(Plan::is_blocked) {
        return Err(AppError::Blocked(Plans::Many(plans)));
    }
    let mut is_applied = false;
    for prepared in all.iter().filter(|prepared| !prepared.planned.plan.is_no_op) {
        write(tx, caller, prepared, options.message.as_deref()).await?;
        is_applied = true;
    }
    let change_number = is_applied.then(|| tx.change_number());
    Ok(PromotionsOutcome {
        is_applied,
        plans,
        digest,
        change_number,
    })
}

/// Returns what a promotion wants.
///
/// The sets that those before it create in its service count for the rules about new ones.
fn request(promotion: &Promotion, earlier: &[Promotion]) -> ChangeRequest {
    let beside = earlier
        .iter()
        .filter(|other| other.service_id == promotion.service_id)
        .filter_map(|other| other.target.parse().ok());
    ChangeRequest::Promote(Promote {
        beside: beside.collect(),
        source: promotion.source.clone(),
        source_revision: None,
        freeze: true,
    })
}

fn check_digest(plans: &[Plan], options: &ChangeOptions) -> Result<String, AppError> {
    let digest = joint_digest(plans);
    if options.plan_digest.as_ref().is_some_and(|seen| *seen != digest) {
        return Err(AppError::PlanMoved(Plans::Many(plans.to_vec())));
    }
    Ok(digest)
}

/// Refuses plans that are too large to be told together.
fn refuse_large(plans: &[Plan]) -> Result<(), AppError> {
    if is_within(&plans, MOST_BYTES) {
        return Ok(());
    }
    let msg = format!(
        "the plans of this call take more than {MOST_BYTES} bytes together; promote fewer services at once, or each set \
         by itself"
    );
    let loc = vec!["promotions".into()];
    Err(AppError::Invalid(vec![Fault::new(loc, "too_long", msg)]))
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
