//! Where a version runs, and declaring it unfit.

use forge_domain::access::Permission;
use forge_domain::refusal::AssetKind;
use forge_domain::{ServiceId, UnitTestId, VersionNumber};
use forge_store::{Asset, Tx};
pub use forge_store::{RunningConversations, ServiceReference, SetReference};
use serde_json::json;

use crate::assets::{authorize_new_version, authorize_read, authorize_some_new_version, object};
use crate::memory::OrganizationState;
use crate::page::PageBuilder;
use crate::unit_tests::VisibleUnitTests;
use crate::version_sets::attributes_of_set;
use crate::{App, AppError, Caller, Page, commit};

/// How many services the answer of a yank names; the reverse index pages through the rest.
const SERVICES_TOLD: i64 = 200;

/// Returns a page of the services with sets that mean a version: those that pin it and, if it is the latest, those that
/// float. Only sets that the caller may see are told.
pub async fn list(
    app: &App,
    caller: &Caller,
    kind: AssetKind,
    (id, version): (&str, VersionNumber),
    limit: i64,
    continuation_token: i64,
) -> Result<References, AppError> {
    let known = app.memory.organization(app, &caller.organization).await?;
    let mut tx = app.store.read().await?;
    let asset = authorize_read(&mut tx, caller, kind, id).await?;
    require_version(&asset, kind, version)?;
    let asset = (&asset, version);
    read(
        &mut tx,
        caller,
        &known.state,
        kind,
        asset,
        limit,
        continuation_token,
    )
    .await
}

/// Where a version runs, as far as the caller may see it.
#[derive(Debug, Clone)]
pub struct References {
    /// Services with sets that mean the version now.
    pub services: Page<ServiceReference>,
    /// What started the unfinished conversations that run on it, whatever the sets mean by now.
    pub running: Vec<RunningConversations>,
    /// The unit tests that name one of the sets told.
    pub unit_tests: Vec<UnitTestId>,
}

fn require_version(asset: &Asset, kind: AssetKind, version: VersionNumber) -> Result<(), AppError> {
    if version.exists(asset.latest_version) {
        return Ok(());
    }
    Err(AppError::NotFound(format!(
        "{kind} {} has no version {version}",
        asset.id
    )))
}

async fn read(
    tx: &mut Tx,
    caller: &Caller,
    state: &OrganizationState,
    kind: AssetKind,
    (asset, version): (&Asset, VersionNumber),
    limit: i64,
    continuation_token: i64,
) -> Result<References, AppError> {
    let is_latest = asset.latest_version == Some(version);
    let mut page = PageBuilder::new(tx.room(), limit, continuation_token);
    while let Some((after, count)) = page.next_read() {
        let version = (asset.id.as_str(), version, is_latest);
        let mut rows = tx
            .list_references(&caller.organization, kind, version, after, count)
            .await?;
        for row in rows.iter_mut() {
            let (id, name) = (row.service_id, row.service_name.clone());
            row.sets.retain(|set| may_see(caller, id, &name, set));
        }
        page.add(rows, count, |row| row.seq, |row| !row.sets.is_empty());
    }
    let running = tx
        .conversations_running_on(&caller.organization, kind, &asset.id, version)
        .await?;
    let is_seen = |running: &RunningConversations| {
        let service = state.service(running.service_id);
        service.is_some_and(|service| {
            let attributes = attributes_of_set(service.id, &service.name, &running.set);
            caller.may(Permission::GetVersionSet, &attributes)
        })
    };
    let services = page.finish();
    let mut unit_tests = Vec::new();
    for service in &services.items {
        let tests = VisibleUnitTests::of_service(tx, caller, service.service_id).await?;
        unit_tests.extend(service.sets.iter().flat_map(|set| tests.of_set(&set.name)));
    }
    Ok(References {
        services,
        unit_tests,
        running: running.into_iter().filter(is_seen).collect(),
    })
}

fn may_see(caller: &Caller, id: ServiceId, name: &str, set: &SetReference) -> bool {
    caller.may(Permission::GetVersionSet, &attributes_of_set(id, name, &set.name))
}

/// What came of a yank.
#[derive(Debug, Clone)]
pub struct Yanked {
    /// Why the version is yanked; nothing if it is not any more.
    pub reason: Option<String>,
    /// Which services have sets that mean the version, as far as the caller may see them.
    pub references: References,
    /// The organization's change number of the write; nothing if all was so already.
    pub change_number: Option<i64>,
}

/// Yanks a version: nothing new may pin it. What runs it goes on, and its health says so. Without a reason, takes the yank
/// back. Whoever may create versions of the asset may do both.
pub async fn yank(
    app: &App,
    caller: &Caller,
    kind: AssetKind,
    (id, version): (&str, VersionNumber),
    reason: Option<&str>,
) -> Result<Yanked, AppError> {
    authorize_some_new_version(caller, kind)?;
    let known = app.memory.organization(app, &caller.organization).await?;
    let mut tx = app.write(caller).await?;
    let asset = authorize_new_version(&mut tx, caller, kind, id).await?;
    require_version(&asset, kind, version)?;
    let before = tx.find_yank(&caller.organization, kind, id, version).await?;
    let before = before.map(|yank| yank.reason);
    let read = read(
        &mut tx,
        caller,
        &known.state,
        kind,
        (&asset, version),
        SERVICES_TOLD,
        0,
    );
    let references = read.await?;
    let after = reason.map(str::to_owned);
    if before == after {
        return Ok(Yanked {
            reason: after,
            references,
            change_number: None,
        });
    }
    let text = reason.or(before.as_deref()).unwrap_or_default();
    tx.put_yank(kind, id, version, reason.is_some(), (text, &caller.user))
        .await?;
    let action = if reason.is_some() { "yank" } else { "unyank" };
    let (old, new) = (
        json!({"version": version, "is_yanked": before.is_some()}),
        json!({"version": version, "is_yanked": after.is_some()}),
    );
    tx.append_audit_event(&caller.actor(), action, object(kind, id), old, new)
        .await?;
    let written = commit(tx, ()).await?;
    Ok(Yanked {
        reason: after,
        references,
        change_number: Some(written.change_number),
    })
}
