//! Versions of items.

use std::fmt::Display;

use forge_domain::audit::AuditObject;
use forge_domain::item::{Item, ItemContent, ItemDocument, ItemKind};
use forge_domain::user::Variables;
use forge_domain::version::{VersionRange, next_version};
use forge_domain::{OrganizationId, Timestamp, UserRef, VersionNumber};
use forge_store::{ItemVersion, NewItemVersion, Tx, VersionBounds, WriteTx};
use serde_json::json;

use super::{attributes, authorize_read, find, find_live, live, permissions};
use crate::page::PageBuilder;
use crate::{App, AppError, Ctx, Page, Written, commit};

/// A version of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number.
    pub version: VersionNumber,
    /// Its id beside its number; 24 hex digits.
    pub object_id: String,
    /// Its content.
    pub document: ItemDocument,
    /// Who created it.
    pub creator: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}

fn context(organization: &OrganizationId, id: &str, version: VersionNumber) -> String {
    format!("persona-variables/{organization}/{id}/{version}")
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::Internal(Box::new(error))
}

/// Returns a version as it is stored: what is secret in it is sealed.
pub(super) fn sealed(
    ctx: Ctx<'_>,
    (id, version): (&str, VersionNumber),
    document: ItemDocument,
) -> Result<NewItemVersion, AppError> {
    let searched_text = document.searched_text();
    let (document, sealed) = match document {
        ItemDocument::BehaviorSet(document) => (serde_json::to_string(&document), None),
        ItemDocument::Metric(document) => (serde_json::to_string(&document), None),
        ItemDocument::Scenario(document) => (serde_json::to_string(&document), None),
        ItemDocument::Persona(mut document) => {
            let secrets = std::mem::take(&mut document.sensitive_user_variables);
            let sealed = if secrets.is_empty() {
                None
            } else {
                let secrets = serde_json::to_vec(&secrets).map_err(internal)?;
                let context = context(&ctx.caller.organization, id, version);
                Some(ctx.app.keyring.seal(&context, &secrets).map_err(internal)?)
            };
            (serde_json::to_string(&document), sealed)
        }
    };
    Ok(NewItemVersion {
        id: ctx
            .app
            .new_id::<forge_domain::id::kind::ItemVersion>()?
            .to_string(),
        version,
        document: document.map_err(internal)?,
        sealed,
        searched_text,
    })
}

/// Reads what was stored; what is secret in it only if it is to be opened, else it is left out.
fn opened(
    app: &App,
    organization: &OrganizationId,
    (kind, id): (ItemKind, &str),
    stored: ItemVersion,
    with_secrets: bool,
) -> Result<Version, AppError> {
    let text = stored.document.as_str();
    let document = match kind {
        ItemKind::BehaviorSet => serde_json::from_str(text).map(ItemDocument::BehaviorSet),
        ItemKind::Metric => serde_json::from_str(text).map(ItemDocument::Metric),
        ItemKind::Persona => serde_json::from_str(text).map(ItemDocument::Persona),
        ItemKind::Scenario => serde_json::from_str(text).map(ItemDocument::Scenario),
    };
    let mut document = document.map_err(internal)?;
    if let (ItemDocument::Persona(persona), Some(sealed), true) =
        (&mut document, &stored.sealed, with_secrets)
    {
        let context = context(organization, id, stored.version);
        let secrets = app.keyring.open(&context, sealed).ok_or_else(|| {
            AppError::internal(format!(
                "the sensitive variables of persona {id}, version {}, do not open under this master key",
                stored.version
            ))
        })?;
        persona.sensitive_user_variables = serde_json::from_slice::<Variables>(&secrets).map_err(internal)?;
    }
    Ok(Version {
        version: stored.version,
        object_id: stored.id,
        document,
        creator: stored.creator,
        created_at: stored.created_at,
    })
}

/// Returns an item that may be used anew, and the content of its latest version, secrets included: for running it, not
/// for showing it.
///
/// See [`find_live`].
pub async fn find_latest<C: ItemContent>(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: impl Display,
) -> Result<(Item, C), AppError> {
    let id = id.to_string();
    let item = find_live(tx, organization, C::KIND, &id).await?;
    let content = content(app, tx, organization, (id, item.latest_version)).await?;
    Ok((item, content))
}

/// Returns the content of one version of an item, deleted or not, secrets included: for running it, not for showing it.
pub(crate) async fn content<C: ItemContent>(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    (id, version): (impl Display, VersionNumber),
) -> Result<C, AppError> {
    let (kind, id) = (C::KIND, id.to_string());
    let stored = tx.find_item_version(organization, &id, version).await?;
    let stored =
        stored.ok_or_else(|| AppError::NotFound(format!("there is no version {version} of {kind} {id}")))?;
    let document = opened(app, organization, (kind, &id), stored, true)?.document;
    // It was read as its kind says, so it is of that kind.
    let found = document.kind();
    C::of(document).ok_or_else(|| AppError::internal(format!("expected a {kind}, found a {found}")))
}

/// Begins the write that adds a version to an item, and returns the item.
pub(crate) async fn begin_version(
    ctx: Ctx<'_>,
    kind: ItemKind,
    id: &str,
) -> Result<(WriteTx, Item), AppError> {
    let permission = permissions(kind).modify;
    ctx.caller.require_any_grant(permission)?;
    let mut tx = ctx.app.write(ctx.caller).await?;
    let item = find(&mut tx, &ctx.caller.organization, kind, id).await?;
    ctx.caller.authorize(permission, &attributes(&item))?;
    Ok((tx, live(item)?))
}

/// Adds the next version to an item, provided that it gets the number that the caller expects.
pub(crate) async fn add_version(
    ctx: Ctx<'_>,
    mut tx: WriteTx,
    item: &Item,
    expected: Option<VersionNumber>,
    document: ItemDocument,
) -> Result<Written<VersionNumber>, AppError> {
    // Other than with agents, the contract has a 400 for this.
    let version = next_version(Some(item.latest_version), expected)
        .map_err(|error| AppError::Refused(error.to_string()))?;
    let kind = document.kind();
    let new = sealed(ctx, (&item.id, version), document)?;
    tx.insert_item_version(&item.id, &new, &ctx.caller.user).await?;
    let before = json!({"latest_version": item.latest_version});
    let after = json!({"latest_version": version});
    let object = AuditObject::new(kind, &item.id);
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

/// Returns a page of an item's versions, and whether secrets are in them: only those who may modify the item, and so
/// could replace them, see any.
pub async fn list_versions(
    ctx: Ctx<'_>,
    kind: ItemKind,
    id: &str,
    query: &ListVersions,
) -> Result<(Page<Version>, bool), AppError> {
    let mut tx = ctx.app.store.read().await?;
    let item = authorize_read(&mut tx, ctx.caller, kind, id).await?;
    let with_secrets = ctx.caller.may(permissions(kind).modify, &attributes(&item));
    let mut page = PageBuilder::of_large_rows(tx.room(), query.limit, query.continuation_token);
    let (lower, upper) = query.range.bounds(item.latest_version);
    let bounds = VersionBounds {
        lower,
        upper,
        is_descending: query.is_descending,
    };
    while let Some(read) = page.next_read() {
        let organization = &ctx.caller.organization;
        let rows = tx.list_item_versions(organization, id, bounds, read).await?;
        page.add(rows, read.limit, |version| version.version.get(), |_| true);
    }
    let page = page.finish();
    let opened = |stored| {
        opened(
            ctx.app,
            &ctx.caller.organization,
            (kind, id),
            stored,
            with_secrets,
        )
    };
    let items: Result<Vec<Version>, AppError> = page.items.into_iter().map(opened).collect();
    let page = Page {
        items: items?,
        continuation_token: page.continuation_token,
    };
    Ok((page, with_secrets))
}
