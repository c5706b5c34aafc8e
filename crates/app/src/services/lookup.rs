//! Finding a service and what it runs, for all that is about services.

use forge_domain::access::Attributes;
use forge_domain::service::Service;
use forge_domain::version_set::Binding;
use forge_domain::{OrganizationId, ServiceId};
use forge_store::{StoreError, Tx};

use crate::access::resource::Resource;
use crate::{AppError, Caller};

impl Resource for Service {
    type Key = ServiceId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &ServiceId,
    ) -> Result<Option<Self>, StoreError> {
        tx.find_service(organization, *id).await
    }

    fn not_found(id: &ServiceId) -> AppError {
        AppError::NotFound(format!("there is no service {id}"))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(self.id, &self.name)
    }
}

/// Returns what conditions can be about where a service is known by its id and name only.
pub(crate) fn attributes_of(id: ServiceId, name: &str) -> Attributes {
    Attributes::default()
        .with("service_id", id.to_string())
        .with("service_name", name)
}

/// Returns a service with its agent and its graph.
pub(crate) async fn find_bound(
    tx: &mut Tx,
    caller: &Caller,
    id: ServiceId,
) -> Result<(Service, Binding), AppError> {
    let found = tx.find_bound_service(&caller.organization, id).await?;
    found.ok_or_else(|| Service::not_found(&id))
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
