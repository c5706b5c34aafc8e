//! The one way in which sets are changed: refuse who could change nothing, load and authorise, plan, check what the
//! caller saw before, write.
//!
//! A single change is a batch of one, and a dry run is a call that stops before it writes. Each step has a file beside
//! this one. The answer is remembered outside: under an idempotency key, what is written here becomes durable together
//! with the answer, see `crate::idempotency`.

use forge_domain::plan::Planned;
use forge_store::{Tx, WriteTx};

use super::batch::Batch;
use super::load::{Loaded, load};
use super::options::{ChangeOptions, ChangeOutcome};
use super::planned::PlannedBatch;
use super::planning::plan;
use super::preconditions::check_preconditions;
use super::write::write;
use crate::long_prompts::Looking;
use crate::{AppError, Caller, Ctx};

/// Makes the changes of a batch, all of them or none; or only plans to.
///
/// Every plan looks at the state before the call. Returns the outcome of each change, in their order.
pub(super) async fn change(
    ctx: Ctx<'_>,
    batch: &Batch,
    options: &ChangeOptions,
) -> Result<Vec<ChangeOutcome>, AppError> {
    batch.require_any_grant(ctx.caller)?;
    if options.is_dry_run {
        let planned = plan_in_read(ctx, batch, options).await?;
        return Ok(planned.unwritten());
    }
    let (mut tx, planned) = plan_in_write(ctx, batch, options).await?;
    check_preconditions(&mut tx, ctx.caller, &planned, options).await?;
    let planned = planned.require_unblocked()?;
    if planned.is_no_op() {
        return Ok(planned.unwritten());
    }
    let outcomes = carry_out(&mut tx, ctx.caller, planned, options.message.as_deref()).await?;
    tx.commit().await?;
    Ok(outcomes)
}

/// Plans a batch as of now, without keeping anybody from writing.
async fn plan_in_read(
    ctx: Ctx<'_>,
    batch: &Batch,
    options: &ChangeOptions,
) -> Result<PlannedBatch, AppError> {
    let mut tx = ctx.app.store.read().await?;
    let loaded = load_all(&mut tx, ctx.caller, batch, options).await?;
    let planned = plan_all(ctx, &mut tx, batch, loaded, &Looking::reading()).await?;
    check_preconditions(&mut tx, ctx.caller, &planned, options).await?;
    Ok(planned)
}

/// Plans a batch in the transaction that is to write it.
///
/// Others wait for who writes, and need not wait for what takes long: a large batch is planned before, and large versions
/// are read before.
async fn plan_in_write(
    ctx: Ctx<'_>,
    batch: &Batch,
    options: &ChangeOptions,
) -> Result<(WriteTx, PlannedBatch), AppError> {
    let mut foreseen = None;
    if batch.is_large() {
        let planned = plan_in_read(ctx, batch, options).await?;
        foreseen = Some(planned.require_unblocked()?);
    }
    let mut is_second = false;
    loop {
        let looking = Looking::writing();
        let mut tx = ctx.app.write(ctx.caller).await?;
        let loaded = load_all(&mut tx, ctx.caller, batch, options).await?;
        let planned = match foreseen.take() {
            // What was foreseen holds if nothing that it was planned on has changed.
            Some(foreseen) if foreseen.loaded == loaded => foreseen,
            _ => plan_all(ctx, &mut tx, batch, loaded, &looking).await?,
        };
        if is_second || !looking.has_put_off() {
            return Ok((tx, planned));
        }
        drop(tx);
        looking.catch_up(ctx.app).await?;
        is_second = true;
    }
}

/// Reads what the plans look at, and authorises the caller for each change.
async fn load_all(
    tx: &mut Tx,
    caller: &Caller,
    batch: &Batch,
    options: &ChangeOptions,
) -> Result<Vec<Loaded>, AppError> {
    let mut all = Vec::new();
    for change in batch.changes() {
        all.push(load(tx, caller, change, options.lift_hold).await?);
    }
    Ok(all)
}

/// Plans the changes of a batch by what was loaded for them.
async fn plan_all(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    batch: &Batch,
    loaded: Vec<Loaded>,
    looking: &Looking,
) -> Result<PlannedBatch, AppError> {
    let (mut kept, mut effects, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for loaded in loaded {
        let (loaded, planned) = plan(ctx, tx, loaded, looking).await?;
        kept.push(loaded);
        effects.push(planned.effect);
        plans.push(planned.plan);
    }
    Ok(PlannedBatch {
        loaded: kept,
        effects,
        plans: batch.plans(plans),
    })
}

/// Writes the effects of plans that nothing stands against; where everything is so already, nothing.
async fn carry_out(
    tx: &mut WriteTx,
    caller: &Caller,
    planned: PlannedBatch,
    message: Option<&str>,
) -> Result<Vec<ChangeOutcome>, AppError> {
    let mut outcomes = Vec::new();
    let changes = planned.loaded.iter().zip(planned.effects);
    for ((loaded, effect), plan) in changes.zip(planned.plans.into_plans_of_sets()) {
        let is_applied = !plan.is_no_op;
        let planned = Planned { plan, effect };
        let revision = if is_applied {
            Some(write(tx, caller, loaded, &planned, message).await?)
        } else {
            loaded.live_revision()
        };
        outcomes.push(ChangeOutcome {
            is_applied,
            revision,
            plan: planned.plan,
            change_number: is_applied.then(|| tx.change_number()),
        });
    }
    Ok(outcomes)
}
