//! Services.

use forge_domain::asset::AssetKind;
use forge_domain::service::{Service, ServiceFields};
use forge_domain::tag::Tags;
use forge_domain::version_set::{Binding, Bound};
use forge_domain::{AgentId, ContextGraphId, OrganizationId, ServiceId, Sort, UserRef};

use crate::StoreError;
use crate::name::hash;
use crate::page_request::PageRequest;
use crate::row::{Row, args, to_json};
use crate::rows::Rows;
use crate::sort::{ListArgs, Place, Places, SortColumn, SortedList, order};
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

statements! {
    INSERT_SERVICE = "INSERT INTO service (organization_id, id, seq, name, description, is_active, agent_id,
            context_graph_id, tags, keyterms, creator_org_id, creator_user_id, updated_by_org_id,
            updated_by_user_id, created_at, updated_at, name_hash)
        VALUES ($1, $2, (SELECT COALESCE(MAX(seq), 0) + 1 FROM service WHERE organization_id = $1),
            $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $11, $12, $12, $13)";
    UPDATE_SERVICE = "UPDATE service SET name = $3, description = $4, is_active = $5, agent_id = $6,
            context_graph_id = $7, tags = $8, keyterms = $9, updated_by_org_id = $10, updated_by_user_id = $11,
            updated_at = $12, name_hash = $13
        WHERE organization_id = $1 AND id = $2";
    FIND_SERVICE = "SELECT id, seq, name, description, is_active, agent_id, context_graph_id, tags, keyterms,
            creator_org_id, creator_user_id, updated_by_org_id, updated_by_user_id, created_at, updated_at
        FROM service WHERE organization_id = $1 AND id = $2";
    FIND_BOUND_SERVICE = "SELECT service.id, service.seq, service.name, service.description, service.is_active,
            service.agent_id, service.context_graph_id, service.tags, service.keyterms, service.creator_org_id,
            service.creator_user_id, service.updated_by_org_id, service.updated_by_user_id, service.created_at,
            service.updated_at, agent.latest_version AS agent_latest, agent.is_deprecated AS agent_is_deprecated,
            context_graph.latest_version AS context_graph_latest,
            context_graph.is_deprecated AS context_graph_is_deprecated
        FROM service
        JOIN agent ON agent.organization_id = service.organization_id AND agent.id = service.agent_id
        JOIN context_graph ON context_graph.organization_id = service.organization_id
            AND context_graph.id = service.context_graph_id
        WHERE service.organization_id = $1 AND service.id = $2";
    FIND_ACTIVE_SERVICE_BY_NAME = "SELECT id FROM service
        WHERE organization_id = $1 AND name_hash = $2 AND is_active";
    HAS_ROW = "SELECT seq FROM service WHERE organization_id = $1 AND seq = $2";
    LIST_TAGS = "SELECT id, name, tags FROM service WHERE organization_id = $1 ORDER BY seq";
    FIND_BINDING = "SELECT agent.id AS agent_id, agent.latest_version AS agent_latest,
            agent.is_deprecated AS agent_is_deprecated, context_graph.id AS context_graph_id,
            context_graph.latest_version AS context_graph_latest,
            context_graph.is_deprecated AS context_graph_is_deprecated
        FROM agent, context_graph
        WHERE agent.organization_id = $1 AND agent.id = $2
            AND context_graph.organization_id = $1 AND context_graph.id = $3";
}

/// What services are sorted by.
///
/// Services equal in all keys stay in order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// By name, in the order of code points.
    Name,
    /// By whether it is active; inactive ones first.
    IsActive,
}

/// The list of services.
const LIST: SortedList = SortedList {
    name: "service.list",
    select: "SELECT id, seq, name, description, is_active, agent_id, context_graph_id, tags, keyterms,
            creator_org_id, creator_user_id, updated_by_org_id, updated_by_user_id, created_at, updated_at
        FROM service
        WHERE organization_id = $1",
    scope: 1,
    filters: &["CASE WHEN is_active THEN 1 ELSE 0 END = ?"],
    seq: "seq",
    // An integer, because PostgreSQL and SQLite sort booleans alike only by accident.
    columns: &[
        SortColumn::long_text("name"),
        SortColumn::integer("is_active").of("CASE WHEN is_active THEN 1 ELSE 0 END"),
    ],
    places: Places::Moving(HAS_ROW),
};

pub(crate) fn sorted_lists() -> Vec<Statement> {
    LIST.samples()
}

fn service(row: &Row<'_>) -> Result<Service, StoreError> {
    Ok(Service {
        id: row.parse("id")?,
        seq: row.integer("seq")?,
        name: row.text("name")?,
        description: row.text("description")?,
        is_active: row.boolean("is_active")?,
        agent_id: row.parse("agent_id")?,
        context_graph_id: row.parse("context_graph_id")?,
        tags: row.json("tags")?,
        keyterms: row.json("keyterms")?,
        creator: row.user("creator")?,
        updated_by: row.user("updated_by")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn bound(kind: AssetKind, prefix: &str, row: &Row<'_>) -> Result<Bound, StoreError> {
    Ok(Bound {
        id: row.asset_id(kind, &format!("{prefix}_id"))?,
        latest: row.convert_optional(&format!("{prefix}_latest"))?,
        is_deprecated: row.boolean(&format!("{prefix}_is_deprecated"))?,
    })
}

fn binding(row: &Row<'_>) -> Result<Binding, StoreError> {
    Ok(Binding {
        agent: bound(AssetKind::Agent, "agent", row)?,
        context_graph: bound(AssetKind::ContextGraph, "context_graph", row)?,
    })
}

impl Tx {
    /// Returns a service.
    pub async fn find_service(
        &mut self,
        organization: &OrganizationId,
        id: ServiceId,
    ) -> Result<Option<Service>, StoreError> {
        self.optional(&FIND_SERVICE, args![organization, id], service)
            .await
    }

    /// Returns the row of a service, if there is one.
    pub async fn service_row(
        &mut self,
        organization: &OrganizationId,
        id: ServiceId,
    ) -> Result<Rows<Service>, StoreError> {
        self.some(&FIND_SERVICE, args![organization, id], service).await
    }

    /// Returns a service with the latest versions of its agent and its context graph.
    pub async fn find_bound_service(
        &mut self,
        organization: &OrganizationId,
        id: ServiceId,
    ) -> Result<Option<(Service, Binding)>, StoreError> {
        self.optional(&FIND_BOUND_SERVICE, args![organization, id], |row| {
            Ok((service(row)?, binding(row)?))
        })
        .await
    }

    /// Returns the id of an active service of that name, however it is spelled, unless it is the one left out.
    pub async fn find_service_namesake(
        &mut self,
        organization: &OrganizationId,
        name: &str,
        except: Option<ServiceId>,
    ) -> Result<Option<ServiceId>, StoreError> {
        let scope = args![organization];
        self.namesake(&FIND_ACTIVE_SERVICE_BY_NAME, scope, name, except)
            .await
    }

    /// Returns a page of services in the order asked for.
    ///
    /// Returns `None` if there is no such place.
    pub async fn list_services(
        &mut self,
        organization: &OrganizationId,
        sort: &[Sort<SortKey>],
        is_active: Option<bool>,
        page: PageRequest<Place>,
    ) -> Result<Option<Rows<Service>>, StoreError> {
        let order = order(sort, |key| key as usize);
        let args = ListArgs {
            scope: args![organization],
            filters: args![is_active.map(i64::from)],
        };
        self.page(&LIST, args, &order, page, service).await
    }

    /// Returns the id, the name and the tags of every service of the organization.
    pub async fn list_service_tags(
        &mut self,
        organization: &OrganizationId,
    ) -> Result<Vec<(ServiceId, String, Tags)>, StoreError> {
        self.all(&LIST_TAGS, args![organization], |row| {
            Ok((row.parse("id")?, row.text("name")?, row.json("tags")?))
        })
        .await
    }

    /// Returns the latest versions of an agent and a context graph, or `None` if either is missing.
    pub async fn find_binding(
        &mut self,
        organization: &OrganizationId,
        agent_id: AgentId,
        context_graph_id: ContextGraphId,
    ) -> Result<Option<Binding>, StoreError> {
        self.optional(
            &FIND_BINDING,
            args![organization, agent_id, context_graph_id],
            binding,
        )
        .await
    }
}

impl WriteTx {
    /// Adds a service.
    ///
    /// Its `edge` and `release` must follow in the same transaction.
    pub async fn insert_service(
        &mut self,
        id: ServiceId,
        fields: &ServiceFields,
        creator: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_service(&INSERT_SERVICE, id, fields, creator).await
    }

    /// Replaces the fields of a service.
    ///
    /// Its sets must follow if the agent or the graph is another one.
    pub async fn update_service(
        &mut self,
        id: ServiceId,
        fields: &ServiceFields,
        updated_by: &UserRef,
    ) -> Result<(), StoreError> {
        self.write_service(&UPDATE_SERVICE, id, fields, updated_by).await
    }

    async fn write_service(
        &mut self,
        statement: &Statement,
        id: ServiceId,
        fields: &ServiceFields,
        user: &UserRef,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            &fields.name,
            &fields.description,
            fields.is_active,
            fields.agent_id,
            fields.context_graph_id,
            to_json(&fields.tags),
            to_json(&fields.keyterms),
            &user.org_id,
            &user.user_id,
            self.changed_at(),
            hash(&fields.name),
        ];
        self.execute(statement, args).await.map(drop)
    }
}
