//! Services.

use std::cmp::Ordering;

use forge_domain::access::{Attributes, Permission};
use forge_domain::audit::AuditObject;
use forge_domain::refusal::AssetKind;
use forge_domain::revision::RevisionAction;
use forge_domain::service::{Service, TagFilter, Tags, check_activation, check_binding, check_rebind};
use forge_domain::simulation::check_unused;
use forge_domain::version_set::{Binding, RequestedPins};
use forge_domain::{AgentId, ContextGraphId, Pins, Refusal, Refusals, ServiceId, SetName, shortened};
pub use forge_store::{ServiceFields, SortKey};
use forge_store::{Tx, VersionSet, WriteTx};
use serde_json::{Value, json};

use crate::page::{PageBuilder, unknown_token};
use crate::version_sets::{NewRevision, set_before_creation};
use crate::{App, AppError, Caller, Page, Written, commit};

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

/// Returns a service that a caller names in something else, for which they need the permission on it. One that they do
/// not have it on is answered like one that is not there.
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

fn object(id: ServiceId) -> AuditObject {
    AuditObject {
        kind: "service".to_owned(),
        id: id.to_string(),
    }
}

fn audit_document(fields: &ServiceFields) -> Value {
    json!({
        "name": fields.name,
        "description": fields.description,
        "is_active": fields.is_active,
        "agent_id": fields.agent_id,
        "service_hierarchical_state_machine_id": fields.context_graph_id,
        "tags": fields.tags,
        "keyterms": fields.keyterms,
    })
}

/// Creates a service with its `edge` and its `release`, which pins what is asked for or floats like `edge`.
pub async fn create(
    app: &App,
    caller: &Caller,
    fields: &ServiceFields,
    release: Option<RequestedPins>,
) -> Result<Written<ServiceId>, AppError> {
    let named = || Attributes::default().with("service_name", fields.name.as_str());
    caller.authorize(Permission::CreateService, &named())?;
    for set in [SetName::edge(), SetName::release()] {
        let attributes = named().with("version_set_name", set.as_str());
        caller.authorize(Permission::CreateVersionSet, &attributes)?;
    }
    let mut tx = app.write(caller).await?;
    let binding = require_binding(&mut tx, caller, fields).await?;
    let mut refusals = check_binding(&binding);
    let release = match release.map(|pins| Pins::check(pins, &binding, &app.catalogues.models, tx.now())) {
        None => Pins::default(),
        Some(Ok(pins)) => pins,
        Some(Err(reasons)) => {
            let name = SetName::release();
            refusals.extend(reasons.into_iter().map(|reason| Refusal::InSet {
                set: name.clone(),
                reason: reason.into(),
            }));
            Pins::default()
        }
    };
    Refusals::unless_empty(refusals)?;
    if fields.is_active {
        refuse_taken_name(&mut tx, caller, &fields.name, None).await?;
    }
    let id = app.new_id()?;
    tx.insert_service(id, fields, &caller.user).await?;
    let mut after = audit_document(fields);
    after["version_sets"] = json!({"edge": Pins::default(), "release": release});
    for (name, pins) in [(SetName::edge(), Pins::default()), (SetName::release(), release)] {
        let change = new_revision(RevisionAction::Create, pins, fields, &binding);
        change
            .append(&mut tx, caller, id, &set_before_creation(&name, fields, caller))
            .await?;
    }
    tx.append_audit_event(&caller.actor(), "create", object(id), Value::Null, after)
        .await?;
    commit(tx, id).await
}

fn new_revision<'a>(
    action: RevisionAction,
    pins: Pins,
    fields: &ServiceFields,
    binding: &'a Binding,
) -> NewRevision<'a> {
    NewRevision {
        action,
        pins,
        agent_id: fields.agent_id,
        context_graph_id: fields.context_graph_id,
        binding,
    }
}

/// Returns the agent and the graph that a new service names, or says which of them is not there.
async fn require_binding(tx: &mut Tx, caller: &Caller, fields: &ServiceFields) -> Result<Binding, AppError> {
    let (agent_id, graph_id) = (fields.agent_id, fields.context_graph_id);
    if let Some(binding) = tx.find_binding(&caller.organization, agent_id, graph_id).await? {
        return Ok(binding);
    }
    let missing = missing_assets(tx, caller, agent_id, graph_id).await?;
    Err(AppError::NotFound(
        missing
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    ))
}

async fn missing_assets(
    tx: &mut Tx,
    caller: &Caller,
    agent_id: AgentId,
    graph_id: ContextGraphId,
) -> Result<Vec<Refusal>, AppError> {
    let mut missing = Vec::new();
    for (asset, id) in [
        (AssetKind::Agent, agent_id.to_string()),
        (AssetKind::ContextGraph, graph_id.to_string()),
    ] {
        if tx.find_asset(&caller.organization, asset, &id).await?.is_none() {
            missing.push(Refusal::NoSuchAsset { asset, id });
        }
    }
    Ok(missing)
}

async fn refuse_taken_name(
    tx: &mut Tx,
    caller: &Caller,
    name: &str,
    own: Option<ServiceId>,
) -> Result<(), AppError> {
    match tx.find_active_service(&caller.organization, name).await? {
        Some(id) if Some(id) != own => Err(AppError::Conflict(format!(
            "the active service {id} is named `{}` already; choose another name, or deactivate that one first",
            shortened(name)
        ))),
        _ => Ok(()),
    }
}

/// What changes about a service; an absent field stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a service")]
pub struct UpdateService {
    pub name: Option<String>,
    pub description: Option<String>,
    pub is_active: Option<bool>,
    pub agent_id: Option<AgentId>,
    pub context_graph_id: Option<ContextGraphId>,
    pub tags: Option<Tags>,
    pub keyterms: Option<Vec<String>>,
}

impl UpdateService {
    fn apply(self, service: &Service) -> ServiceFields {
        ServiceFields {
            name: self.name.unwrap_or_else(|| service.name.clone()),
            description: self.description.unwrap_or_else(|| service.description.clone()),
            is_active: self.is_active.unwrap_or(service.is_active),
            agent_id: self.agent_id.unwrap_or(service.agent_id),
            context_graph_id: self.context_graph_id.unwrap_or(service.context_graph_id),
            tags: self.tags.unwrap_or_else(|| service.tags.clone()),
            keyterms: self.keyterms.unwrap_or_else(|| service.keyterms.clone()),
        }
    }
}

fn fields_of(service: &Service) -> ServiceFields {
    UpdateService::default().apply(service)
}

/// Changes a service. Another agent or graph rebinds every set of it in the same step.
///
/// A change that changes nothing writes nothing.
pub async fn update(
    app: &App,
    caller: &Caller,
    id: ServiceId,
    update: UpdateService,
) -> Result<Option<i64>, AppError> {
    caller.authorize_some(Permission::UpdateService)?;
    let mut tx = app.write(caller).await?;
    let service = find(&mut tx, caller, id).await?;
    caller.authorize(Permission::UpdateService, &attributes(&service))?;
    let before = fields_of(&service);
    let fields = update.apply(&service);
    // A grant that holds for the old name only must not give the service a name out of its reach.
    if fields.name != service.name {
        let renamed = Service {
            name: fields.name.clone(),
            ..service.clone()
        };
        caller.authorize(Permission::UpdateService, &attributes(&renamed))?;
    }
    if fields == before {
        return Ok(None);
    }
    let sets = tx.list_sets(&caller.organization, id).await?;
    let old_binding = find_binding(&mut tx, caller, &service).await?;
    let is_rebound =
        (fields.agent_id, fields.context_graph_id) != (service.agent_id, service.context_graph_id);
    let binding = if is_rebound {
        // The contract knows no 404 for these here: an agent or graph that is not there is an invalid one.
        let found = tx
            .find_binding(&caller.organization, fields.agent_id, fields.context_graph_id)
            .await?;
        if let Some(binding) = found {
            binding
        } else {
            let missing = missing_assets(&mut tx, caller, fields.agent_id, fields.context_graph_id).await?;
            return Err(missing_as_refusal(missing));
        }
    } else {
        old_binding.clone()
    };
    let mut refusals = check_update(app, &tx, &service, &fields, &sets, (&old_binding, &binding));
    if service.is_active && !fields.is_active {
        let tests = tx.list_unit_tests_of_service(&caller.organization, id).await?;
        let tests: Vec<_> = tests.into_iter().map(|(_, test)| test).collect();
        refusals.extend(check_unused(format!("service {id}"), &tests));
    }
    Refusals::unless_empty(refusals)?;
    if fields.is_active {
        refuse_taken_name(&mut tx, caller, &fields.name, Some(id)).await?;
    }
    tx.update_service(id, &fields, &caller.user).await?;
    if is_rebound {
        rebind(&mut tx, caller, id, &fields, &sets, &binding).await?;
    }
    let (before, after) = (audit_document(&before), audit_document(&fields));
    tx.append_audit_event(&caller.actor(), "update", object(id), before, after)
        .await?;
    Ok(Some(commit(tx, ()).await?.change_number))
}

fn missing_as_refusal(missing: Vec<Refusal>) -> AppError {
    match Refusals::unless_empty(missing) {
        Err(refusals) => refusals.into(),
        Ok(()) => AppError::internal("an agent and a context graph exist, but not together"),
    }
}

fn check_update(
    app: &App,
    tx: &WriteTx,
    service: &Service,
    fields: &ServiceFields,
    sets: &[VersionSet],
    (old, new): (&Binding, &Binding),
) -> Vec<Refusal> {
    let pins: Vec<(SetName, Pins)> = sets
        .iter()
        .map(|set| (set.name.clone(), set.pins.clone()))
        .collect();
    let mut refusals = check_rebind(old, new, &pins);
    if fields.is_active && !service.is_active {
        let reasons = check_activation(new, &pins, &app.catalogues.models, tx.now());
        refusals.extend(
            reasons
                .into_iter()
                .filter(|reason| !refusals.contains(reason))
                .collect::<Vec<_>>(),
        );
    }
    refusals
}

/// Appends a revision to every set, so that history says which agent and graph its numbers mean.
async fn rebind(
    tx: &mut WriteTx,
    caller: &Caller,
    id: ServiceId,
    fields: &ServiceFields,
    sets: &[VersionSet],
    binding: &Binding,
) -> Result<(), AppError> {
    for set in sets {
        let change = new_revision(RevisionAction::Rebind, set.pins.clone(), fields, binding);
        change.append(tx, caller, id, set).await?;
    }
    tx.rebind_deleted_sets(id, fields.agent_id, fields.context_graph_id)
        .await?;
    Ok(())
}

/// What a caller asks of a list of services.
#[derive(Debug, Clone)]
pub struct ListServices {
    /// Only these; none means all.
    pub ids: Vec<ServiceId>,
    /// Only active ones, or only others.
    pub is_active: Option<bool>,
    /// Only services that pass every one of these.
    pub tags: Vec<TagFilter>,
    /// The order.
    pub sort: Vec<(SortKey, bool)>,
    /// How many at the most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A page of services.
#[derive(Debug, Clone)]
pub struct ServicePage {
    /// The services, each with its sets.
    pub page: Page<(Service, Vec<VersionSet>)>,
    /// Every tag of the organization's services, on the first page.
    pub tags: Option<Vec<Tags>>,
}

/// Returns a page of the services that the caller may see.
pub async fn list(app: &App, caller: &Caller, query: &ListServices) -> Result<ServicePage, AppError> {
    caller.authorize_some(Permission::GetService)?;
    let is_visible = |service: &Service| {
        caller.may(Permission::GetService, &attributes(service))
            && query.tags.iter().all(|filter| filter.matches(&service.tags))
    };
    let organization = &caller.organization;
    let mut tx = app.store.read().await?;
    let mut page = PageBuilder::new(query.limit, query.continuation_token);
    if query.ids.is_empty() {
        while let Some((after, count)) = page.next_read() {
            let rows = tx
                .list_services(organization, &query.sort, after, query.is_active, count)
                .await?;
            page.add(
                rows.ok_or_else(unknown_token)?,
                count,
                |service| service.seq,
                is_visible,
            );
        }
    } else {
        let mut rows = Vec::new();
        for id in &query.ids {
            rows.extend(tx.find_service(organization, *id).await?);
        }
        let is_wanted = |service: &Service| query.is_active.is_none_or(|wanted| wanted == service.is_active);
        let keep = |service: &Service| is_wanted(service) && is_visible(service);
        page.add_all(rows, &query.sort, by_key, |service| service.seq, keep)?;
    }
    let page = page.finish();
    let mut items = Vec::new();
    for service in page.items {
        let sets = tx.list_sets(organization, service.id).await?;
        items.push((service, sets));
    }
    let is_first = query.continuation_token == 0;
    let tags = if is_first {
        Some(tx.list_service_tags(organization).await?)
    } else {
        None
    };
    Ok(ServicePage {
        page: Page {
            items,
            continuation_token: page.continuation_token,
        },
        tags,
    })
}

fn by_key(key: SortKey, left: &Service, right: &Service) -> Ordering {
    match key {
        SortKey::Name => left.name.cmp(&right.name),
        SortKey::IsActive => left.is_active.cmp(&right.is_active),
    }
}
