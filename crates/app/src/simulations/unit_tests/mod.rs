//! Unit tests.

mod list;
mod parts;
mod write;

use forge_domain::access::{Attributes, Permission};
use forge_domain::item::{Item, ItemKind};
use forge_domain::simulation::{UnitTest, UnitTestRef, check_unused};
use forge_domain::{ServiceId, SetName, UnitTestId};
use forge_store::Tx;

use crate::page::Scan;
use crate::{AppError, Caller};

pub use list::{ListUnitTests, UnitTestFilter, UnitTestFilterValues, UnitTestPage, list, search};
use parts::no_target;
pub(crate) use parts::{authorize_parts, find_item, find_metrics, find_target};
pub use write::{NewUnitTest, UpdateUnitTest, create, delete, update};

pub(crate) fn attributes(test: &UnitTest) -> Attributes {
    attributes_of(test.id, &test.fields.name)
}

/// Returns the same attributes where the test is known by its id and name only.
pub(crate) fn attributes_of(id: UnitTestId, name: &str) -> Attributes {
    Attributes::default()
        .with("simulation_unit_test_id", id.to_string())
        .with("simulation_unit_test_name", name)
}

/// Returns a unit test that is not deleted.
pub(crate) async fn find(tx: &mut Tx, caller: &Caller, id: UnitTestId) -> Result<UnitTest, AppError> {
    let found = tx.find_unit_test(&caller.organization, id).await?;
    found.filter(|test| !test.is_deleted).ok_or_else(|| no_test(id))
}

/// Returns a unit test that a caller names in something else.
///
/// One that the caller may not read is answered like one that is not there.
pub(crate) async fn find_named(tx: &mut Tx, caller: &Caller, id: UnitTestId) -> Result<UnitTest, AppError> {
    let test = find(tx, caller, id).await?;
    if may_see(caller, id, &test.fields.name) {
        Ok(test)
    } else {
        Err(no_test(id))
    }
}

fn no_test(id: UnitTestId) -> AppError {
    AppError::NotFound(format!("there is no unit test {id}"))
}

/// Refuses to take a persona, a scenario or a metric away that unit tests use.
///
/// Whoever deletes it asks within the same write.
pub(crate) async fn refuse_used(tx: &mut Tx, caller: &Caller, item: &Item) -> Result<(), AppError> {
    let kind = item.details.kind();
    let uses = |test: &UnitTest| match kind {
        ItemKind::Persona => test.fields.persona_id.to_string() == item.id,
        ItemKind::Scenario => test.fields.scenario_id.to_string() == item.id,
        ItemKind::Metric => test.fields.judges_by(&item.id),
        ItemKind::BehaviorSet => false,
    };
    let (mut scan, mut users) = (Scan::default(), Vec::new());
    while let Some(place) = scan.next_read() {
        let tests = tx
            .list_unit_tests(&caller.organization, Some(false), place)
            .await?;
        scan.note(&tests, |test| test.seq);
        let used = tests.into_rows().into_iter().filter(uses);
        users.extend(used.map(|test| UnitTestRef {
            is_hidden: !may_see(caller, test.id, &test.fields.name),
            id: test.id,
            name: test.fields.name,
        }));
    }
    match check_unused(format!("the {kind} {}", item.id), &users) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(()),
    }
}

fn may_see(caller: &Caller, id: UnitTestId, name: &str) -> bool {
    caller.may(Permission::GetUnitTest, &attributes_of(id, name))
}

/// Returns the unit tests that name sets of a service, without deleted ones: those of one set, or all.
pub(crate) async fn users_of(
    tx: &mut Tx,
    caller: &Caller,
    service: ServiceId,
    set: Option<&SetName>,
) -> Result<Vec<UnitTestRef>, AppError> {
    let tests = tx
        .list_unit_tests_of_service(&caller.organization, service)
        .await?;
    let users = tests
        .into_iter()
        .filter(|(name, _)| set.is_none_or(|set| set == name));
    let seen = |(_, test): (SetName, UnitTestRef)| UnitTestRef {
        is_hidden: !may_see(caller, test.id, &test.name),
        ..test
    };
    Ok(users.map(seen).collect())
}

/// Unit tests of a service by the set that they name, as far as a caller may see them.
#[derive(Debug, Default)]
pub(crate) struct VisibleUnitTests(Vec<(SetName, UnitTestId)>);

impl VisibleUnitTests {
    pub(crate) async fn of_service(
        tx: &mut Tx,
        caller: &Caller,
        service: ServiceId,
    ) -> Result<Self, AppError> {
        let tests = tx
            .list_unit_tests_of_service(&caller.organization, service)
            .await?;
        let visible = tests
            .into_iter()
            .filter(|(_, test)| may_see(caller, test.id, &test.name));
        Ok(Self(visible.map(|(set, test)| (set, test.id)).collect()))
    }

    /// Returns those that name the set.
    pub(crate) fn of_set(&self, name: &SetName) -> Vec<UnitTestId> {
        let naming = self.0.iter().filter(|(set, _)| set == name);
        naming.map(|(_, test)| *test).collect()
    }
}
