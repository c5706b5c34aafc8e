//! Dynamic behavior sets.

mod invocations;

use forge_domain::behavior::BehaviorDocument;
use forge_domain::item::{ItemDetails, ItemDocument, ItemKind};
use forge_domain::service::Tags;
use forge_domain::{OrganizationId, ServiceId, VersionNumber};
use forge_runtime::Behavior;

pub(crate) use invocations::invocation;
pub use invocations::{BehaviorInvocation, InvocationSort, ListInvocations, invocations};

use super::{CreateItem, authorize_create, versions, without_repetitions};
use crate::{App, AppError, Ctx, Written};

/// A behavior set to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a behavior set")]
pub struct CreateBehaviorSet {
    pub name: String,
    pub is_active: bool,
    pub tags: Tags,
    pub applied_to_services: Vec<ServiceId>,
    pub document: BehaviorDocument,
}

/// Refuses content that offers a tool which the installation does not have.
fn require_tools(app: &App, document: &BehaviorDocument) -> Result<(), AppError> {
    match document.tools().find(|tool| !app.catalogues.tools.contains(tool)) {
        Some(tool) => Err(AppError::NotFound(format!("there is no tool {tool}"))),
        None => Ok(()),
    }
}

/// Creates a behavior set with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateBehaviorSet) -> Result<Written<String>, AppError> {
    authorize_create(ctx.caller, ItemKind::BehaviorSet, &create.name)?;
    require_tools(ctx.app, &create.document)?;
    let tx = ctx.app.write(ctx.caller).await?;
    let item = CreateItem {
        name: create.name,
        is_active: create.is_active,
        tags: create.tags,
        details: ItemDetails::BehaviorSet {
            applied_to_services: without_repetitions(create.applied_to_services),
        },
    };
    super::create(ctx, tx, item, ItemDocument::BehaviorSet(create.document)).await
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
    id: &str,
    expected: Option<VersionNumber>,
    document: BehaviorDocument,
) -> Result<Written<VersionNumber>, AppError> {
    let (tx, item) = versions::begin_version(ctx, ItemKind::BehaviorSet, id).await?;
    require_tools(ctx.app, &document)?;
    let document = ItemDocument::BehaviorSet(document);
    versions::add_version(ctx, tx, &item, expected, document).await
}
