//! Creating a run.

use forge_domain::access::Permission;
use forge_domain::item::ItemKind;
use forge_domain::simulation::{MetricToJudge, RunSpec, UnitTestEntry, UnitTestFields, check_size};
use forge_domain::version_set::Resolved;
use forge_domain::{OrganizationId, Refusal, ServiceId, UnitTestSetId, UnitTestSetRunId};
use forge_store::{NewRun, Tx};

use crate::services::{find as find_service, find_binding};
use crate::unit_test_sets::{attributes, find as find_set};
use crate::version_sets::{set_attributes, unknown};
use crate::{App, AppError, Caller, items, unit_tests};

/// A run that is to be created.
#[derive(Debug, Clone)]
pub struct CreateRun {
    /// The set of unit tests.
    pub unit_test_set_id: UnitTestSetId,
    /// The service to talk to, instead of the tests' own.
    pub service_id: Option<ServiceId>,
    /// The version set to try, instead of the tests' own; whatever the caller wrote.
    pub version_set_name: Option<String>,
}

impl CreateRun {
    fn has_other_target(&self) -> bool {
        self.service_id.is_some() || self.version_set_name.is_some()
    }
}

/// Creates a run of a set of unit tests. What the version sets mean now, and the latest versions of personas, scenarios
/// and metrics are what it runs, whatever becomes of them meanwhile.
pub async fn create(app: &App, caller: &Caller, new: &CreateRun) -> Result<UnitTestSetRunId, AppError> {
    caller.authorize_some(Permission::CreateUnitTestSetRun)?;
    let mut tx = app.store.read().await?;
    let set = find_set(&mut tx, caller, new.unit_test_set_id).await?;
    caller.authorize(Permission::CreateUnitTestSetRun, &attributes(&set))?;
    let mut specs = Vec::new();
    for entry in &set.fields.unit_test_runs {
        specs.push(specification(&mut tx, caller, new, *entry).await?);
    }
    drop(tx);
    if let Some(refusal) = check_size(&specs) {
        return Err(refusal.into());
    }
    let id = app.new_id()?;
    let run = NewRun {
        id,
        unit_test_set_id: set.id,
        unit_test_set_name: &set.fields.name,
        specs: &specs,
        creator: &caller.user,
        created_at: app.clock.now(),
    };
    let mut tx = app.store.write_run(&caller.organization).await?;
    if let Err(unfinished) = tx.insert_unit_test_set_run(&run).await? {
        return Err(AppError::Conflict(format!(
            "your run {unfinished} of this unit test set has not ended; wait for it, or cancel it"
        )));
    }
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
    let organization = &caller.organization;
    let test = unit_tests::find(tx, caller, entry.unit_test_id).await?;
    let fields = test.fields;
    let service = find_service(tx, caller, new.service_id.unwrap_or(fields.service_id)).await?;
    let name = match &new.version_set_name {
        Some(name) => name.parse().map_err(|_| unknown(name))?,
        None => fields.version_set_name.clone(),
    };
    if new.has_other_target() {
        // The tests say what may be talked to; whoever chooses something else has to be allowed to talk to it.
        caller.authorize(Permission::CreateConversation, &set_attributes(&service, &name))?;
    }
    if !service.is_active {
        let service = service.id.to_string();
        return Err(Refusal::InactiveService { service }.into());
    }
    let version_set = tx.find_set(organization, service.id, &name).await?;
    let version_set = version_set
        .filter(|set| !set.is_deleted)
        .ok_or_else(|| unknown(name.as_str()))?;
    let binding = find_binding(tx, caller, &service).await?;
    let Resolved {
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
    let persona_version = latest(tx, organization, ItemKind::Persona, persona.to_string()).await?;
    let scenario_version = latest(tx, organization, ItemKind::Scenario, scenario.to_string()).await?;
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
        metrics: metrics(tx, organization, &fields).await?,
        unit_test_name: fields.name,
        version_set_name: name,
    })
}

async fn latest(
    tx: &mut Tx,
    organization: &OrganizationId,
    kind: ItemKind,
    id: String,
) -> Result<forge_domain::VersionNumber, AppError> {
    Ok(items::find_live(tx, organization, kind, &id)
        .await?
        .latest_version)
}

async fn metrics(
    tx: &mut Tx,
    organization: &OrganizationId,
    fields: &UnitTestFields,
) -> Result<Vec<MetricToJudge>, AppError> {
    let mut metrics = Vec::new();
    for criterion in &fields.success_criterions {
        let id = criterion.metric_id.to_string();
        metrics.push(MetricToJudge {
            name: criterion.name.clone(),
            metric_id: criterion.metric_id,
            metric_version: latest(tx, organization, ItemKind::Metric, id).await?,
            criterion: criterion.criterion.clone(),
        });
    }
    Ok(metrics)
}
