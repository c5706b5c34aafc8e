//! Planning by what was loaded, on a thread of its own where that takes long.

use std::sync::Arc;

use forge_domain::Timestamp;
use forge_domain::plan::{self, Change, PlanInput, Planned};
use forge_domain::prompt::LongPrompt;

use super::batch::are_large;
use super::load::Loaded;
use crate::long_prompts::{self, Looking, PromptsOf};
use crate::{App, AppError, Catalogues, Ctx, Tx, aside};

/// Plans a change, and returns with the plan what it was made of.
pub(super) async fn plan(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    loaded: Loaded,
    looking: &Looking,
) -> Result<(Loaded, Planned), AppError> {
    let (loaded, planned) = plan_with(ctx.app, loaded, None, looking).await;
    // What the set would mean is known only now.
    if let Some(resolved) = planned.plan.resolved {
        let of = PromptsOf {
            organization: &ctx.caller.organization,
            service: &loaded.service,
            resolved,
        };
        if let Some(found) = long_prompts::look_for(ctx.app, tx, of, looking).await? {
            return Ok(plan_with(ctx.app, loaded, Some(found), looking).await);
        }
    }
    Ok((loaded, planned))
}

async fn plan_with(
    app: &App,
    loaded: Loaded,
    long_prompt: Option<LongPrompt>,
    looking: &Looking,
) -> (Loaded, Planned) {
    let (size, catalogues, now) = (size(&loaded), Arc::clone(&app.catalogues), app.clock.now());
    let work = move || {
        let input = input(&loaded, &catalogues, long_prompt, now);
        let planned = plan::plan(&input, loaded.change.clone(), loaded.lift_hold);
        (loaded, planned)
    };
    if looking.is_writing() {
        aside::run_first(size, work).await
    } else {
        aside::run(size, work).await
    }
}

fn input<'a>(
    loaded: &'a Loaded,
    catalogues: &'a Catalogues,
    long_prompt: Option<LongPrompt>,
    now: Timestamp,
) -> PlanInput<'a> {
    PlanInput {
        service_id: loaded.service.id,
        service_name: &loaded.service.name,
        binding: &loaded.binding,
        yanked: &loaded.yanked,
        name: &loaded.name,
        target: loaded.target.as_ref(),
        sets: &loaded.sets,
        hidden_sets: &loaded.hidden_sets,
        unit_tests: &loaded.unit_tests,
        models: &catalogues.models,
        long_prompt,
        now,
    }
}

/// Returns how large what is planned is, as far as that tells whether it takes long.
fn size(loaded: &Loaded) -> usize {
    let old = loaded.set.as_ref().map(|set| &set.pins.model_preferences);
    let new = match &loaded.change {
        Change::Upsert(requested) => Some(&requested.llm_model_preferences),
        Change::Promote {
            content: Some(content),
            ..
        }
        | Change::Rollback {
            restored: Ok(content),
            ..
        } => Some(&content.pins.model_preferences),
        _ => None,
    };
    if old.into_iter().chain(new).any(are_large) {
        usize::MAX
    } else {
        0
    }
}
