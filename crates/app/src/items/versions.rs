//! Versions of items.

use forge_domain::audit::AuditObject;
use forge_domain::id;
use forge_domain::item::{Item, ItemDetails, ItemDocument, ItemVersion};
use forge_domain::user::Variables;
use forge_domain::version::{VersionRange, VersionRef, next_version};
use forge_domain::{Id, OrganizationId, VersionNumber};
use forge_store::{NewSealedVersion, SealedVersion, Tx, VersionBounds, WriteTx};
use serde_json::json;

use super::{authorize_read, live, permissions};
use crate::access::resource::Resource as _;
use crate::page::PageBuilder;
use crate::{App, AppError, Ctx, Page, Written, commit};

/// What seals the secrets of a version; only personas have any.
fn context<K: id::Kind>(organization: &OrganizationId, item: VersionRef<Id<K>>) -> String {
    format!("persona-variables/{organization}/{}/{}", item.id, item.version)
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Internal(Box::new(error))
}

/// Returns a version as it is stored: what is secret in it is sealed.
pub(super) fn sealed<D: ItemDocument, K: id::Kind>(
    ctx: Ctx<'_>,
    item: VersionRef<Id<K>>,
    mut document: D,
) -> Result<NewSealedVersion, AppError> {
    let searched_text = document.searched_text();
    let secrets = document.take_secrets();
    let sealed = if secrets.is_empty() {
        None
    } else {
        let secrets = serde_json::to_vec(&secrets).map_err(internal)?;
        let context = context(&ctx.caller.organization, item);
        Some(ctx.app.keyring.seal(&context, &secrets).map_err(internal)?)
    };
    Ok(NewSealedVersion {
        id: ctx.app.new_id()?,
        version: item.version,
        document: serde_json::to_string(&document).map_err(internal)?,
        sealed,
        searched_text,
    })
}

/// Reads what was stored; what is secret in it only if it is to be opened, else it is left out.
fn opened<D: ItemDetails>(
    app: &App,
    organization: &OrganizationId,
    id: Id<D::IdKind>,
    stored: SealedVersion,
    with_secrets: bool,
) -> Result<ItemVersion<D>, AppError> {
    let mut document: D::Document = serde_json::from_str(&stored.document).map_err(internal)?;
    if let (Some(sealed), true) = (&stored.sealed, with_secrets) {
        let version = stored.version;
        let context = context(organization, VersionRef { id, version });
        let secrets = app.keyring.open(&context, sealed).ok_or_else(|| {
            AppError::internal(format!(
                "the secrets of the {} {id}, version {version}, do not open under this master key",
                D::KIND
            ))
        })?;
        document.put_secrets(serde_json::from_slice::<Variables>(&secrets).map_err(internal)?);
    }
    Ok(ItemVersion {
        version: stored.version,
        id: stored.id,
        document,
        creator: stored.creator,
        created_at: stored.created_at,
    })
}

/// Returns an item that may be used anew, and the content of its latest version, secrets included: for running it, not
/// for showing it.
pub async fn find_latest<D: ItemDetails>(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: Id<D::IdKind>,
) -> Result<(Item<D>, D::Document), AppError> {
    let item = Item::<D>::by_key(tx, organization, &id).await?;
    let item = live(item.ok_or_else(|| Item::<D>::not_found(&id))?)?;
    let version = item.latest_version;
    let item_version = VersionRef { id, version };
    let content = content::<D>(app, tx, organization, item_version).await?;
    Ok((item, content))
}

/// Returns the content of one version of an item, deleted or not, secrets included: for running it, not for showing it.
pub(crate) async fn content<D: ItemDetails>(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    item: VersionRef<Id<D::IdKind>>,
) -> Result<D::Document, AppError> {
    let VersionRef { id, version } = item;
    let stored = tx.find_item_version(organization, id, version).await?;
    let stored = stored
        .ok_or_else(|| AppError::NotFound(format!("there is no version {version} of {} {id}", D::KIND)))?;
    Ok(opened::<D>(app, organization, id, stored, true)?.document)
}

/// Begins the write that adds a version to an item, and returns the item.
pub(crate) async fn begin_version<D: ItemDetails>(
    ctx: Ctx<'_>,
    id: Id<D::IdKind>,
) -> Result<(WriteTx, Item<D>), AppError> {
    let permission = permissions(D::KIND).modify;
    let mut tx = ctx.write(permission).await?;
    let item = ctx.caller.fetch(&mut tx, permission, &id).await?;
    Ok((tx, live(item)?))
}

/// Adds the next version to an item, provided that it gets the number that the caller expects.
pub(crate) async fn add_version<D: ItemDetails>(
    ctx: Ctx<'_>,
    mut tx: WriteTx,
    item: &Item<D>,
    expected: Option<VersionNumber>,
    document: D::Document,
) -> Result<Written<VersionNumber>, AppError> {
    // Unlike for agents, the contract has a 400 for this.
    let version = next_version(Some(item.latest_version), expected)
        .map_err(|error| AppError::Refused(error.to_string()))?;
    let new = sealed(ctx, VersionRef { id: item.id, version }, document)?;
    tx.insert_item_version(item.id, &new, &ctx.caller.user).await?;
    let before = json!({"latest_version": item.latest_version});
    let after = json!({"latest_version": version});
    let object = AuditObject::new(D::KIND, item.id);
    tx.append_audit_event(&ctx.caller.actor(), "create_version", object, before, after)
        .await?;
    commit(tx, version).await
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

/// A page of an item's versions.
#[derive(Clone)]
pub struct VersionPage<D: ItemDetails> {
    /// The versions.
    pub page: Page<ItemVersion<D>>,
    /// Whether secrets are in them: only those who may modify the item, and so could replace them, see any.
    pub with_secrets: bool,
}

/// Returns a page of an item's versions.
pub async fn list_versions<D: ItemDetails>(
    ctx: Ctx<'_>,
    id: Id<D::IdKind>,
    query: &ListVersions,
) -> Result<VersionPage<D>, AppError> {
    let mut tx = ctx.app.store.read().await?;
    let item: Item<D> = authorize_read(&mut tx, ctx.caller, id).await?;
    let with_secrets = ctx
        .caller
        .may(permissions(D::KIND).modify, &item.attributes_for(ctx.caller));
    let mut page = PageBuilder::of_large_rows(tx.room(), query.limit, query.continuation_token);
    let (lower, upper) = query.range.bounds(item.latest_version);
    let bounds = VersionBounds {
        lower,
        upper,
        is_descending: query.is_descending,
    };
    let organization = &ctx.caller.organization;
    while let Some(read) = page.next_read() {
        let rows = tx.list_item_versions(organization, id, bounds, read).await?;
        page.add(rows, read.limit, |version| version.version.get(), |_| true);
    }
    let page = page.finish();
    let opened = |stored| opened::<D>(ctx.app, organization, id, stored, with_secrets);
    let items: Result<Vec<_>, AppError> = page.items.into_iter().map(opened).collect();
    let page = Page {
        items: items?,
        continuation_token: page.continuation_token,
    };
    Ok(VersionPage { page, with_secrets })
}
