//! Dynamic behavior sets.

mod invocations;

use forge_domain::behavior::{BehaviorDocument, BehaviorSetDetails, CreateBehaviorSet};
use forge_domain::{BehaviorSetId, OrganizationId, ServiceId, VersionNumber};
use forge_runtime::Behavior;

pub(crate) use invocations::invocation;
pub use invocations::{InvocationSort, ListInvocations, invocations};

use super::{authorize_create, versions};
use crate::{App, AppError, Ctx, Written};

/// Refuses content that offers a tool which the installation does not have.
fn require_tools(app: &App, document: &BehaviorDocument) -> Result<(), AppError> {
    match document.tools().find(|tool| !app.catalogues.tools.contains(tool)) {
        Some(tool) => Err(AppError::NotFound(format!("there is no tool {tool}"))),
        None => Ok(()),
    }
}

/// Creates a behavior set with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateBehaviorSet) -> Result<Written<BehaviorSetId>, AppError> {
    authorize_create::<BehaviorSetDetails>(ctx.caller, &create.name)?;
    require_tools(ctx.app, &create.document)?;
    let tx = ctx.app.write(ctx.caller).await?;
    super::create(ctx, tx, create.into()).await
}

/// Returns the behavior sets that may apply in the conversations of a service now: the active ones that are applied to
/// it, each with its latest version, in order of creation.
///
/// All of them are in memory.
pub async fn behaviors_for(
    app: &App,
    organization: &OrganizationId,
    service: ServiceId,
) -> Result<Vec<Behavior>, AppError> {
    let known = app.snapshots.organization(app, organization).await?;
    Ok(known.state.behaviors_for(service))
}

/// Creates the next version of a behavior set.
///
/// From then on, conversations meet this one, running ones included.
pub async fn create_version(
    ctx: Ctx<'_>,
    id: BehaviorSetId,
    expected: Option<VersionNumber>,
    document: BehaviorDocument,
) -> Result<Written<VersionNumber>, AppError> {
    let (tx, item) = versions::begin_version::<BehaviorSetDetails>(ctx, id).await?;
    require_tools(ctx.app, &document)?;
    versions::add_version(ctx, tx, &item, expected, document).await
}
