//! Unit tests.

mod list;
mod parts;
mod write;

use forge_domain::access::{Attributes, Permission};
use forge_domain::item::{Item, ItemDetails};
use forge_domain::simulation::{UnitTest, UnitTestRef, check_unused};
use forge_domain::{OrganizationId, ServiceId, SetName, UnitTestId};
use forge_store::{StoreError, Tx};

use crate::access::resource::Resource;
use crate::page::Scan;
use crate::{AppError, Caller};

pub use list::{ListUnitTests, UnitTestPage, list, search};
use parts::no_target;
pub(crate) use parts::{authorize_parts, find_metrics, find_target};
pub use write::{create, delete, update};

/// A unit test that is not deleted.
impl Resource for UnitTest {
    type Key = UnitTestId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &UnitTestId,
    ) -> Result<Option<Self>, StoreError> {
        let found = tx.find_unit_test(organization, *id).await?;
        Ok(found.filter(|test| !test.is_deleted))
    }

    fn not_found(id: &UnitTestId) -> AppError {
        AppError::NotFound(format!("there is no unit test {id}"))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(self.id, &self.fields.name)
    }
}

/// Returns what conditions can be about where a test is known by its id and name only.
pub(crate) fn attributes_of(id: UnitTestId, name: &str) -> Attributes {
    Attributes::default()
        .with("simulation_unit_test_id", id.to_string())
        .with("simulation_unit_test_name", name)
}

/// Refuses to take a persona, a scenario or a metric away that unit tests use.
///
/// Whoever deletes it asks within the same write.
pub(crate) async fn refuse_used<D: ItemDetails>(
    tx: &mut Tx,
    caller: &Caller,
    item: &Item<D>,
) -> Result<(), AppError> {
    let uses = |test: &UnitTest| test.fields.uses(item);
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
    match check_unused(format!("the {} {}", D::KIND, item.id), &users) {
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
