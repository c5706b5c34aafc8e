//! What agents and context graphs have in common: a name, versions, and an end.

pub mod agents;
pub mod context_graphs;
pub mod references;
pub mod yanks;

use std::collections::HashMap;
use std::sync::Arc;

use forge_domain::access::{Attributes, Permission};
use forge_domain::asset::{Asset, AssetId, AssetKind, AssetVersion};
use forge_domain::audit::AuditObject;
use forge_domain::name::spellings;
use forge_domain::version::VersionRange;
use forge_domain::yank::Yank;
use forge_domain::{OrganizationId, Refusal, ServiceId, VersionNumber, shortened};
use forge_store::{AssetSummary, StoreError, Tx, VersionBounds, WriteTx};
use serde_json::{Value, json};

use crate::access::resource::Resource;
use crate::names::new_asset_name;
use crate::page::PageBuilder;
use crate::services::lookup;
use crate::snapshot::{Size, VersionKey};
use crate::{App, AppError, Caller, Ctx, Page, Written, commit};

/// How many services an error names; the rest is counted by "…".
const SERVICES_NAMED: usize = 5;

/// The permissions on one kind of asset.
struct Permissions {
    create: Permission,
    get: Permission,
    create_version: Permission,
    delete: Permission,
    id: &'static str,
    name: &'static str,
}

const fn permissions(kind: AssetKind) -> Permissions {
    match kind {
        AssetKind::Agent => Permissions {
            create: Permission::CreateAgent,
            get: Permission::GetAgent,
            create_version: Permission::CreateAgentVersion,
            delete: Permission::DeleteAgent,
            id: "agent_id",
            name: "agent_name",
        },
        AssetKind::ContextGraph => Permissions {
            create: Permission::CreateContextGraph,
            get: Permission::GetContextGraph,
            create_version: Permission::CreateContextGraphVersion,
            delete: Permission::DeleteContextGraph,
            id: "service_hierarchical_state_machine_id",
            name: "service_hierarchical_state_machine_name",
        },
    }
}

impl Resource for Asset {
    type Key = AssetId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &AssetId,
    ) -> Result<Option<Self>, StoreError> {
        tx.find_asset(organization, *id).await
    }

    fn not_found(id: &AssetId) -> AppError {
        AppError::NotFound(format!("there is no {} {id}", id.kind()))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(self.id, &self.name)
    }
}

fn attributes_of(id: AssetId, name: &str) -> Attributes {
    let permissions = permissions(id.kind());
    Attributes::default()
        .with(permissions.id, id.to_string())
        .with(permissions.name, name)
}

/// Refuses a caller who may not read the asset of that id.
pub(crate) async fn authorize_read(tx: &mut Tx, caller: &Caller, id: AssetId) -> Result<Asset, AppError> {
    caller.fetch(tx, permissions(id.kind()).get, &id).await
}

/// Returns an asset that the caller names in something else, if it is there and the caller may read it.
pub(crate) async fn find_named(tx: &mut Tx, caller: &Caller, id: AssetId) -> Result<Option<Asset>, AppError> {
    let found = Asset::by_key(tx, &caller.organization, &id).await?;
    Ok(found.filter(|asset| may_read(caller, asset)))
}

/// Returns `true` if a caller may read an asset.
pub(crate) fn may_read(caller: &Caller, asset: &Asset) -> bool {
    asset.allows(caller, permissions(asset.id.kind()).get)
}

/// Refuses a caller who may read nothing of a kind, before anything is looked up.
pub(crate) fn authorize_some_read(caller: &Caller, kind: AssetKind) -> Result<(), AppError> {
    caller.require_any_grant(permissions(kind).get)
}

/// Returns `true` if a caller may read an asset that is in memory.
pub(crate) fn may_read_known(caller: &Caller, asset: &AssetSummary) -> bool {
    caller.may(
        permissions(asset.id.kind()).get,
        &attributes_of(asset.id, &asset.name),
    )
}

/// Refuses a caller who may not read an asset that is in memory.
pub(crate) fn authorize_known(caller: &Caller, asset: &AssetSummary) -> Result<(), AppError> {
    caller.authorize(
        permissions(asset.id.kind()).get,
        &attributes_of(asset.id, &asset.name),
    )
}

/// Returns one version of an asset; only the first time, the store is asked.
pub(crate) async fn version_content(app: &App, key: VersionKey) -> Result<Arc<AssetVersion>, AppError> {
    if let Some(found) = app.snapshots.documents.find(&key) {
        return Ok(found);
    }
    let mut tx = app.store.read().await?;
    let (organization, id, version) = &key;
    let found = tx.find_version(organization, *id, *version).await?;
    let found = found.ok_or_else(|| missing(*id, *version))?;
    let found = Arc::new(found);
    let bytes = found.document.get().len();
    let size = Size {
        text: bytes,
        memory: bytes,
    };
    app.snapshots.documents.keep(key, &found, size);
    Ok(found)
}

/// Says that a version is not there although something runs on it.
pub(crate) fn missing(id: AssetId, version: VersionNumber) -> AppError {
    AppError::internal(format!("version {version} of {} {id} is missing", id.kind()))
}

/// Stores a new version and records who made it.
pub(crate) async fn insert_version(
    tx: &mut WriteTx,
    caller: &Caller,
    asset: &Asset,
    version: VersionNumber,
    document: String,
) -> Result<(), AppError> {
    tx.insert_version(asset.id, version, document, &caller.user)
        .await?;
    let before = json!({"latest_version": asset.latest_version});
    let after = json!({"latest_version": version});
    let object = AuditObject::from(asset.id);
    tx.append_audit_event(&caller.actor(), "create_version", object, before, after)
        .await?;
    Ok(())
}

/// Creates an asset without versions and returns its id.
pub async fn create(ctx: Ctx<'_>, kind: AssetKind, name: &str) -> Result<Written<AssetId>, AppError> {
    let permissions = permissions(kind);
    let field = match kind {
        AssetKind::Agent => "agent_name",
        AssetKind::ContextGraph => "state_machine_name",
    };
    let name = new_asset_name(field, name)?;
    ctx.caller.authorize(
        permissions.create,
        &Attributes::default().with(permissions.name, name.as_str()),
    )?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    for spelling in spellings(&name) {
        let found = tx
            .find_asset_by_name(&ctx.caller.organization, kind, &spelling)
            .await?;
        if found.is_some() {
            return Err(AppError::Conflict(format!(
                "a{} {kind} named `{}` exists already, perhaps deprecated; choose another name",
                if kind == AssetKind::Agent { "n" } else { "" },
                shortened(&name),
            )));
        }
    }
    let id = match kind {
        AssetKind::Agent => AssetId::Agent(ctx.app.new_id()?),
        AssetKind::ContextGraph => AssetId::ContextGraph(ctx.app.new_id()?),
    };
    tx.insert_asset(id, &name).await?;
    let after = json!({"name": name});
    tx.append_audit_event(
        &ctx.caller.actor(),
        "create",
        AuditObject::from(id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, id).await
}

/// What a caller asks of a list of assets.
#[derive(Debug, Clone)]
pub struct ListAssets {
    /// Only these; none means all.
    pub ids: Vec<AssetId>,
    /// Only deprecated ones, or only others.
    pub is_deprecated: Option<bool>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// Returns a page of the assets that the caller may see, in order of creation.
pub async fn list(ctx: Ctx<'_>, kind: AssetKind, query: &ListAssets) -> Result<Page<Asset>, AppError> {
    let Ctx { app, caller } = ctx;
    let permission = permissions(kind).get;
    if !caller.may_some(permission) {
        return Ok(Page::empty());
    }
    let is_visible = |asset: &Asset| asset.allows(caller, permission);
    let mut tx = app.store.read().await?;
    let mut page = PageBuilder::new(tx.room(), query.limit, query.continuation_token);
    if query.ids.is_empty() {
        while let Some(read) = page.next_read() {
            let organization = &caller.organization;
            let rows = tx
                .list_assets(organization, kind, query.is_deprecated, read)
                .await?;
            page.add(rows, read.limit, |asset| asset.seq, is_visible);
        }
    } else {
        let mut rows = Vec::new();
        for id in &query.ids {
            rows.extend(tx.asset_row(&caller.organization, *id).await?);
        }
        rows.sort_unstable_by_key(|(asset, _)| asset.seq);
        rows.dedup_by_key(|(asset, _)| asset.seq);
        rows.retain(|(asset, _)| asset.seq > query.continuation_token);
        rows.retain(|(asset, _)| {
            query
                .is_deprecated
                .is_none_or(|wanted| wanted == asset.is_deprecated)
        });
        page.add(
            rows.into_iter().collect(),
            i64::MAX,
            |asset| asset.seq,
            is_visible,
        );
    }
    Ok(page.finish())
}

/// Deprecates an asset: it stays readable and keeps running where it runs, but nothing new may start to use it.
pub async fn deprecate(ctx: Ctx<'_>, id: AssetId) -> Result<Written<()>, AppError> {
    let kind = id.kind();
    let permission = permissions(kind).delete;
    let mut tx = ctx.write(permission).await?;
    let asset: Asset = ctx.caller.fetch(&mut tx, permission, &id).await?;
    if asset.is_deprecated {
        return Err(AppError::Conflict(format!("{kind} {id} is deprecated already")));
    }
    let limit = i64::try_from(SERVICES_NAMED + 1).unwrap_or(i64::MAX);
    let services = tx
        .active_services_using(&ctx.caller.organization, id, limit)
        .await?;
    if !services.is_empty() {
        let services = users(ctx.caller, &services);
        return Err(Refusal::InUse {
            asset: kind,
            services,
        }
        .into());
    }
    tx.deprecate_asset(id).await?;
    let (before, after) = (json!({"deprecated": false}), json!({"deprecated": true}));
    tx.append_audit_event(
        &ctx.caller.actor(),
        "deprecate",
        AuditObject::from(id),
        before,
        after,
    )
    .await?;
    commit(tx, ()).await
}

/// Returns the names of the first services that use an asset, as far as the caller may see them.
fn users(caller: &Caller, services: &[(ServiceId, String)]) -> String {
    let may_see = |(id, name): &&(ServiceId, String)| {
        caller.may(Permission::GetService, &lookup::attributes_of(*id, name))
    };
    let first = &services[..services.len().min(SERVICES_NAMED)];
    let mut names: Vec<String> = first
        .iter()
        .filter(may_see)
        .map(|(_, name)| format!("`{name}`"))
        .collect();
    if names.len() < first.len() {
        names.push("some that you may not see".to_owned());
    }
    if first.len() < services.len() {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// What a caller asks of a list of versions.
#[derive(Debug, Clone)]
pub struct ListVersions {
    /// Which versions.
    pub range: VersionRange,
    /// Whether the newest comes first.
    pub is_descending: bool,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended: the number of its last version.
    pub continuation_token: i64,
}

/// A version in a list.
#[derive(Debug, Clone)]
pub struct ListedVersion {
    /// The version.
    pub version: AssetVersion,
    /// That it is yanked, if it is.
    pub yank: Option<Yank>,
}

/// Returns a page of an asset's versions.
pub async fn list_versions(
    ctx: Ctx<'_>,
    id: AssetId,
    query: &ListVersions,
) -> Result<Page<ListedVersion>, AppError> {
    let Ctx { app, caller } = ctx;
    let mut tx = app.store.read().await?;
    let asset = authorize_read(&mut tx, caller, id).await?;
    let page = read_versions(&mut tx, caller, &asset, query).await?;
    let numbers = || page.items.iter().map(|version| version.version);
    let mut yanks = match (numbers().min(), numbers().max()) {
        (Some(lower), Some(upper)) => tx.list_yanks(&caller.organization, id, lower..=upper).await?,
        _ => HashMap::new(),
    };
    let listed = |version: AssetVersion| ListedVersion {
        yank: yanks.remove(&version.version),
        version,
    };
    Ok(Page {
        continuation_token: page.continuation_token,
        items: page.items.into_iter().map(listed).collect(),
    })
}

async fn read_versions(
    tx: &mut Tx,
    caller: &Caller,
    asset: &Asset,
    query: &ListVersions,
) -> Result<Page<AssetVersion>, AppError> {
    let mut page = PageBuilder::of_large_rows(tx.room(), query.limit, query.continuation_token);
    let Some(latest) = asset.latest_version else {
        return Ok(page.finish());
    };
    let (lower, upper) = query.range.bounds(latest);
    let bounds = VersionBounds {
        lower,
        upper,
        is_descending: query.is_descending,
    };
    while let Some(read) = page.next_read() {
        let organization = &caller.organization;
        let rows = tx.list_versions(organization, asset.id, bounds, read).await?;
        page.add(rows, read.limit, |version| version.version.get(), |_| true);
    }
    Ok(page.finish())
}
