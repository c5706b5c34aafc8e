//! Versions of agents.

use forge_domain::access::Permission;
use forge_domain::agent::{AgentChange, AgentDocument};
use forge_domain::asset::Asset;
use forge_domain::version::next_version;
use forge_domain::{AgentId, Refusal, Timestamp, VersionNumber};

use crate::assets::insert_version;
use crate::{AppError, Ctx, Written, commit};

/// Creates the next version of an agent: what the change names, and the latest version's for the rest.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: AgentId,
    expected: Option<VersionNumber>,
    change: AgentChange,
) -> Result<Written<(VersionNumber, Timestamp)>, AppError> {
    const PERMISSION: Permission = Permission::CreateAgentVersion;
    let Ctx { app, caller } = ctx;
    let mut tx = ctx.write(PERMISSION).await?;
    let agent: Asset = caller.fetch(&mut tx, PERMISSION, &id.into()).await?;
    let version = next_version(agent.latest_version, expected)?;
    let latest = match agent.latest_version {
        Some(latest) => tx.find_version(&caller.organization, id.into(), latest).await?,
        None => None,
    };
    let latest: Option<AgentDocument> = latest
        .map(|version| serde_json::from_str(version.document.get()))
        .transpose()
        .map_err(|error| AppError::Internal(Box::new(error)))?;
    let document = change
        .apply(latest)
        .map_err(|error| AppError::Refused(error.to_string()))?;
    if !app.catalogues.voices.has(&document.voice_config.voice_id) {
        return Err(Refusal::NoSuchVoice(document.voice_config.voice_id).into());
    }
    let text = serde_json::to_string(&document).map_err(|error| AppError::Internal(Box::new(error)))?;
    insert_version(&mut tx, caller, &agent, version, text).await?;
    let created_at = tx.changed_at();
    commit(tx, (version, created_at)).await
}
