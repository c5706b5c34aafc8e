//! Yanked versions of agents and context graphs.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::yank::{NewYank, Yank, YankedVersion};
use forge_domain::{AgentId, ContextGraphId, OrganizationId, VersionNumber};

use crate::StoreError;
use crate::row::{Row, args};
use crate::statement::{Statement, statements};
use crate::tx::{Tx, WriteTx};

statements! {
    LIST_YANKED = "SELECT 'agent' AS asset, version, reason FROM agent_version_yank
        WHERE organization_id = $1 AND agent_id = $2 AND is_yanked
        UNION ALL
        SELECT 'context_graph' AS asset, version, reason FROM context_graph_version_yank
        WHERE organization_id = $1 AND context_graph_id = $3 AND is_yanked
        ORDER BY asset, version";
    FIND_AGENT_YANK = "SELECT is_yanked, reason, actor_org_id, actor_user_id, changed_at FROM agent_version_yank
        WHERE organization_id = $1 AND agent_id = $2 AND version = $3";
    FIND_CONTEXT_GRAPH_YANK = "SELECT is_yanked, reason, actor_org_id, actor_user_id, changed_at
        FROM context_graph_version_yank
        WHERE organization_id = $1 AND context_graph_id = $2 AND version = $3";
    LIST_AGENT_YANKS = "SELECT version, reason, actor_org_id, actor_user_id, changed_at
        FROM agent_version_yank
        WHERE organization_id = $1 AND agent_id = $2 AND version BETWEEN $3 AND $4 AND is_yanked";
    LIST_CONTEXT_GRAPH_YANKS = "SELECT version, reason, actor_org_id, actor_user_id, changed_at
        FROM context_graph_version_yank
        WHERE organization_id = $1 AND context_graph_id = $2 AND version BETWEEN $3 AND $4 AND is_yanked";
    PUT_AGENT_YANK = "INSERT INTO agent_version_yank
            (organization_id, agent_id, version, is_yanked, reason, actor_org_id, actor_user_id, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (organization_id, agent_id, version) DO UPDATE SET is_yanked = $4, reason = $5,
            actor_org_id = $6, actor_user_id = $7, changed_at = $8";
    PUT_CONTEXT_GRAPH_YANK = "INSERT INTO context_graph_version_yank
            (organization_id, context_graph_id, version, is_yanked, reason, actor_org_id, actor_user_id, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (organization_id, context_graph_id, version) DO UPDATE SET is_yanked = $4, reason = $5,
            actor_org_id = $6, actor_user_id = $7, changed_at = $8";
}

fn yanked_version(row: &Row<'_>) -> Result<YankedVersion, StoreError> {
    let is_agent = row.text("asset")? == "agent";
    Ok(YankedVersion {
        asset: if is_agent {
            AssetKind::Agent
        } else {
            AssetKind::ContextGraph
        },
        version: row.convert("version")?,
        reason: row.text("reason")?,
    })
}

fn yank(row: &Row<'_>) -> Result<Yank, StoreError> {
    Ok(Yank {
        reason: row.text("reason")?,
        by: row.user("actor")?,
        since: row.time("changed_at")?,
    })
}

/// The statements about one kind of asset.
struct Statements {
    find: &'static Statement,
    list: &'static Statement,
    put: &'static Statement,
}

const fn statements_of(kind: AssetKind) -> Statements {
    match kind {
        AssetKind::Agent => Statements {
            find: &FIND_AGENT_YANK,
            list: &LIST_AGENT_YANKS,
            put: &PUT_AGENT_YANK,
        },
        AssetKind::ContextGraph => Statements {
            find: &FIND_CONTEXT_GRAPH_YANK,
            list: &LIST_CONTEXT_GRAPH_YANKS,
            put: &PUT_CONTEXT_GRAPH_YANK,
        },
    }
}

impl Tx {
    /// Returns the yanked versions of an agent and a context graph.
    pub async fn list_yanked(
        &mut self,
        organization: &OrganizationId,
        agent_id: AgentId,
        context_graph_id: ContextGraphId,
    ) -> Result<Vec<YankedVersion>, StoreError> {
        let args = args![organization, agent_id, context_graph_id];
        self.all(&LIST_YANKED, args, yanked_version).await
    }

    /// Returns the yank of a version, if it is yanked.
    pub async fn find_yank(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        version: VersionNumber,
    ) -> Result<Option<Yank>, StoreError> {
        let yank = |row: &Row<'_>| {
            let yank = yank(row)?;
            Ok(row.boolean("is_yanked")?.then_some(yank))
        };
        let find = statements_of(id.kind()).find;
        let found = self
            .optional(find, args![organization, id, version], yank)
            .await?;
        Ok(found.flatten())
    }

    /// Returns the yanks of the versions of an asset in a range of numbers.
    pub async fn list_yanks(
        &mut self,
        organization: &OrganizationId,
        id: AssetId,
        versions: RangeInclusive<VersionNumber>,
    ) -> Result<HashMap<VersionNumber, Yank>, StoreError> {
        let args = args![organization, id, *versions.start(), *versions.end()];
        let yanked = |row: &Row<'_>| Ok((row.convert("version")?, yank(row)?));
        let found = self.all(statements_of(id.kind()).list, args, yanked).await?;
        Ok(found.into_iter().collect())
    }
}

impl WriteTx {
    /// Yanks a version, or takes its yank back.
    pub async fn put_yank(
        &mut self,
        id: AssetId,
        version: VersionNumber,
        new: NewYank<'_>,
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            version,
            new.is_yanked,
            new.reason,
            &new.by.org_id,
            &new.by.user_id,
            self.changed_at(),
        ];
        self.execute(statements_of(id.kind()).put, args).await.map(drop)
    }
}
