//! Declaring a version unfit.

use forge_domain::asset::{Asset, AssetId};
use forge_domain::audit::AuditObject;
use forge_domain::hex;
use forge_domain::version::VersionRef;
use forge_domain::yank::{NewYank, Yank};
use forge_store::PageRequest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::assets::references::{References, read, require_version};
use crate::assets::{may_read, permissions};
use crate::version_sets::promotion::Precondition;
use crate::{AppError, Ctx, commit};

/// How many services the answer of a yank names; the reverse index pages through the rest.
const SERVICES_TOLD: i64 = 200;

/// How many bytes of a hash tell one yank of a version from another.
const TAG_BYTES: usize = 16;

/// Returns the entity tag of a yank: a hash of all that is told of it.
///
/// The time alone would not do, since yanks at once, or under a clock that was set back, have the same; two that have
/// the same tag are alike to whoever saw one of them.
pub fn tag(yank: &Yank) -> String {
    let told = json!([yank.reason, yank.since.as_millis(), yank.by]);
    hex(&Sha256::digest(told.to_string().as_bytes())[..TAG_BYTES])
}

/// What is to become of the yank of a version.
#[derive(Debug, Clone, Default)]
pub struct YankChange {
    /// Why the version is yanked; without a reason, the yank is taken back.
    pub reason: Option<String>,
    /// Which yank there must be, by its tag.
    pub precondition: Precondition<String>,
}

/// What came of a yank.
#[derive(Debug, Clone)]
pub struct Yanked {
    /// Why the version is yanked, or `None` if it is not any more.
    pub reason: Option<String>,
    /// Which services have sets that mean the version, as far as the caller may see them.
    pub references: References,
    /// The organization's change number of the write, or `None` if all was so already.
    pub change_number: Option<i64>,
}

/// Yanks a version: nothing new may pin it.
///
/// What runs it goes on, and its health says so. Without a reason, takes the yank back. Whoever may create versions of
/// the asset may do both.
///
/// Where all is as it was asked for, nothing is done, whatever the condition says: whoever sends the call again finds it done.
pub async fn yank(ctx: Ctx<'_>, of: VersionRef<AssetId>, change: YankChange) -> Result<Yanked, AppError> {
    let VersionRef { id, version } = of;
    let Ctx { app, caller } = ctx;
    let permission = permissions(id.kind()).create_version;
    caller.require_any_grant(permission)?;
    let known = app.snapshots.organization(app, &caller.organization).await?;
    let mut tx = app.write(caller).await?;
    let asset: Asset = caller.fetch(&mut tx, permission, &id).await?;
    require_version(&asset, version)?;
    let found = tx.find_yank(&caller.organization, id, version).await?;
    let before = found.as_ref().map(|yank| yank.reason.as_str());
    let after = change.reason.as_deref();
    if before != after && !change.precondition.is_fulfilled(found.as_ref().map(tag)) {
        let shown = found.filter(|_| may_read(caller, &asset));
        return Err(AppError::YankMoved(shown.map(Box::new)));
    }
    let page = PageRequest {
        after: 0,
        limit: SERVICES_TOLD,
    };
    let references = read(&mut tx, caller, &known.state, &asset, version, page).await?;
    if before == after {
        return Ok(Yanked {
            reason: change.reason,
            references,
            change_number: None,
        });
    }
    let new = NewYank {
        is_yanked: after.is_some(),
        reason: after.or(before).unwrap_or_default(),
        by: &caller.user,
    };
    tx.put_yank(id, version, new).await?;
    let action = if after.is_some() { "yank" } else { "unyank" };
    let (old, new) = (
        json!({"version": version, "is_yanked": before.is_some()}),
        json!({"version": version, "is_yanked": after.is_some()}),
    );
    tx.append_audit_event(&caller.actor(), action, AuditObject::from(id), old, new)
        .await?;
    let written = commit(tx, ()).await?;
    Ok(Yanked {
        reason: change.reason,
        references,
        change_number: Some(written.change_number),
    })
}
