//! Sets of unit tests.

use forge_domain::simulation::{UnitTestSet, UnitTestSetFields};
use forge_domain::{OrganizationId, UnitTestSetId, UserRef};

use crate::StoreError;
use crate::name::hash;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

macro_rules! select_unit_test_set {
    ($condition:literal) => {
        concat!(
            "SELECT id, seq, name, description, unit_test_runs, tags, is_deleted, creator_org_id, creator_user_id,
                updated_by_org_id, updated_by_user_id, created_at, updated_at,
                (SELECT run.id FROM unit_test_set_run run
                    WHERE run.organization_id = $1 AND run.unit_test_set_id = unit_test_set.id
                    ORDER BY run.seq DESC LIMIT 1) AS last_run_id
            FROM unit_test_set WHERE organization_id = $1 AND ",
            $condition
        )
    };
}

statements! {
    INSERT_UNIT_TEST_SET = "INSERT INTO unit_test_set (organization_id, id, seq, name, name_hash, description,
            unit_test_runs, tags, is_deleted, creator_org_id, creator_user_id, updated_by_org_id, updated_by_user_id,
            created_at, updated_at)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM unit_test_set WHERE organization_id = $1),
            $3, $4, $5, $6, $7, FALSE, $8, $9, $8, $9, $10, $10)";
    UPDATE_UNIT_TEST_SET = "UPDATE unit_test_set SET name = $3, name_hash = $4, description = $5,
            unit_test_runs = $6, tags = $7, updated_by_org_id = $8, updated_by_user_id = $9, updated_at = $10
        WHERE organization_id = $1 AND id = $2";
    DELETE_UNIT_TEST_SET = "UPDATE unit_test_set SET is_deleted = TRUE, updated_by_org_id = $3,
            updated_by_user_id = $4, updated_at = $5
        WHERE organization_id = $1 AND id = $2";
    FIND_UNIT_TEST_SET = select_unit_test_set!("id = $2");
    FIND_LIVE_UNIT_TEST_SET_BY_NAME = "SELECT id FROM unit_test_set
        WHERE organization_id = $1 AND name_hash = $2 AND NOT is_deleted";
    LIST_UNIT_TEST_SETS = select_unit_test_set!(
        "(CAST($2 AS BOOLEAN) IS NULL OR is_deleted = $2) AND seq > $3 ORDER BY seq LIMIT $4"
    );
}

fn unit_test_set(row: &Row<'_>) -> Result<UnitTestSet, StoreError> {
    Ok(UnitTestSet {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        fields: UnitTestSetFields {
            name: row.text("name")?,
            description: row.optional_text("description")?,
            unit_test_runs: row.json("unit_test_runs")?,
            tags: row.json("tags")?,
        },
        last_run_id: row.parse_optional("last_run_id")?,
        is_deleted: row.boolean("is_deleted")?,
        creator: row.user("creator")?,
        updated_by: row.user("updated_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

impl Tx {
    /// Returns a set of unit tests, deleted or not.
    pub async fn find_unit_test_set(
        &mut self,
        organization: &OrganizationId,
        id: UnitTestSetId,
    ) -> Result<Option<UnitTestSet>, StoreError> {
        self.optional(&FIND_UNIT_TEST_SET, args![organization, id], unit_test_set)
            .await
    }

    /// Returns the id of a set of unit tests of that name, however it is spelled, that is not deleted, unless it is the one left
    /// out.
    pub async fn find_unit_test_set_namesake(
        &mut self,
        organization: &OrganizationId,
        name: &str,
        except: Option<UnitTestSetId>,
    ) -> Result<Option<UnitTestSetId>, StoreError> {
        let scope = args![organization];
        self.namesake(&FIND_LIVE_UNIT_TEST_SET_BY_NAME, scope, name, except)
            .await
    }

    /// Returns a page of sets of unit tests in order of creation: of all, of deleted ones,
    /// or of others.
    pub async fn list_unit_test_sets(
        &mut self,
        organization: &OrganizationId,
        is_deleted: Option<bool>,
        page: PageRequest,
    ) -> Result<Rows<UnitTestSet>, StoreError> {
        let args = args![organization, is_deleted, page.after, page.limit];
        self.some(&LIST_UNIT_TEST_SETS, args, unit_test_set).await
    }
}

impl WriteTx {
    /// Adds a set of unit tests.
    pub async fn insert_unit_test_set(
        &mut self,
        id: UnitTestSetId,
        fields: &UnitTestSetFields,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_unit_test_set(&INSERT_UNIT_TEST_SET, id, fields, creator)
            .await
    }

    /// Replaces what a set of unit tests holds.
    pub async fn update_unit_test_set(
        &mut self,
        id: UnitTestSetId,
        fields: &UnitTestSetFields,
        updated_by: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_unit_test_set(&UPDATE_UNIT_TEST_SET, id, fields, updated_by)
            .await
    }

    /// Marks a set of unit tests as deleted.
    pub async fn delete_unit_test_set(
        &mut self,
        id: UnitTestSetId,
        deleted_by: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &deleted_by.org_id,
            &deleted_by.user_id,
            self.changed_at()
        ];
        self.execute(&DELETE_UNIT_TEST_SET, args).await.map(drop)
    }

    async fn write_unit_test_set(
        &mut self,
        statement: &Statement,
        id: UnitTestSetId,
        fields: &UnitTestSetFields,
        user: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &fields.name,
            hash(&fields.name),
            fields.description.clone(),
            to_json(&fields.unit_test_runs),
            to_json(&fields.tags),
            &user.org_id,
            &user.user_id,
            self.changed_at(),
        ];
        self.execute(statement, args).await.map(drop)
    }
}
