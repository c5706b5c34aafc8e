//! Unit tests.

use forge_domain::simulation::{UnitTest, UnitTestFields, UnitTestRef};
use forge_domain::{OrganizationId, ServiceId, SetName, UnitTestId, UserRef};

use crate::StoreError;
use crate::name::hash;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

macro_rules! select_unit_test {
    ($condition:literal) => {
        concat!(
            "SELECT id, seq, name, description, service_id, version_set_name, persona_id, scenario_id,
                max_interactions, run_count, success_criterions, tags, is_deleted, creator_org_id, creator_user_id,
                updated_by_org_id, updated_by_user_id, created_at, updated_at
            FROM unit_test WHERE organization_id = $1 AND ",
            $condition
        )
    };
}

statements! {
    INSERT_UNIT_TEST = "INSERT INTO unit_test (organization_id, id, seq, name, name_hash, description, service_id,
            version_set_name, persona_id, scenario_id, max_interactions, run_count, success_criterions, tags,
            is_deleted, live_is_deleted, live_is_active, creator_org_id, creator_user_id, updated_by_org_id,
            updated_by_user_id, created_at, updated_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM unit_test WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, FALSE, FALSE, TRUE, $14, $15, $14, $15, $16, $16)";
    UPDATE_UNIT_TEST = "UPDATE unit_test SET name = $3, name_hash = $4, description = $5, service_id = $6,
            version_set_name = $7, persona_id = $8, scenario_id = $9, max_interactions = $10, run_count = $11,
            success_criterions = $12, tags = $13, updated_by_org_id = $14, updated_by_user_id = $15, updated_at = $16
        WHERE organization_id = $1 AND id = $2";
    DELETE_UNIT_TEST = "UPDATE unit_test SET is_deleted = TRUE, live_is_deleted = NULL, live_is_active = NULL,
            updated_by_org_id = $3, updated_by_user_id = $4, updated_at = $5
        WHERE organization_id = $1 AND id = $2";
    FIND_UNIT_TEST = select_unit_test!("id = $2");
    FIND_LIVE_UNIT_TEST_BY_NAME = "SELECT id FROM unit_test
        WHERE organization_id = $1 AND name_hash = $2 AND NOT is_deleted";
    LIST_UNIT_TESTS = select_unit_test!(
        "(CAST($2 AS BOOLEAN) IS NULL OR is_deleted = $2) AND seq > $3 ORDER BY seq LIMIT $4"
    );
    LIST_UNIT_TESTS_OF_SERVICE = "SELECT id, name, version_set_name FROM unit_test
        WHERE organization_id = $1 AND service_id = $2 AND NOT is_deleted ORDER BY seq";
}

fn fields(row: &Row<'_>) -> Result<UnitTestFields, StoreError> {
    Ok(UnitTestFields {
        name: row.text("name")?,
        description: row.text("description")?,
        service_id: row.parse("service_id")?,
        version_set_name: row.parse("version_set_name")?,
        persona_id: row.parse("persona_id")?,
        scenario_id: row.parse("scenario_id")?,
        max_interactions: row.convert("max_interactions")?,
        run_count: row.convert("run_count")?,
        success_criterions: row.json("success_criterions")?,
        tags: row.json("tags")?,
    })
}

fn unit_test(row: &Row<'_>) -> Result<UnitTest, StoreError> {
    Ok(UnitTest {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        fields: fields(row)?,
        is_deleted: row.boolean("is_deleted")?,
        creator: row.user("creator")?,
        updated_by: row.user("updated_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

impl Tx {
    /// Returns a unit test, deleted or not.
    pub async fn find_unit_test(
        &mut self,
        organization: &OrganizationId,
        id: UnitTestId,
    ) -> Result<Option<UnitTest>, StoreError> {
        self.optional(&FIND_UNIT_TEST, args![organization, id], unit_test)
            .await
    }

    /// Returns the id of a unit test of that name, however it is spelled, that is not deleted, unless it is the one left
    /// out.
    pub async fn find_unit_test_namesake(
        &mut self,
        organization: &OrganizationId,
        name: &str,
        except: Option<UnitTestId>,
    ) -> Result<Option<UnitTestId>, StoreError> {
        let scope = args![organization];
        self.namesake(&FIND_LIVE_UNIT_TEST_BY_NAME, scope, name, except)
            .await
    }

    /// Returns a page of unit tests in order of creation: of all, of deleted ones, or of others.
    pub async fn list_unit_tests(
        &mut self,
        organization: &OrganizationId,
        is_deleted: Option<bool>,
        page: PageRequest,
    ) -> Result<Rows<UnitTest>, StoreError> {
        let args = args![organization, is_deleted, page.after, page.limit];
        self.some(&LIST_UNIT_TESTS, args, unit_test).await
    }

    /// Returns the unit tests that name sets of a service, each with the set, without deleted ones.
    pub async fn list_unit_tests_of_service(
        &mut self,
        organization: &OrganizationId,
        service: ServiceId,
    ) -> Result<Vec<(SetName, UnitTestRef)>, StoreError> {
        self.all(&LIST_UNIT_TESTS_OF_SERVICE, args![organization, service], |row| {
            let test = UnitTestRef {
                id: row.parse("id")?,
                name: row.text("name")?,
                is_hidden: false,
            };
            Ok((row.parse("version_set_name")?, test))
        })
        .await
    }
}

impl WriteTx {
    /// Adds a unit test.
    pub async fn insert_unit_test(
        &mut self,
        id: UnitTestId,
        fields: &UnitTestFields,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_unit_test(&INSERT_UNIT_TEST, id, fields, creator).await
    }

    /// Replaces what a unit test does.
    pub async fn update_unit_test(
        &mut self,
        id: UnitTestId,
        fields: &UnitTestFields,
        updated_by: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_unit_test(&UPDATE_UNIT_TEST, id, fields, updated_by)
            .await
    }

    /// Marks a unit test as deleted.
    pub async fn delete_unit_test(&mut self, id: UnitTestId, deleted_by: &UserRef) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &deleted_by.org_id,
            &deleted_by.user_id,
            self.changed_at()
        ];
        self.execute(&DELETE_UNIT_TEST, args).await.map(drop)
    }

    async fn write_unit_test(
        &mut self,
        statement: &Statement,
        id: UnitTestId,
        fields: &UnitTestFields,
        user: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &fields.name,
            hash(&fields.name),
            &fields.description,
            fields.service_id,
            &fields.version_set_name,
            fields.persona_id,
            fields.scenario_id,
            i64::from(fields.max_interactions),
            i64::from(fields.run_count),
            to_json(&fields.success_criterions),
            to_json(&fields.tags),
            &user.org_id,
            &user.user_id,
            self.changed_at(),
        ];
        self.execute(statement, args).await.map(drop)
    }
}
