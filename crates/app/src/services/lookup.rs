//! Finding a service and what it runs, for all that is about services.

use forge_domain::ServiceId;
use forge_domain::access::{Attributes, Permission};
use forge_domain::service::Service;
use forge_domain::version_set::Binding;
use forge_store::Tx;

use crate::{AppError, Caller};

pub(crate) fn attributes(service: &Service) -> Attributes {
    attributes_of(service.id, &service.name)
}

/// Returns the same attributes where the service is known by its id and name only.
pub(crate) fn attributes_of(id: ServiceId, name: &str) -> Attributes {
    Attributes::default()
        .with("service_id", id.to_string())
        .with("service_name", name)
}

pub(crate) async fn find(tx: &mut Tx, caller: &Caller, id: ServiceId) -> Result<Service, AppError> {
    let found = tx.find_service(&caller.organization, id).await?;
    found.ok_or_else(|| no_service(id))
}

/// Returns a service with its agent and its graph.
pub(crate) async fn find_bound(
    tx: &mut Tx,
    caller: &Caller,
    id: ServiceId,
) -> Result<(Service, Binding), AppError> {
    let found = tx.find_bound_service(&caller.organization, id).await?;
    found.ok_or_else(|| no_service(id))
}

/// Returns a service that a caller names in something else, for which they need the permission on it.
///
/// One that they do not have it on is answered like one that is not there.
pub(crate) async fn find_named(
    tx: &mut Tx,
    caller: &Caller,
    permission: Permission,
    id: ServiceId,
) -> Result<Service, AppError> {
    let service = find(tx, caller, id).await?;
    if caller.may(permission, &attributes(&service)) {
        Ok(service)
    } else {
        Err(no_service(id))
    }
}

pub(crate) fn no_service(id: ServiceId) -> AppError {
    AppError::NotFound(format!("there is no service {id}"))
}

/// Returns the agent and the graph of a service that exists: both are there, by constraint.
pub(crate) async fn find_binding(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
) -> Result<Binding, AppError> {
    let found = tx
        .find_binding(&caller.organization, service.agent_id, service.context_graph_id)
        .await?;
    found.ok_or_else(|| {
        AppError::internal(format!(
            "service {} has lost its agent or context graph",
            service.id
        ))
    })
}
