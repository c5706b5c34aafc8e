//! Sets of unit tests.

use std::collections::BTreeSet;

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::search::SearchTerms;
use forge_domain::simulation::{
    UnitTest, UnitTestEntry, UnitTestSet, UnitTestSetFields, UnitTestSetFilter, UnitTestSetFilterValues,
    UpdateUnitTestSet, check_entries,
};
use forge_domain::{Direction, OrganizationId, Sort, UnitTestId, UnitTestSetId};
use forge_store::{SortValue, StoreError, Tx};
use serde_json::{Value, json};

use crate::access::resource::Resource;
use crate::names::{changed_name, new_name, taken};
use crate::page::{PageBuilder, Scan};
use crate::searching::MAX_FOUND;
use crate::sorting::Sorted;
use crate::{AppError, Caller, Ctx, Page, Written, commit};

/// A set that is not deleted.
impl Resource for UnitTestSet {
    type Key = UnitTestSetId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &UnitTestSetId,
    ) -> Result<Option<Self>, StoreError> {
        let found = tx.find_unit_test_set(organization, *id).await?;
        Ok(found.filter(|set| !set.is_deleted))
    }

    fn not_found(id: &UnitTestSetId) -> AppError {
        AppError::NotFound(format!("there is no unit test set {id}"))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(self.id, &self.fields.name)
    }
}

/// Returns what conditions can be about where a set is known by its id and name only.
pub(crate) fn attributes_of(id: UnitTestSetId, name: &str) -> Attributes {
    Attributes::default()
        .with("simulation_unit_test_set_id", id.to_string())
        .with("simulation_unit_test_set_name", name)
}

/// Creates a set of unit tests.
///
/// The caller must be allowed to read each of them.
pub async fn create(ctx: Ctx<'_>, fields: &UnitTestSetFields) -> Result<Written<UnitTestSetId>, AppError> {
    let name = new_name("name", &fields.name)?;
    let fields = &UnitTestSetFields {
        name,
        ..fields.clone()
    };
    let named = Attributes::default().with("simulation_unit_test_set_name", fields.name.as_str());
    ctx.caller.authorize(Permission::CreateUnitTestSet, &named)?;
    refuse_too_many(&fields.unit_test_runs)?;
    authorize_tests(ctx.caller, &fields.unit_test_runs)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    require_tests(&mut tx, ctx.caller, &fields.unit_test_runs).await?;
    refuse_taken_name(&mut tx, ctx.caller, &fields.name, None).await?;
    let id = ctx.app.new_id()?;
    tx.insert_unit_test_set(id, fields, &ctx.caller.user).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::new(ObjectKind::UnitTestSet, id),
        Value::Null,
        json!(fields),
    )
    .await?;
    commit(tx, id).await
}

/// Changes a set of unit tests.
///
/// A change that changes nothing writes nothing. Whatever changes, the caller must be allowed to read each test that
/// the set runs afterwards.
pub async fn update(
    ctx: Ctx<'_>,
    id: UnitTestSetId,
    update: UpdateUnitTestSet,
) -> Result<Option<Written<()>>, AppError> {
    const PERMISSION: Permission = Permission::ModifyUnitTestSet;
    let mut tx = ctx.write(PERMISSION).await?;
    let set: UnitTestSet = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    let old = set.fields;
    let update = UpdateUnitTestSet {
        name: changed_name(&old.name, update.name)?,
        ..update
    };
    let fields = update.apply(&old);
    if fields == old {
        return Ok(None);
    }
    if fields.unit_test_runs != old.unit_test_runs {
        refuse_too_many(&fields.unit_test_runs)?;
    }
    authorize_tests(ctx.caller, &fields.unit_test_runs)?;
    require_tests(&mut tx, ctx.caller, &fields.unit_test_runs).await?;
    if fields.name != old.name {
        // A grant that holds for the old name only must not give the set a name out of its reach.
        let renamed = attributes_of(id, &fields.name);
        ctx.caller.authorize(Permission::ModifyUnitTestSet, &renamed)?;
        ctx.caller
            .require_no_gain(&attributes_of(id, &old.name), &renamed)?;
        refuse_taken_name(&mut tx, ctx.caller, &fields.name, Some(id)).await?;
    }
    tx.update_unit_test_set(id, &fields, &ctx.caller.user).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "update",
        AuditObject::new(ObjectKind::UnitTestSet, id),
        json!(old),
        json!(fields),
    )
    .await?;
    commit(tx, ()).await.map(Some)
}

/// Deletes a set of unit tests.
///
/// Its runs go on and stay.
pub async fn delete(ctx: Ctx<'_>, id: UnitTestSetId) -> Result<Written<()>, AppError> {
    const PERMISSION: Permission = Permission::DeleteUnitTestSet;
    let mut tx = ctx.write(PERMISSION).await?;
    let set: UnitTestSet = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    tx.delete_unit_test_set(id, &ctx.caller.user).await?;
    tx.append_audit_event(
        &ctx.caller.actor(),
        "delete",
        AuditObject::new(ObjectKind::UnitTestSet, id),
        json!(set.fields),
        Value::Null,
    )
    .await?;
    commit(tx, ()).await
}

fn refuse_too_many(entries: &[UnitTestEntry]) -> Result<(), AppError> {
    match check_entries(entries) {
        Some(fault) => Err(AppError::Invalid(vec![fault])),
        None => Ok(()),
    }
}

/// Refuses a caller who may read no unit test at all, if any is named.
fn authorize_tests(caller: &Caller, entries: &[UnitTestEntry]) -> Result<(), AppError> {
    if entries.is_empty() {
        return Ok(());
    }
    caller.require_any_grant(Permission::GetUnitTest)
}

async fn require_tests(tx: &mut Tx, caller: &Caller, entries: &[UnitTestEntry]) -> Result<(), AppError> {
    let tests: BTreeSet<UnitTestId> = entries.iter().map(|entry| entry.unit_test_id).collect();
    for test in tests {
        caller
            .fetch_named::<UnitTest>(tx, Permission::GetUnitTest, &test)
            .await?;
    }
    Ok(())
}

async fn refuse_taken_name(
    tx: &mut Tx,
    caller: &Caller,
    name: &str,
    own: Option<UnitTestSetId>,
) -> Result<(), AppError> {
    let organization = &caller.organization;
    let Some(other) = tx.find_unit_test_set_namesake(organization, name, own).await? else {
        return Ok(());
    };
    let may_see = caller.may(Permission::GetUnitTestSet, &attributes_of(other, name));
    Err(AppError::Conflict(taken(
        "unit test set",
        may_see.then_some(&other),
        name,
    )))
}

/// What a caller asks of a list of sets.
#[derive(Debug, Clone, Default)]
pub struct ListUnitTestSets {
    /// Which ones.
    pub filter: UnitTestSetFilter,
    /// In which direction they are sorted by their last change; `None` for the order of creation.
    pub by_update: Option<Direction>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A page of sets.
#[derive(Debug, Clone)]
pub struct UnitTestSetPage {
    /// The sets.
    pub page: Page<UnitTestSet>,
    /// What the sets under the filter that the caller may see can be filtered by, on the first page.
    pub filter_values: Option<UnitTestSetFilterValues>,
}

/// Returns a page of the sets that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListUnitTestSets) -> Result<UnitTestSetPage, AppError> {
    let Ctx { app, caller } = ctx;
    let is_first = query.continuation_token == 0;
    if !caller.may_some(Permission::GetUnitTestSet) {
        return Ok(UnitTestSetPage {
            page: Page::empty(),
            filter_values: is_first.then(UnitTestSetFilterValues::default),
        });
    }
    let mut tx = app.store.read().await?;
    let is_visible =
        |set: &UnitTestSet| query.filter.admits(set) && set.allows(caller, Permission::GetUnitTestSet);
    let sort: Vec<Sort<UnitTestSetSort>> = query
        .by_update
        .map(|direction| direction.of(UnitTestSetSort::UpdatedAt))
        .into_iter()
        .collect();
    let list = Sorted::moving("unit_test_set", &sort, sort_value, |set: &UnitTestSet| set.seq);
    let page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    let mut filter_values = is_first.then(UnitTestSetFilterValues::default);
    let (mut selection, mut scan) = (list.select(page), Scan::default());
    // All of them, because the one at which the page before this ended may have ceased to pass the filter.
    while let Some(place) = scan.next_read() {
        let sets = tx.list_unit_test_sets(&caller.organization, None, place).await?;
        scan.note(&sets, |set| set.seq);
        if let Some(values) = &mut filter_values {
            sets.iter()
                .filter(|set| is_visible(set))
                .for_each(|set| values.add(set));
        }
        selection.offer(sets, is_visible);
    }
    let page = selection.finish()?;
    Ok(UnitTestSetPage {
        page: list.finish(ctx, tx, page).await?,
        filter_values,
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum UnitTestSetSort {
    UpdatedAt,
}

fn sort_value(UnitTestSetSort::UpdatedAt: UnitTestSetSort, set: &UnitTestSet) -> SortValue {
    SortValue::Integer(set.updated_at.as_millis())
}

/// Returns the first sets that the caller may see, that pass the filter, and whose name or description has every word
/// of the query.
///
/// Deleted ones are not found.
pub async fn search(
    ctx: Ctx<'_>,
    query: &str,
    filter: &UnitTestSetFilter,
) -> Result<Vec<UnitTestSet>, AppError> {
    let Ctx { app, caller } = ctx;
    if !caller.may_some(Permission::GetUnitTestSet) {
        return Ok(Vec::new());
    }
    let words = SearchTerms::new(query);
    let mut tx = app.store.read().await?;
    let is_found = |set: &UnitTestSet| {
        let description = set.fields.description.as_deref().unwrap_or_default();
        filter.admits(set)
            && words.are_in(&set.fields.name, description)
            && set.allows(caller, Permission::GetUnitTestSet)
    };
    let mut found = PageBuilder::of_large_rows(tx.room(), MAX_FOUND, 0);
    while let Some(place) = found.next_read() {
        let sets = tx
            .list_unit_test_sets(&caller.organization, Some(false), place)
            .await?;
        found.add(sets, place.limit, |set| set.seq, is_found);
    }
    Ok(found.finish().items)
}
