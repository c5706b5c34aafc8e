//! Agents and context graphs: the two things that have versions. Their tables have the same shape, so the
//! statements are written once and instantiated for each.

use forge_domain::asset::{Asset, AssetId, AssetKind, AssetVersion};
use forge_domain::reference::{ServiceReference, SetReference};
use forge_domain::{OrganizationId, ServiceId, UserRef, VersionNumber};

use crate::StoreError;
use crate::page_request::{PageRequest, VersionBounds};
use crate::row::{Row, args};
use crate::rows::Rows;
use crate::statement::Statement;
use crate::tx::{Tx, WriteTx};

/// The statements of one kind of asset.
struct Statements {
    insert: Statement,
    find: Statement,
    find_by_name: Statement,
    list: Statement,
    deprecate: Statement,
    insert_version: Statement,
    set_latest: Statement,
    find_version: Statement,
    version_bytes: Statement,
    list_ascending: Statement,
    list_descending: Statement,
    services_using: Statement,
    latest_at: Statement,
    references: Statement,
}

macro_rules! asset_statements {
    ($table:literal) => {
        Statements {
            insert: asset_statements!($table, "insert", "INSERT INTO ", $table, "
                    (organization_id, id, seq, name, is_deprecated, created_at)
                VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM ", $table, " WHERE organization_id = $1),
                    $3, FALSE, $4)"),
            find: asset_statements!($table, "find", "SELECT id, seq, name, is_deprecated, latest_version FROM ",
                $table, " WHERE organization_id = $1 AND id = $2"),
            find_by_name: asset_statements!($table, "find_by_name",
                "SELECT id, seq, name, is_deprecated, latest_version FROM ", $table,
                " WHERE organization_id = $1 AND name = $2"),
            list: asset_statements!($table, "list", "SELECT id, seq, name, is_deprecated, latest_version FROM ",
                $table, " WHERE organization_id = $1 AND seq > $2
                    AND (CAST($3 AS BOOLEAN) IS NULL OR is_deprecated = $3)
                ORDER BY seq LIMIT $4"),
            deprecate: asset_statements!($table, "deprecate", "UPDATE ", $table,
                " SET is_deprecated = TRUE WHERE organization_id = $1 AND id = $2"),
            insert_version: asset_statements!($table, "insert_version", "INSERT INTO ", $table, "_version
                    (organization_id, ", $table, "_id, version, previous_version, document, change_number,
                    creator_org_id, creator_user_id, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"),
            set_latest: asset_statements!($table, "set_latest", "UPDATE ", $table,
                " SET latest_version = $3 WHERE organization_id = $1 AND id = $2"),
            find_version: asset_statements!($table, "find_version", "SELECT version, document, creator_org_id,
                    creator_user_id, created_at FROM ", $table, "_version
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND version = $3"),
            version_bytes: asset_statements!($table, "version_bytes",
                "SELECT CAST(OCTET_LENGTH(document) AS BIGINT) AS bytes FROM ", $table, "_version
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND version = $3"),
            list_ascending: asset_statements!($table, "list_ascending", "SELECT version, document, creator_org_id,
                    creator_user_id, created_at FROM ", $table, "_version
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND version BETWEEN $3 AND $4
                    AND version > $5
                ORDER BY version LIMIT $6"),
            list_descending: asset_statements!($table, "list_descending", "SELECT version, document,
                    creator_org_id, creator_user_id, created_at FROM ", $table, "_version
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND version BETWEEN $3 AND $4
                    AND version < $5
                ORDER BY version DESC LIMIT $6"),
            services_using: asset_statements!($table, "services_using", "SELECT id, name FROM service
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND is_active ORDER BY name, seq LIMIT $3"),
            latest_at: asset_statements!($table, "latest_at", "SELECT version FROM ", $table, "_version
                WHERE organization_id = $1 AND ", $table, "_id = $2 AND change_number <= $3
                ORDER BY version DESC LIMIT 1"),
            // A page is so many services, each with all of its sets that mean the version.
            references: asset_statements!($table, "references", "WITH meaning AS (
                    SELECT service.seq, service.id, service.name AS service_name, service.is_active,
                        version_set.name, version_set.revision, version_set.", $table, "_version IS NULL AS is_floating
                    FROM version_set
                    JOIN service ON service.organization_id = version_set.organization_id
                        AND service.id = version_set.service_id
                    WHERE version_set.organization_id = $1 AND version_set.", $table, "_id = $2
                        AND NOT version_set.is_deleted AND service.seq > $5
                        AND (version_set.", $table, "_version = $3
                            OR ($4 AND version_set.", $table, "_version IS NULL))
                )
                SELECT seq, id, service_name, is_active, name, revision, is_floating FROM meaning
                WHERE seq IN (SELECT DISTINCT seq FROM meaning ORDER BY seq LIMIT $6)
                ORDER BY seq, name"),
        }
    };
    ($table:literal, $name:literal, $($part:literal),+) => {
        Statement { name: concat!($table, ".", $name), sql: concat!($($part),+) }
    };
}

const AGENT: Statements = asset_statements!("agent");
const CONTEXT_GRAPH: Statements = asset_statements!("context_graph");

impl Statements {
    const fn of(kind: AssetKind) -> &'static Self {
        match kind {
            AssetKind::Agent => &AGENT,
            AssetKind::ContextGraph => &CONTEXT_GRAPH,
        }
    }

    const fn all(&self) -> [Statement; 14] {
        [
            self.insert,
            self.find,
            self.find_by_name,
            self.list,
            self.deprecate,
            self.insert_version,
            self.set_latest,
            self.find_version,
            self.version_bytes,
            self.list_ascending,
            self.list_descending,
            self.services_using,
            self.latest_at,
            self.references,
        ]
    }
}

pub(crate) const STATEMENTS: &[Statement] = AGENT_AND_GRAPH.as_flattened();
const AGENT_AND_GRAPH: &[[Statement; 14]] = &[AGENT.all(), CONTEXT_GRAPH.all()];

/// A version whose references are looked for.
#[derive(Debug, Clone, Copy)]
pub struct ReferencedVersion {
    /// Whose version it is.
    pub id: AssetId,
    /// Its number.
    pub version: VersionNumber,
    /// Whether it is the latest one, which sets mean that float.
    pub is_latest: bool,
}

fn service_reference(row: &Row<'_>) -> Result<ServiceReference, StoreError> {
    Ok(ServiceReference {
        seq: row.integer("seq")?,
        service_id: row.parse("id")?,
        service_name: row.text("service_name")?,
        is_active: row.boolean("is_active")?,
        sets: vec![SetReference {
            name: row.parse("name")?,
            revision: row.integer("revision")?,
            is_floating: row.boolean("is_floating")?,
        }],
    })
}

fn asset(kind: AssetKind, row: &Row<'_>) -> Result<Asset, StoreError> {
    Ok(Asset {
        id: row.asset_id(kind, "id")?,
        seq: row.integer("seq")?,
        name: row.text("name")?,
        is_deprecated: row.boolean("is_deprecated")?,
        latest_version: row.convert_optional("latest_version")?,
    })
}

fn asset_version(row: &Row<'_>) -> Result<AssetVersion, StoreError> {
    Ok(AssetVersion {
        version: row.convert("version")?,
        document: row.json("document")?,
        creator: row.user("creator")?,
        created_at: row.time("created_at")?,
    })
}

impl Tx {
    /// Returns an asset by its id.
    pub async fn find_asset(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
    ) -> Result<Option<Asset>, StoreError> {
        self.optional(&Statements::of(id.kind()).find, args![organization, id], |row| {
            asset(id.kind(), row)
        })
        .await
    }

    /// Returns the row of an asset, if there is one.
    pub async fn asset_row(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
    ) -> Result<Rows<Asset>, StoreError> {
        self.some(&Statements::of(id.kind()).find, args![organization, id], |row| {
            asset(id.kind(), row)
        })
        .await
    }

    /// Returns an asset by its name.
    pub async fn find_asset_by_name(
        &mut self,
        organization: &OrganizationId,
        kind: AssetKind,
        name: &str,
    ) -> Result<Option<Asset>, StoreError> {
        self.optional(
            &Statements::of(kind).find_by_name,
            args![organization, name],
            |row| asset(kind, row),
        )
        .await
    }

    /// Returns a page of assets in order of creation.
    pub async fn list_assets(
        &mut self,
        organization: &OrganizationId,
        kind: AssetKind,
        is_deprecated: Option<bool>,
        page: PageRequest,
    ) -> Result<Rows<Asset>, StoreError> {
        let args = args![organization, page.after, is_deprecated, page.limit];
        self.some(&Statements::of(kind).list, args, |row| asset(kind, row))
            .await
    }

    /// Returns one version of an asset.
    pub async fn find_version(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        version: VersionNumber,
    ) -> Result<Option<AssetVersion>, StoreError> {
        let args = args![organization, id, version];
        self.optional(&Statements::of(id.kind()).find_version, args, asset_version)
            .await
    }

    /// Returns how many bytes the content of one version has, or `None` if there is none.
    pub async fn version_bytes(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        version: VersionNumber,
    ) -> Result<Option<i64>, StoreError> {
        let args = args![organization, id, version];
        self.optional(&Statements::of(id.kind()).version_bytes, args, |row| {
            row.integer("bytes")
        })
        .await
    }

    /// Returns a page of the versions between two numbers, both included; their numbers are their places.
    pub async fn list_versions(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        range: VersionBounds,
        page: PageRequest,
    ) -> Result<Rows<AssetVersion>, StoreError> {
        let statements = Statements::of(id.kind());
        let after = if range.is_descending {
            page.descending_from()
        } else {
            page.after
        };
        let list = if range.is_descending {
            &statements.list_descending
        } else {
            &statements.list_ascending
        };
        self.some(
            list,
            args![organization, id, range.lower, range.upper, after, page.limit],
            asset_version,
        )
        .await
    }

    /// Returns the newest version that an asset had when the organization's change of that number was made.
    pub async fn latest_version_at(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        change_number: i64,
    ) -> Result<Option<VersionNumber>, StoreError> {
        let args = args![organization, id, change_number];
        self.optional(&Statements::of(id.kind()).latest_at, args, |row| {
            row.convert("version")
        })
        .await
    }

    /// Returns a page of the services that have sets which mean a version: those that pin it
    /// and, if it is the latest, those that float.
    pub async fn list_references(
        &mut self,
        organization: &OrganizationId,
        asset: &ReferencedVersion,
        page: PageRequest,
    ) -> Result<Rows<ServiceReference>, StoreError> {
        let statement = &Statements::of(asset.id.kind()).references;
        let args = |limit: i64| {
            args![
                organization,
                asset.id,
                asset.version,
                asset.is_latest,
                page.after,
                limit
            ]
        };
        let mut rows = self.some(statement, args(page.limit), service_reference).await?;
        if rows.is_cut()
            && rows
                .iter()
                .all(|row| rows.iter().next().is_some_and(|first| first.seq == row.seq))
        {
            // There is no room for one service with all of its sets, and half of them would be wrong.
            rows = self
                .rows(statement, args(1), service_reference, usize::MAX)
                .await?
                .cut();
        }
        Ok(rows.join(
            |last, row| last.seq == row.seq,
            |last, row| last.sets.extend(row.sets),
        ))
    }

    /// Returns the ids and names of up to `limit` active services that use the asset.
    pub async fn active_services_using(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        limit: i64,
    ) -> Result<Vec<(ServiceId, String)>, StoreError> {
        self.all(
            &Statements::of(id.kind()).services_using,
            args![organization, id, limit],
            |row| Ok((row.parse("id")?, row.text("name")?)),
        )
        .await
    }
}

impl WriteTx {
    /// Adds an asset without versions.
    pub async fn insert_asset(&mut self, id: AssetId, name: &str) -> Result<(), StoreError> {
        let args = args![&self.organization, id, name, self.changed_at()];
        self.execute(&Statements::of(id.kind()).insert, args)
            .await
            .map(drop)
    }

    /// Marks an asset as deprecated.
    pub async fn deprecate_asset(&mut self, id: AssetId) -> Result<(), StoreError> {
        let args = args![&self.organization, id];
        self.execute(&Statements::of(id.kind()).deprecate, args)
            .await
            .map(drop)
    }

    /// Adds the next version of an asset.
    pub async fn insert_version(
        &mut self,
        id: AssetId,
        version: VersionNumber,
        document: String,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        let previous = (version > VersionNumber::FIRST).then(|| version.get() - 1);
        let args = args![
            &self.organization,
            id,
            version,
            previous,
            document,
            self.change_number(),
            &creator.org_id,
            &creator.user_id,
            self.changed_at(),
        ];
        self.execute(&Statements::of(id.kind()).insert_version, args)
            .await?;
        let args = args![&self.organization, id, version];
        self.execute(&Statements::of(id.kind()).set_latest, args)
            .await
            .map(drop)
    }
}
