//! Versions of context graphs.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use forge_domain::access::Permission;
use forge_domain::asset::{Asset, AssetId};
use forge_domain::context_graph::rules::{self, MAX_REACHED, MAX_REACHED_BYTES, Referenced};
use forge_domain::context_graph::{ContextGraphDocument, StateNames, references_of_stored};
use forge_domain::fault::Fault;
use forge_domain::version::next_version;
use forge_domain::{ContextGraphId, OrganizationId, Timestamp, VersionNumber};
use forge_store::Tx;

use crate::assets::{find_named, insert_version};
use crate::{AppError, Caller, Ctx, Written, aside, commit};

/// What adding a version takes.
const PERMISSION: Permission = Permission::CreateContextGraphVersion;

/// A new version of a context graph, and how large it is.
#[derive(Clone, Copy)]
struct SizedGraph<'a> {
    document: &'a ContextGraphDocument,
    bytes: usize,
}

/// Creates the next version of a context graph.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: ContextGraphId,
    expected: Option<VersionNumber>,
    document: &ContextGraphDocument,
) -> Result<Written<(VersionNumber, Timestamp)>, AppError> {
    ctx.caller.require_any_grant(PERMISSION)?;
    check_document(document)?;
    let text = text(document)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let bytes = text.len();
    let sized = SizedGraph { document, bytes };
    let (graph, version) = check(ctx, &mut tx, id, expected, sized).await?;
    insert_version(&mut tx, ctx.caller, &graph, version, text).await?;
    let created_at = tx.changed_at();
    commit(tx, (version, created_at)).await
}

/// Checks everything that [`create_version`] checks and stores nothing.
pub async fn dry_run_version(
    ctx: Ctx<'_>,
    id: ContextGraphId,
    expected: Option<VersionNumber>,
    document: &ContextGraphDocument,
) -> Result<(), AppError> {
    ctx.caller.require_any_grant(PERMISSION)?;
    check_document(document)?;
    let bytes = text(document)?.len();
    let sized = SizedGraph { document, bytes };
    let mut tx = ctx.app.store.read().await?;
    check(ctx, &mut tx, id, expected, sized).await.map(drop)
}

fn text(document: &ContextGraphDocument) -> Result<String, AppError> {
    serde_json::to_string(document).map_err(|error| AppError::Internal(Box::new(error)))
}

fn check_document(document: &ContextGraphDocument) -> Result<(), AppError> {
    let faults = rules::check(document);
    if faults.is_empty() {
        return Ok(());
    }
    Err(AppError::Invalid(faults))
}

async fn check(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    id: ContextGraphId,
    expected: Option<VersionNumber>,
    sized: SizedGraph<'_>,
) -> Result<(Asset, VersionNumber), AppError> {
    let document = sized.document;
    let graph: Asset = ctx.caller.fetch(tx, PERMISSION, &id.into()).await?;
    if !document.references.is_empty() {
        ctx.caller.require_any_grant(Permission::GetContextGraph)?;
    }
    if let Some(tool) = document
        .tools()
        .find(|tool| !ctx.app.catalogues.tools.contains(tool))
    {
        return Err(AppError::NotFound(format!(
            "there is no tool {tool} in this installation"
        )));
    }
    let faults = reference_faults(tx, ctx.caller, sized).await?;
    if !faults.is_empty() {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        return Err(AppError::Refused(texts.join("; ")));
    }
    let version = next_version(graph.latest_version, expected)?;
    Ok((graph, version))
}

async fn reference_faults(
    tx: &mut Tx,
    caller: &Caller,
    sized: SizedGraph<'_>,
) -> Result<Vec<Fault>, AppError> {
    let SizedGraph { document, bytes } = sized;
    // Several names may stand for the same version; it is read once.
    let mut known = HashMap::new();
    let mut reach = Reach {
        seen: HashSet::new(),
        bytes,
    };
    for (id, number) in document.references.values() {
        if let Entry::Vacant(place) = known.entry((*id, *number)) {
            place.insert(referenced(tx, caller, *id, *number, &mut reach).await?);
        }
    }
    let look_up = |id, number| {
        known
            .get(&(id, number))
            .cloned()
            .unwrap_or(Referenced::NoSuchGraph)
    };
    Ok(rules::check_references(document, look_up))
}

async fn referenced(
    tx: &mut Tx,
    caller: &Caller,
    graph_id: ContextGraphId,
    number: i64,
    reach: &mut Reach,
) -> Result<Referenced, AppError> {
    let id = AssetId::from(graph_id);
    // Whoever lets conversations enter a graph gets to know what is in it.
    let Some(graph) = find_named(tx, caller, id).await? else {
        return Ok(Referenced::NoSuchGraph);
    };
    if graph.is_deprecated {
        return Ok(Referenced::Deprecated);
    }
    let Ok(number) = VersionNumber::try_from(number) else {
        return Ok(Referenced::NoSuchVersion);
    };
    let organization = &caller.organization;
    if tx.version_bytes(organization, id, number).await?.is_none() {
        return Ok(Referenced::NoSuchVersion);
    }
    if let Some(yank) = tx.find_yank(organization, id, number).await? {
        return Ok(Referenced::Yanked(yank.reason));
    }
    if !reach.add(tx, organization, (graph_id, number)).await? {
        return Ok(Referenced::TooMuch);
    }
    let Some(version) = tx.find_version(organization, id, number).await? else {
        return Ok(Referenced::NoSuchVersion);
    };
    let names = StateNames::of_stored(version.document.get());
    let names = names.map_err(|error| AppError::Internal(Box::new(error)))?;
    Ok(Referenced::Version(Arc::new(names)))
}

/// What a graph comes to with all that it refers to, as far as that was looked at.
struct Reach {
    seen: HashSet<(ContextGraphId, VersionNumber)>,
    bytes: usize,
}

impl Reach {
    /// Adds a version and all that it refers to.
    ///
    /// Returns false as soon as that is too much: no more is read then, nor for what is added later.
    async fn add(
        &mut self,
        tx: &mut Tx,
        organization: &OrganizationId,
        version: (ContextGraphId, VersionNumber),
    ) -> Result<bool, AppError> {
        let internal = |error: serde_json::Error| AppError::Internal(Box::new(error));
        let mut open = vec![version];
        while let Some((id, number)) = open.pop() {
            if !self.seen.insert((id, number)) {
                continue;
            }
            let bytes = tx.version_bytes(organization, id.into(), number).await?;
            let bytes = usize::try_from(bytes.unwrap_or(0)).unwrap_or(usize::MAX / 2);
            self.bytes = self.bytes.saturating_add(bytes);
            if self.seen.len() > MAX_REACHED || self.bytes > MAX_REACHED_BYTES {
                return Ok(false);
            }
            let Some(found) = tx.find_version(organization, id.into(), number).await? else {
                continue;
            };
            let read = move || references_of_stored(found.document.get());
            for (id, number) in aside::run_first(bytes, read).await.map_err(internal)? {
                open.extend(VersionNumber::try_from(number).map(|number| (id, number)));
            }
        }
        Ok(true)
    }
}
