//! Creating a run.

use forge_domain::access::Permission;
use forge_domain::metric::Metric;
use forge_domain::simulation::{
    CreateRun, MetricToJudge, NewRun, PersonaDetails, RunSpec, ScenarioDetails, SuccessCriterion, UnitTest,
    UnitTestEntry, UnitTestSet, check_size,
};
use forge_domain::version_set::ResolvedPins;
use forge_domain::{Refusal, UnitTestSetRunId};
use forge_store::Tx;

use crate::services::lookup::find_binding;
use crate::simulations::unit_tests::{authorize_parts, find_metrics, find_target};
use crate::{AppError, Caller, Ctx, items};

/// Creates a run of a set of unit tests.
///
/// What the version sets mean now, and the latest versions of personas, scenarios and metrics are what it runs,
/// whatever becomes of them meanwhile.
///
/// Whoever wrote the tests, and whoever put them into the set: the caller must be allowed to read each test, to talk to the
/// version set that it is to try, and to read its persona, its scenario and its metrics.
pub async fn create(ctx: Ctx<'_>, new: &CreateRun) -> Result<UnitTestSetRunId, AppError> {
    const PERMISSION: Permission = Permission::CreateUnitTestSetRun;
    ctx.caller.require_any_grant(PERMISSION)?;
    authorize_parts(ctx.caller)?;
    let mut tx = ctx.read(Permission::GetUnitTest).await?;
    let set: UnitTestSet = ctx
        .caller
        .fetch(&mut tx, PERMISSION, &new.unit_test_set_id)
        .await?;
    let mut specs = Vec::new();
    for entry in &set.fields.unit_test_runs {
        specs.push(specification(&mut tx, ctx.caller, new, *entry).await?);
    }
    drop(tx);
    if let Some(refusal) = check_size(&specs) {
        return Err(refusal.into());
    }
    let id = ctx.app.new_id()?;
    let run = NewRun {
        id,
        unit_test_set_id: set.id,
        unit_test_set_name: &set.fields.name,
        specs: &specs,
        creator: &ctx.caller.user,
        created_at: ctx.app.clock.now(),
    };
    let mut tx = ctx.app.write_run(ctx.caller).await?;
    let seq = tx.next_unit_test_set_run().await?;
    let unfinished = tx
        .find_unfinished_run(&ctx.caller.organization, set.id, &ctx.caller.user)
        .await?;
    if let Some(unfinished) = unfinished {
        return Err(AppError::Conflict(format!(
            "your run {unfinished} of this unit test set has not ended; wait for it, or cancel it"
        )));
    }
    tx.insert_unit_test_set_run(seq, &run).await?;
    tx.commit().await?;
    Ok(id)
}

/// Fixes everything that one test of a set depends on.
async fn specification(
    tx: &mut Tx,
    caller: &Caller,
    new: &CreateRun,
    entry: UnitTestEntry,
) -> Result<RunSpec, AppError> {
    let needed = Permission::GetUnitTest;
    let test: UnitTest = caller.fetch_named(tx, needed, &entry.unit_test_id).await?;
    let fields = test.fields;
    let service_id = new.service_id.unwrap_or(fields.service_id);
    let name = new.version_set_name.as_deref();
    let name = name.unwrap_or(fields.version_set_name.as_str());
    let (service, version_set) = find_target(tx, caller, service_id, name).await?;
    if !service.is_active {
        let service = service.id.to_string();
        return Err(Refusal::InactiveService { service }.into());
    }
    let binding = find_binding(tx, caller, &service).await?;
    let ResolvedPins {
        agent_version: Some(agent_version),
        context_graph_version: Some(context_graph_version),
    } = version_set.pins.resolve(&binding)
    else {
        return Err(AppError::internal(format!(
            "service {} runs on something without versions",
            service.id
        )));
    };
    let (persona, scenario) = (fields.persona_id, fields.scenario_id);
    let persona_version = items::find_named::<PersonaDetails>(tx, caller, persona)
        .await?
        .latest_version;
    let scenario_version = items::find_named::<ScenarioDetails>(tx, caller, scenario)
        .await?
        .latest_version;
    let metrics = find_metrics(tx, caller, &fields).await?;
    let judge = |(criterion, metric): (&SuccessCriterion, Metric)| MetricToJudge {
        name: criterion.name.clone(),
        metric_id: criterion.metric_id,
        metric_version: metric.latest_version,
        criterion: criterion.criterion.clone(),
    };
    Ok(RunSpec {
        unit_test_id: test.id,
        run_count: entry.run_count.saturating_mul(fields.run_count),
        service_id: service.id,
        revision: version_set.revision,
        agent: (service.agent_id, agent_version),
        context_graph: (service.context_graph_id, context_graph_version),
        llm_model_preferences: version_set.pins.model_preferences,
        persona: (persona, persona_version),
        scenario: (scenario, scenario_version),
        max_interactions: fields.max_interactions,
        metrics: fields.success_criterions.iter().zip(metrics).map(judge).collect(),
        unit_test_name: fields.name,
        version_set_name: version_set.name,
    })
}
