//! Creating, changing and deleting unit tests.

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::simulation::{
    CreateUnitTest, PersonaDetails, ScenarioDetails, UnitTest, UnitTestFields, UnitTestSet, UpdateUnitTest,
    named,
};
use forge_domain::{Refusal, Refusals, UnitTestId};
use forge_store::{Tx, WriteTx};
use serde_json::{Value, json};

use super::{attributes_of, authorize_parts, find_metrics, find_target, no_target};
use crate::access::resource::Resource as _;
use crate::items::find_named;
use crate::names::{new_name, taken};
use crate::page::Scan;
use crate::{AppError, Caller, Ctx, Written, commit};

/// Returns a test as it is after a change.
fn changed(old: &UnitTestFields, update: UpdateUnitTest) -> Result<UnitTestFields, AppError> {
    let old = old.clone();
    let service_id = update.service_id.unwrap_or(old.service_id);
    Ok(UnitTestFields {
        name: old.name,
        description: update.description.unwrap_or(old.description),
        service_id,
        version_set_name: match update.version_set_name {
            Some(name) => name.parse().map_err(|_| no_target(service_id, &name))?,
            None => old.version_set_name,
        },
        persona_id: update.persona_id.unwrap_or(old.persona_id),
        scenario_id: update.scenario_id.unwrap_or(old.scenario_id),
        max_interactions: update.max_interactions.unwrap_or(old.max_interactions),
        run_count: update.run_count.unwrap_or(old.run_count),
        success_criterions: update.success_criterions.unwrap_or(old.success_criterions),
        tags: update.tags.unwrap_or(old.tags),
    })
}

/// Creates a unit test.
///
/// The caller must be allowed to talk to the set, and to read what else the test names.
pub async fn create(ctx: Ctx<'_>, new: CreateUnitTest) -> Result<Written<UnitTestId>, AppError> {
    let new = CreateUnitTest {
        name: new_name("name", &new.name)?,
        ..new
    };
    let named = Attributes::default().with("simulation_unit_test_name", new.name.as_str());
    ctx.caller.authorize(Permission::CreateUnitTest, &named)?;
    authorize_parts(ctx.caller)?;
    let version_set_name = new.version_set_name.parse();
    let fields = UnitTestFields {
        version_set_name: version_set_name.map_err(|_| no_target(new.service_id, &new.version_set_name))?,
        name: new.name,
        description: new.description,
        service_id: new.service_id,
        persona_id: new.persona_id,
        scenario_id: new.scenario_id,
        max_interactions: new.max_interactions,
        run_count: 1,
        success_criterions: new.success_criterions,
        tags: new.tags,
    };
    let mut tx = ctx.app.write(ctx.caller).await?;
    check(&mut tx, ctx.caller, &fields).await?;
    refuse_taken_name(&mut tx, ctx.caller, &fields.name).await?;
    let id = ctx.app.new_id()?;
    tx.insert_unit_test(id, &fields, &ctx.caller.user).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::new(ObjectKind::UnitTest, id),
        Value::Null,
        json!(fields),
    )
    .await?;
    commit(tx, id).await
}

async fn refuse_taken_name(tx: &mut Tx, caller: &Caller, name: &str) -> Result<(), AppError> {
    let organization = &caller.organization;
    let Some(other) = tx.find_unit_test_namesake(organization, name, None).await? else {
        return Ok(());
    };
    let may_see = caller.may(Permission::GetUnitTest, &attributes_of(other, name));
    Err(AppError::Conflict(taken(
        "unit test",
        may_see.then_some(&other),
        name,
    )))
}

/// Changes a unit test.
///
/// A change that changes nothing writes nothing. Whatever changes, the caller must be allowed to talk to the set that
/// the test names afterwards, and to read what else it names: what a test does is not to be steered by somebody who
/// could not have written it.
pub async fn update(
    ctx: Ctx<'_>,
    id: UnitTestId,
    update: UpdateUnitTest,
) -> Result<Option<Written<()>>, AppError> {
    const PERMISSION: Permission = Permission::ModifyUnitTest;
    authorize_parts(ctx.caller)?;
    let mut tx = ctx.write(PERMISSION).await?;
    let test: UnitTest = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    let fields = changed(&test.fields, update)?;
    if fields == test.fields {
        return Ok(None);
    }
    check(&mut tx, ctx.caller, &fields).await?;
    tx.update_unit_test(id, &fields, &ctx.caller.user).await?;
    let (before, after) = (json!(test.fields), json!(fields));
    tx.append_audit_event(
        &ctx.caller.actor(),
        "update",
        AuditObject::new(ObjectKind::UnitTest, id),
        before,
        after,
    )
    .await?;
    commit(tx, ()).await.map(Some)
}

/// Deletes a unit test that no set runs.
///
/// What refers to it goes on doing so.
pub async fn delete(ctx: Ctx<'_>, id: UnitTestId) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::DeleteUnitTest;
    let mut tx = ctx.write(PERMISSION).await?;
    let test: UnitTest = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    refuse_if_run(&mut tx, ctx.caller, id).await?;
    tx.delete_unit_test(id, &ctx.caller.user).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "delete",
        AuditObject::new(ObjectKind::UnitTest, id),
        json!(test.fields),
        Value::Null,
    )
    .await?;
    commit(tx, ()).await
}

async fn refuse_if_run(tx: &mut WriteTx, caller: &Caller, id: UnitTestId) -> Result<(), AppError> {
    let may_see = |set: &UnitTestSet| set.allows(caller, Permission::GetUnitTestSet);
    let (mut scan, mut users) = (Scan::default(), Vec::new());
    while let Some(place) = scan.next_read() {
        let sets = tx
            .list_unit_test_sets(&caller.organization, Some(false), place)
            .await?;
        scan.note(&sets, |set| set.seq);
        let using = sets.iter().filter(|set| set.fields.runs(id));
        users.extend(using.map(|set| may_see(set).then(|| (set.id.to_string(), set.fields.name.clone()))));
    }
    if users.is_empty() {
        return Ok(());
    }
    let users = users.iter();
    let sets = named(users.map(|set| set.as_ref().map(|(id, name)| (id.clone(), name.as_str()))));
    Err(Refusal::UsedByUnitTestSets { sets }.into())
}

/// Checks whether all that a unit test names is there for the caller, and fits together.
async fn check(tx: &mut Tx, caller: &Caller, fields: &UnitTestFields) -> Result<(), AppError> {
    let (service, _) = find_target(tx, caller, fields.service_id, fields.version_set_name.as_str()).await?;
    find_named::<PersonaDetails>(tx, caller, fields.persona_id).await?;
    find_named::<ScenarioDetails>(tx, caller, fields.scenario_id).await?;
    let metrics = find_metrics(tx, caller, fields).await?;
    let mut refusals = Vec::new();
    for (criterion, metric) in fields.success_criterions.iter().zip(metrics) {
        let metric_kind = metric.details.value_kind;
        let kind = criterion.criterion.kind();
        if kind != metric_kind {
            refusals.push(Refusal::CriterionOfAnotherKind {
                criterion: criterion.name.clone(),
                kind,
                metric: metric.name,
                metric_kind,
            });
        }
    }
    if !service.is_active {
        refusals.push(Refusal::InactiveService {
            service: service.id.to_string(),
        });
    }
    Refusals::unless_empty(refusals)?;
    Ok(())
}
