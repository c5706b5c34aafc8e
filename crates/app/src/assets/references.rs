//! Where a version runs.

use forge_domain::access::Permission;
use forge_domain::asset::{Asset, AssetId};
use forge_domain::conversation::RunningConversations;
use forge_domain::reference::{ServiceReference, SetReference};
use forge_domain::version::VersionRef;
use forge_domain::{ServiceId, UnitTestId, VersionNumber};
use forge_store::{PageRequest, ReferencedVersion, Tx};

use crate::assets::authorize_read;
use crate::page::PageBuilder;
use crate::simulations::unit_tests::VisibleUnitTests;
use crate::snapshot::OrganizationState;
use crate::version_sets::attributes_of_set;
use crate::{AppError, Caller, Ctx, Page};

/// Returns a page of the services with sets that mean a version: those that pin it and, if it is the latest, those that
/// float.
///
/// Only sets that the caller may see are told.
pub async fn list(
    ctx: Ctx<'_>,
    of: VersionRef<AssetId>,
    limit: i64,
    continuation_token: i64,
) -> Result<References, AppError> {
    let VersionRef { id, version } = of;
    let known = ctx
        .app
        .snapshots
        .organization(ctx.app, &ctx.caller.organization)
        .await?;
    let mut tx = ctx.app.store.read().await?;
    let asset = authorize_read(&mut tx, ctx.caller, id).await?;
    require_version(&asset, version)?;
    let page = PageRequest {
        after: continuation_token,
        limit,
    };
    read(&mut tx, ctx.caller, &known.state, &asset, version, page).await
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

pub(crate) fn require_version(asset: &Asset, version: VersionNumber) -> Result<(), AppError> {
    if version.exists(asset.latest_version) {
        return Ok(());
    }
    Err(AppError::NotFound(format!(
        "{} {} has no version {version}",
        asset.id.kind(),
        asset.id
    )))
}

/// Looks for a page of it.
pub(crate) async fn read(
    tx: &mut Tx,
    caller: &Caller,
    state: &OrganizationState,
    asset: &Asset,
    version: VersionNumber,
    page: PageRequest,
) -> Result<References, AppError> {
    let referenced = ReferencedVersion {
        id: asset.id,
        version,
        is_latest: asset.latest_version == Some(version),
    };
    let mut page = PageBuilder::new(tx.room(), page.limit, page.after);
    while let Some(next) = page.next_read() {
        let mut rows = tx
            .list_references(&caller.organization, &referenced, next)
            .await?;
        for row in rows.iter_mut() {
            let (id, name) = (row.service_id, row.service_name.clone());
            row.sets.retain(|set| may_see(caller, id, &name, set));
        }
        page.add(rows, next.limit, |row| row.seq, |row| !row.sets.is_empty());
    }
    let running = tx
        .conversations_running_on(&caller.organization, asset.id, version)
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
