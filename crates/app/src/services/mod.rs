//! Services.

pub(crate) mod lookup;
mod update;

use forge_domain::access::{Attributes, Permission};
use forge_domain::asset::AssetId;
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::plan::Namesake;
use forge_domain::revision::RevisionAction;
use forge_domain::service::{Service, ServiceFields, check_creation};
use forge_domain::tag::{TagFilter, Tags};
use forge_domain::version_set::{Binding, RequestedPins, VersionSet};
use forge_domain::{Pins, Refusal, Refusals, ServiceId, SetName, Sort};
pub use forge_store::SortKey;
use forge_store::{Place, SortValue, Tx};
use serde_json::{Value, json};

use lookup::attributes_of;

use crate::access::resource::Resource as _;
use crate::names::new_name;
use crate::page::{PageBuilder, unknown_token};
use crate::sorting::Sorted;
use crate::version_sets::{NewRevision, append_revision, read_seen};
use crate::{AppError, Caller, Ctx, Page, Written, assets, commit};

pub use update::{ServiceOutcome, update};

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
///
/// The caller must be allowed to read its agent and its context graph.
pub async fn create(
    ctx: Ctx<'_>,
    fields: &ServiceFields,
    release: Option<RequestedPins>,
) -> Result<Written<ServiceId>, AppError> {
    let Ctx { app, caller } = ctx;
    let name = new_name("name", &fields.name)?;
    let fields = &ServiceFields {
        name,
        ..fields.clone()
    };
    let named = || Attributes::default().with("service_name", fields.name.as_str());
    caller.authorize(Permission::CreateService, &named())?;
    for set in [SetName::edge(), SetName::release()] {
        let attributes = named().with("version_set_name", set.as_str());
        caller.authorize(Permission::CreateVersionSet, &attributes)?;
    }
    caller.require_any_grant(Permission::GetAgent)?;
    caller.require_any_grant(Permission::GetContextGraph)?;
    let mut tx = app.write(caller).await?;
    let binding = require_binding(&mut tx, caller, fields).await?;
    let (agent_id, graph_id) = (fields.agent_id, fields.context_graph_id);
    let yanked = tx.list_yanked(&caller.organization, agent_id, graph_id).await?;
    let release = release.unwrap_or_else(|| RequestedPins::from(&Pins::default()));
    let (models, now) = (&app.catalogues.models, app.clock.now());
    let release = check_creation(&binding, &yanked, release, models, now).map_err(Refusals::from)?;
    if fields.is_active {
        refuse_taken_name(&mut tx, caller, &fields.name).await?;
    }
    let id = app.new_id()?;
    tx.insert_service(id, fields, &caller.user).await?;
    let mut after = audit_document(fields);
    after["version_sets"] = json!({"edge": Pins::default(), "release": release});
    for (name, pins) in [(SetName::edge(), Pins::default()), (SetName::release(), release)] {
        let new = NewRevision {
            name: &name,
            previous: 0,
            action: RevisionAction::Create,
            pins: Some(pins),
            agent_id,
            context_graph_id: graph_id,
            binding: &binding,
            source: None,
            restored_revision: None,
            message: None,
        };
        append_revision(&mut tx, caller, id, new).await?;
    }
    tx.append_audit_event(
        &caller.actor(),
        "create",
        AuditObject::new(ObjectKind::Service, id),
        Value::Null,
        after,
    )
    .await?;
    commit(tx, id).await
}

/// Returns the agent and the graph that a new service names, or says which of them is not there.
async fn require_binding(tx: &mut Tx, caller: &Caller, fields: &ServiceFields) -> Result<Binding, AppError> {
    let (agent_id, graph_id) = (fields.agent_id, fields.context_graph_id);
    let missing = missing_assets(tx, caller, &[agent_id.into(), graph_id.into()]).await?;
    if !missing.is_empty() {
        let texts: Vec<String> = missing.iter().map(ToString::to_string).collect();
        return Err(AppError::NotFound(texts.join("; ")));
    }
    let found = tx.find_binding(&caller.organization, agent_id, graph_id).await?;
    found.ok_or_else(|| AppError::internal("an agent and a context graph exist, but not together"))
}

/// Looks which of the assets that a service is to run on are not there, or not for the caller to read: who runs a thing
/// gets to know what is in it.
async fn missing_assets(tx: &mut Tx, caller: &Caller, wanted: &[AssetId]) -> Result<Vec<Refusal>, AppError> {
    let mut missing = Vec::new();
    for asset in wanted.iter().copied() {
        if assets::find_named(tx, caller, asset).await?.is_none() {
            missing.push(Refusal::NoSuchAsset { asset });
        }
    }
    Ok(missing)
}

/// Returns the active service of a name, however the name is spelled, unless it is that one.
///
/// Of one that the caller may not see, no more is told than that it is there.
async fn namesake(
    tx: &mut Tx,
    caller: &Caller,
    name: &str,
    own: Option<ServiceId>,
) -> Result<Option<Namesake>, AppError> {
    let found = tx.find_service_namesake(&caller.organization, name, own).await?;
    Ok(found.map(|id| {
        if caller.may(Permission::GetService, &attributes_of(id, name)) {
            Namesake::Seen(id)
        } else {
            Namesake::Hidden
        }
    }))
}

async fn refuse_taken_name(tx: &mut Tx, caller: &Caller, name: &str) -> Result<(), AppError> {
    match namesake(tx, caller, name, None).await? {
        Some(other) => {
            let taken = Refusal::NameTaken {
                service: other.id(),
                name: name.to_owned(),
            };
            Err(AppError::Conflict(taken.to_string()))
        }
        None => Ok(()),
    }
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
    pub sort: Vec<Sort<SortKey>>,
    /// How many at most.
    pub limit: i64,
    /// Where the page before this one ended.
    pub continuation_token: i64,
}

/// A page of services.
#[derive(Debug, Clone)]
pub struct ServicePage {
    /// The services, each with those of its sets that the caller may see.
    pub page: Page<(Service, Vec<VersionSet>)>,
    /// The tags of every service that the caller may see, on the first page.
    pub tags: Option<Vec<Tags>>,
}

/// Returns a page of the services that the caller may see.
pub async fn list(ctx: Ctx<'_>, query: &ListServices) -> Result<ServicePage, AppError> {
    let Ctx { app, caller } = ctx;
    let is_first = query.continuation_token == 0;
    if !caller.may_some(Permission::GetService) {
        return Ok(ServicePage {
            page: Page::empty(),
            tags: is_first.then(Vec::new),
        });
    }
    let is_visible = |service: &Service| {
        service.allows(caller, Permission::GetService)
            && query.tags.iter().all(|filter| filter.matches(&service.tags))
    };
    let organization = &caller.organization;
    let list = Sorted::moving("service", &query.sort, sort_value, |service: &Service| {
        service.seq
    });
    let mut tx = app.store.read().await?;
    let mut page = list
        .page(ctx, &mut tx, query.limit, query.continuation_token)
        .await?;
    if query.ids.is_empty() {
        while let Some(read) = page.next_read() {
            let count = read.limit;
            let rows = tx
                .list_services(organization, list.keys(), query.is_active, read)
                .await?;
            page.add(
                rows.ok_or_else(unknown_token)?,
                count,
                |service| list.place(service),
                is_visible,
            );
        }
    } else {
        let mut selection = list.select(page);
        let is_wanted = |service: &Service| query.is_active.is_none_or(|wanted| wanted == service.is_active);
        for id in &query.ids {
            let row = tx.service_row(organization, *id).await?;
            selection.offer(row, |service| is_wanted(service) && is_visible(service));
        }
        page = selection.finish()?;
    }
    let (found, end) = page.end_with_sizes();
    // With their sets, fewer of them may fit.
    let mut page = PageBuilder::new(tx.room(), query.limit, Place::Row(0));
    for (service, mut bytes) in found {
        // Of what will not fit in, no more is read than it takes to know that.
        let room = page.room_left().saturating_sub(bytes).saturating_add(1);
        let sets = read_seen(&mut tx, caller, &service, room).await?;
        bytes += sets.bytes();
        let sets = sets.into_rows();
        let place = list.place(&service);
        if !page.put((service, sets), bytes, place) {
            break;
        }
    }
    let (items, cut) = page.end();
    let tags = if is_first {
        let all = tx.list_service_tags(organization).await?.into_iter();
        let seen = all.filter(|(id, name, _)| caller.may(Permission::GetService, &attributes_of(*id, name)));
        Some(seen.map(|(_, _, tags)| tags).collect())
    } else {
        None
    };
    Ok(ServicePage {
        page: Page {
            items,
            continuation_token: list.token(ctx, tx, cut.or(end)).await?,
        },
        tags,
    })
}

fn sort_value(key: SortKey, service: &Service) -> SortValue {
    match key {
        SortKey::Name => SortValue::Text(service.name.clone()),
        SortKey::IsActive => SortValue::Integer(service.is_active.into()),
    }
}
