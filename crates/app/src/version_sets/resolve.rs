//! Resolving: which exact versions and models a set means, now or at a moment in the past.

use std::sync::Arc;
use std::time::Duration;

use forge_domain::access::Permission;
use forge_domain::asset::{AssetId, AssetVersion};
use forge_domain::fault::Fault;
use forge_domain::plan::PinnedRevision;
use forge_domain::revision::RevisionAction;
use forge_domain::service::Service;
use forge_domain::version_set::ResolvedPins;
use forge_domain::{AgentId, ContextGraphId, Pins, ServiceId, SetName, Timestamp, VersionNumber};
use forge_store::Tx;

use crate::access::resource::Resource as _;
use crate::snapshot::{PreparedAnswer, ServiceState, SetState, SnapshotRead};
use crate::version_sets::pinned::{pinned, resolve_as_of};
use crate::version_sets::{attributes_of_set, gone, service_of_set, unknown};
use crate::{AppError, Caller, Ctx, assets};

/// By how much clocks may differ, as with tokens.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(30);

/// How large the contents of an agent and a context graph may be together to be told with what a set means, in bytes.
pub const MOST_DOCUMENTS_BYTES: usize = 4 * 1024 * 1024;

/// What a runtime runs: exact versions and models.
#[derive(Debug, Clone)]
pub struct Resolution {
    /// The service.
    pub service_id: ServiceId,
    /// The set.
    pub name: SetName,
    /// Its revision.
    pub revision: i64,
    /// What the revision pins.
    pub pins: Pins,
    /// The agent, and its version.
    pub agent: (AgentId, VersionNumber),
    /// The context graph, and its version.
    pub context_graph: (ContextGraphId, VersionNumber),
    /// The contents of both, where asked for.
    pub documents: Option<(Arc<AssetVersion>, Arc<AssetVersion>)>,
}

impl Resolution {
    /// Returns how large the contents are, in bytes.
    pub fn documents_bytes(&self) -> usize {
        let documents = self.documents.iter().flat_map(|(agent, graph)| [agent, graph]);
        documents.map(|version| version.document.get().len()).sum()
    }
}

/// A set as a server remembers it: what it means now, and the answer that says so.
#[derive(Debug)]
pub struct CurrentSet {
    service: Arc<ServiceState>,
    name: SetName,
    /// For how long the database has not answered, if it does not: the set may have changed meanwhile.
    pub stale_for: Option<Duration>,
}

/// Finds a set in memory.
///
/// Nothing of the database is asked, unless the set may have changed.
pub async fn current_set(ctx: Ctx<'_>, service_id: ServiceId, name: SetName) -> Result<CurrentSet, AppError> {
    ctx.caller.require_any_grant(Permission::GetVersionSet)?;
    let known = ctx
        .app
        .snapshots
        .organization(ctx.app, &ctx.caller.organization)
        .await?;
    known.found(in_memory(&known, ctx.caller, service_id, name))
}

fn in_memory(
    known: &SnapshotRead,
    caller: &Caller,
    service_id: ServiceId,
    name: SetName,
) -> Result<CurrentSet, AppError> {
    let service = known
        .state
        .service(service_id)
        .ok_or_else(|| Service::not_found(&service_id))?;
    let Some(set) = service.set(name.as_str()) else {
        caller.authorize(
            Permission::GetVersionSet,
            &attributes_of_set(service.id, &service.name, &name),
        )?;
        return Err(unknown(name.as_str()));
    };
    caller.authorize(Permission::GetVersionSet, &set.attributes)?;
    if set.is_deleted {
        return Err(gone(&name, set.revision));
    }
    Ok(CurrentSet {
        service: Arc::clone(service),
        name,
        stale_for: known.stale_for,
    })
}

impl CurrentSet {
    /// Returns what the set means.
    pub fn resolution(&self) -> Result<Resolution, AppError> {
        resolution(&self.service, self.set()?)
    }

    /// Returns the answer about the set, made by `make` unless it was made before and nothing has changed since.
    ///
    /// # Errors
    /// Returns the error of `make`.
    pub fn answer<E: From<AppError>>(
        &self,
        make: impl FnOnce(Resolution) -> Result<PreparedAnswer, E>,
    ) -> Result<Arc<PreparedAnswer>, E> {
        let set = self.set()?;
        set.answer(|| make(resolution(&self.service, set)?))
    }

    fn set(&self) -> Result<&SetState, AppError> {
        self.service
            .set(self.name.as_str())
            .ok_or_else(|| unknown(self.name.as_str()))
    }
}

pub(crate) fn resolution(service: &ServiceState, set: &SetState) -> Result<Resolution, AppError> {
    let pinned = PinnedRevision {
        revision: set.revision,
        agent_id: service.agent.0,
        context_graph_id: service.context_graph.0,
        resolved: ResolvedPins {
            agent_version: set.pins.agent_version.or(service.agent.1),
            context_graph_version: set.pins.context_graph_version.or(service.context_graph.1),
        },
        pins: set.pins.clone(),
    };
    runnable(service.id, &set.name, pinned)
}

/// Adds the contents of both versions to what a set means.
///
/// The caller must also be allowed to read the agent and the context graph.
pub async fn with_documents(ctx: Ctx<'_>, mut resolution: Resolution) -> Result<Resolution, AppError> {
    let known = ctx
        .app
        .snapshots
        .organization(ctx.app, &ctx.caller.organization)
        .await?;
    let content = async |id: AssetId, version| {
        let missing = || AppError::internal(format!("{} {id} is not in memory", id.kind()));
        assets::authorize_known(ctx.caller, known.state.asset(id).ok_or_else(missing)?)?;
        assets::version_content(ctx.app, (ctx.caller.organization.clone(), id, version)).await
    };
    let ((agent, agent_version), (graph, graph_version)) = (resolution.agent, resolution.context_graph);
    let agent = content(agent.into(), agent_version).await?;
    let graph = content(graph.into(), graph_version).await?;
    resolution.documents = Some((agent, graph));
    if resolution.documents_bytes() > MOST_DOCUMENTS_BYTES {
        return Err(AppError::Refused(format!(
            "the contents take more than {MOST_DOCUMENTS_BYTES} bytes together; resolve without `include=documents`, and \
             read version {agent_version} of the agent and version {graph_version} of the context graph by themselves"
        )));
    }
    Ok(resolution)
}

/// Returns what a set pinned at a moment in the past: after the last change that the organization had made by then.
pub async fn resolve_at(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    at: Timestamp,
) -> Result<Resolution, AppError> {
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    // Clocks differ: that of another server may have given a later time to a change already, and a caller's may be ahead.
    if at > ctx.app.clock.now() + CLOCK_DIFFERENCE {
        let changed_at = tx.find_changed_at(&ctx.caller.organization).await?;
        if changed_at.is_none_or(|changed_at| at > changed_at) {
            let loc = vec!["at".into()];
            let msg = "this moment is still to come; nobody knows what will run then";
            return Err(AppError::Invalid(vec![Fault::new(loc, "in_the_future", msg)]));
        }
    }
    let pinned = pinned_at(&mut tx, ctx.caller, service_id, name, at).await?;
    runnable(service_id, name, pinned)
}

/// Returns what a runtime runs by what a set pins and what that means.
fn runnable(service_id: ServiceId, name: &SetName, pinned: PinnedRevision) -> Result<Resolution, AppError> {
    let ResolvedPins {
        agent_version: Some(agent_version),
        context_graph_version: Some(context_graph_version),
    } = pinned.resolved
    else {
        return Err(AppError::internal(format!(
            "service {service_id} runs on something without versions"
        )));
    };
    Ok(Resolution {
        service_id,
        name: name.clone(),
        revision: pinned.revision,
        pins: pinned.pins,
        agent: (pinned.agent_id, agent_version),
        context_graph: (pinned.context_graph_id, context_graph_version),
        documents: None,
    })
}

/// Returns the revision of a set that was in force at a moment, and what it meant then.
///
/// The past is told by change numbers: a revision was in force, and a version the latest, if their changes had been
/// made.
async fn pinned_at(
    tx: &mut Tx,
    caller: &Caller,
    service_id: ServiceId,
    name: &SetName,
    at: Timestamp,
) -> Result<PinnedRevision, AppError> {
    let organization = &caller.organization;
    service_of_set(tx, caller, Permission::GetVersionSet, service_id, name).await?;
    let change_number = tx.change_number_at(organization, at).await?;
    let revision = tx
        .find_revision_at(organization, service_id, name, change_number)
        .await?;
    let revision = revision.ok_or_else(|| {
        AppError::NotFound(format!("the service had no version set `{name}` at that moment"))
    })?;
    if revision.action == RevisionAction::Delete {
        return Err(gone(name, revision.revision));
    }
    let resolved = resolve_as_of(tx, organization, &revision, change_number).await?;
    Ok(pinned(revision, resolved))
}
