//! Yanked versions of agents and context graphs.

use forge_domain::plan::YankedVersion;
use forge_domain::refusal::AssetKind;
use forge_domain::{AgentId, ContextGraphId, OrganizationId, Timestamp, UserRef, VersionNumber};

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

/// Says that a version is yanked: nothing new may pin it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yank {
    /// Why.
    pub reason: String,
    /// Who yanked it.
    pub by: UserRef,
    /// When.
    pub since: Timestamp,
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

fn statements_of(kind: AssetKind) -> (&'static Statement, &'static Statement) {
    match kind {
        AssetKind::Agent => (&FIND_AGENT_YANK, &PUT_AGENT_YANK),
        AssetKind::ContextGraph => (&FIND_CONTEXT_GRAPH_YANK, &PUT_CONTEXT_GRAPH_YANK),
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
        kind: AssetKind,
        id: &str,
        version: VersionNumber,
    ) -> Result<Option<Yank>, StoreError> {
        let yank = |row: &Row<'_>| {
            let yank = Yank {
                reason: row.text("reason")?,
                by: row.user("actor")?,
                since: row.time("changed_at")?,
            };
            Ok(row.boolean("is_yanked")?.then_some(yank))
        };
        let (find, _) = statements_of(kind);
        let found = self
            .optional(find, args![organization, id, version], yank)
            .await?;
        Ok(found.flatten())
    }
}

impl WriteTx {
    /// Yanks a version, or takes its yank back.
    pub async fn put_yank(
        &mut self,
        kind: AssetKind,
        id: &str,
        version: VersionNumber,
        is_yanked: bool,
        (reason, by): (&str, &UserRef),
    ) -> Result<(), StoreError> {
        let args = args![
            &self.organization,
            id,
            version,
            is_yanked,
            reason,
            &by.org_id,
            &by.user_id,
            self.now(),
        ];
        let (_, put) = statements_of(kind);
        self.execute(put, args).await.map(drop)
    }
}
