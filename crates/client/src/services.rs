//! Services.

use forge_types::{AgentId, ContextGraphId, ServiceId};
use http::Method;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answers::{Service, ServicePlan};
use crate::assets::Created;
use crate::request::{Repeat, Request};
use crate::{ChangeOptions, Client, ClientError, Document, Pages};

/// Which services a list has, and in which order.
///
/// An empty one has all of them.
#[derive(Debug, Clone, Default)]
pub struct ServiceFilter {
    /// Only these.
    pub ids: Vec<ServiceId>,
    /// Only active ones, or only others.
    pub is_active: Option<bool>,
    /// Only services that pass every one of these: `key:value`, `key:*` or `key:`.
    pub tags: Vec<String>,
    /// What to sort by: `+field` or `-field`; later ones break ties.
    pub sort_by: Vec<String>,
}

/// What a service is to be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `Service`")]
pub struct ServiceFields {
    pub name: String,
    pub description: String,
    pub is_active: bool,
    pub agent_id: AgentId,
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
    pub tags: IndexMap<String, Option<String>>,
    pub keyterms: Vec<String>,
}

/// What is to change about a service; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `Service`")]
pub struct ServiceChange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    #[serde(
        rename = "service_hierarchical_state_machine_id",
        skip_serializing_if = "Option::is_none"
    )]
    pub context_graph_id: Option<ContextGraphId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<IndexMap<String, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyterms: Option<Vec<String>>,
}

fn update_request(service: ServiceId, change: &ServiceChange) -> Request {
    Request::new(Method::POST, format!("service/{service}/"), Repeat::Never).body(json!(change))
}

impl Client {
    /// Lists services: with ids those, else all of them.
    pub fn services(&self, ids: &[ServiceId], is_active: Option<bool>) -> Pages<'_, Service> {
        self.find_services(ServiceFilter {
            ids: ids.to_vec(),
            is_active,
            ..ServiceFilter::default()
        })
    }

    /// Lists the services that pass a filter.
    pub fn find_services(&self, filter: ServiceFilter) -> Pages<'_, Service> {
        Pages::new(self, "services", 20, move |limit, token| {
            let mut page = Request::get("service/")
                .query("limit", limit)
                .query("continuation_token", token)
                .query_if("is_active", filter.is_active);
            for id in &filter.ids {
                page = page.query("id", id);
            }
            for tag in &filter.tags {
                page = page.query("tags", tag);
            }
            for field in &filter.sort_by {
                page = page.query("sort_by", field);
            }
            page
        })
    }

    /// Creates a service, and returns its id.
    ///
    /// # Errors
    ///
    /// [`ClientError::Conflict`] if another service has the name, [`ClientError::Invalid`] with every fault of the fields.
    pub async fn create_service(
        &self,
        fields: &ServiceFields,
    ) -> Result<Document<Created<ServiceId>>, ClientError> {
        let request = Request::new(Method::POST, "service/", Repeat::Never).body(json!(fields));
        self.read(request).await
    }

    /// Plans a change of a service.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with the plan if rules forbid the change, [`ClientError::SetMoved`] if `release` is not as expected.
    pub async fn plan_service_update(
        &self,
        service: ServiceId,
        change: &ServiceChange,
        options: ChangeOptions,
    ) -> Result<Document<ServicePlan>, ClientError> {
        let options = ChangeOptions {
            dry_run: true,
            ..options
        };
        self.read(options.of(update_request(service, change))).await
    }

    /// Changes a service as it was planned, or not at all.
    ///
    /// # Errors
    ///
    /// [`ClientError::Conflict`] with the plan as it is now if the digest is of another one, [`ClientError::Blocked`] if rules
    /// forbid the change.
    pub async fn update_service(
        &self,
        service: ServiceId,
        change: &ServiceChange,
        options: ChangeOptions,
        plan_digest: &str,
    ) -> Result<Document<Value>, ClientError> {
        let options = ChangeOptions {
            dry_run: false,
            plan_digest: Some(plan_digest.to_owned()),
            ..options
        };
        self.read(options.of(update_request(service, change))).await
    }
}
