//! In what two sets of a service, or two revisions, differ.

use forge_domain::access::Permission;
use forge_domain::agent::AgentDocument;
use forge_domain::asset::AssetId;
use forge_domain::context_graph::ContextGraphDocument;
use forge_domain::diff::{SetDiff, SetOrRevision, Side, compare_sets};
use forge_domain::plan::PinnedRevision;
use forge_domain::service::Service;
use forge_domain::version_set::Binding;
use forge_domain::{ServiceId, SetName, VersionNumber};
use forge_store::Tx;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::services::lookup::find_binding;
use crate::version_sets::pinned::Revisions;
use crate::version_sets::{set_attributes, unknown};
use crate::{AppError, Caller, Ctx, aside, assets};

/// How many bytes a preference has, about.
const PREFERENCE_BYTES: usize = 256;

/// An agent or a context graph, and the version of it that is meant, unless it has none.
type Meant = (AssetId, Option<VersionNumber>);

/// One of the two things compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The set.
    pub name: SetName,
    /// What its revision pins, and what that means: now if it is the set's latest, else when it was replaced.
    pub content: PinnedRevision,
}

impl Compared {
    fn side(&self) -> Side<'_> {
        Side {
            agent_id: self.content.agent_id,
            context_graph_id: self.content.context_graph_id,
            resolved: self.content.resolved,
            model_preferences: &self.content.pins.model_preferences,
        }
    }

    /// Returns how many bytes its preferences have, about.
    fn preferences_bytes(&self) -> usize {
        self.content.pins.model_preferences.len() * PREFERENCE_BYTES
    }

    fn agent(&self) -> Meant {
        (self.content.agent_id.into(), self.content.resolved.agent_version)
    }

    fn context_graph(&self) -> Meant {
        (
            self.content.context_graph_id.into(),
            self.content.resolved.context_graph_version,
        )
    }
}

/// Two sets or revisions, and in what they differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared.
    pub base: Compared,
    /// What it is compared with.
    pub head: Compared,
    /// In what the head differs from the base.
    pub diff: SetDiff,
}

/// Compares two sets of a service, or two revisions, also of a set that was deleted.
///
/// The caller must be allowed to read both sets, and the agents and context graphs of both, whether their contents differ
/// or not: what is answered must not depend on what is in there.
pub async fn compare(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    base: &SetOrRevision,
    head: &SetOrRevision,
) -> Result<Comparison, AppError> {
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    let service: Service = ctx.caller.find_unchecked(&mut tx, &service_id).await?;
    for name in [&base.name, &head.name] {
        ctx.caller
            .authorize(Permission::GetVersionSet, &set_attributes(&service, name))?;
    }
    let binding = find_binding(&mut tx, ctx.caller, &service).await?;
    let base = load_side(&mut tx, ctx.caller, &service, base, &binding).await?;
    let head = load_side(&mut tx, ctx.caller, &service, head, &binding).await?;
    let agents = [base.agent(), head.agent()];
    let context_graphs = [base.context_graph(), head.context_graph()];
    for (id, _) in agents.into_iter().chain(context_graphs) {
        assets::authorize_read(&mut tx, ctx.caller, id).await?;
    }
    let agents = texts(&mut tx, ctx.caller, agents).await?;
    let context_graphs = texts(&mut tx, ctx.caller, context_graphs).await?;
    drop(tx);
    let pairs = [&agents, &context_graphs].into_iter().flatten();
    let size = pairs
        .map(|(base, head)| base.get().len() + head.get().len())
        .sum::<usize>()
        + base.preferences_bytes()
        + head.preferences_bytes();
    aside::run(size, move || {
        let agents = documents::<AgentDocument>(agents)?;
        let context_graphs = documents::<ContextGraphDocument>(context_graphs)?;
        let diff = compare_sets(
            &base.side(),
            &head.side(),
            agents.as_ref().map(|(from, to)| (from, to)),
            context_graphs.as_ref().map(|(from, to)| (from, to)),
        );
        Ok(Comparison { base, head, diff })
    })
    .await
}

async fn load_side(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    wanted: &SetOrRevision,
    binding: &Binding,
) -> Result<Compared, AppError> {
    let (organization, name) = (&caller.organization, &wanted.name);
    let set = tx.find_set(organization, service.id, name).await?;
    let set = set.ok_or_else(|| unknown(name.as_str()))?;
    if set.is_deleted && wanted.revision.is_none() {
        let last = set.revision - 1;
        let text = format!("version set `{name}` was deleted; what it pinned last is `{name}@{last}`");
        return Err(AppError::NotFound(text));
    }
    let revisions = Revisions {
        organization,
        service: service.id,
        binding,
    };
    let found = revisions.load(tx, &set, wanted.revision).await?;
    let content = found.ok_or_else(|| {
        let latest = set.revision;
        AppError::NotFound(format!(
            "`{wanted}` pins nothing: there is no such revision, or it is a deletion; the latest is {latest}"
        ))
    })?;
    Ok(Compared {
        name: name.clone(),
        content,
    })
}

/// The contents of two versions, as they are stored, or `None` if they are the same version.
type Texts = Option<(Box<RawValue>, Box<RawValue>)>;

/// Returns the contents of two versions.
async fn texts(tx: &mut Tx, caller: &Caller, [base, head]: [Meant; 2]) -> Result<Texts, AppError> {
    if base == head {
        return Ok(None);
    }
    Ok(Some((
        text(tx, caller, base).await?,
        text(tx, caller, head).await?,
    )))
}

async fn text(tx: &mut Tx, caller: &Caller, meant: Meant) -> Result<Box<RawValue>, AppError> {
    let (id, version) = meant;
    let without = || AppError::internal(format!("{} {id} has no versions", id.kind()));
    let version = version.ok_or_else(without)?;
    let found = tx.find_version(&caller.organization, id, version).await?;
    Ok(found.ok_or_else(|| assets::missing(id, version))?.document)
}

fn documents<T: DeserializeOwned>(texts: Texts) -> Result<Option<(T, T)>, AppError> {
    let read = |text: &RawValue| {
        serde_json::from_str(text.get()).map_err(|error| AppError::Internal(Box::new(error)))
    };
    let read = |(base, head): (Box<RawValue>, Box<RawValue>)| Ok((read(&base)?, read(&head)?));
    texts.map(read).transpose()
}
