//! Starting a conversation.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, NewConversation, SoFar, UserInput};
use forge_domain::service::Service;
use forge_domain::tag::Tags;
use forge_domain::{OrganizationId, ServiceId, SetName, UnitTestSetRunId};
use forge_runtime::Person;
use forge_store::Tx;

use super::interaction::Interaction;
use super::lease::{self, ConversationLease};
use super::{busy, person, require_sayable, setup};
use crate::access::resource::Resource as _;
use crate::services::lookup::attributes_of;
use crate::version_sets::resolve::{Resolution, resolution};
use crate::version_sets::unknown;
use crate::{App, AppError, Caller, Ctx};

/// A conversation that a user wants to start.
#[derive(Debug, Clone)]
pub struct Create {
    /// In which service.
    pub service_id: ServiceId,
    /// With which of its sets. Any text: one that cannot be a set's name is one that no set has.
    pub set: String,
    /// What begins it; nothing lets the agent speak first.
    pub said: Option<UserInput>,
    /// Its tags.
    pub tags: Tags,
}

/// How often a set is looked up that is changed meanwhile, before that is told.
const ATTEMPTS: usize = 5;

/// Starts a conversation of the caller: looks up what the set means now and keeps that to the conversation's end.
pub async fn create(ctx: Ctx<'_>, create: Create) -> Result<Interaction, AppError> {
    for _ in 1..ATTEMPTS {
        match look_up_and_begin(ctx, create.clone()).await {
            Err(AppError::Behind { wanted, .. }) => {
                ctx.app
                    .snapshots
                    .wait_for(ctx.app, &ctx.caller.organization, wanted)
                    .await?;
            }
            begun => return begun,
        }
    }
    look_up_and_begin(ctx, create).await
}

async fn look_up_and_begin(ctx: Ctx<'_>, create: Create) -> Result<Interaction, AppError> {
    let Ctx { app, caller } = ctx;
    caller.require_any_grant(Permission::CreateConversation)?;
    let known = app.snapshots.organization(app, &caller.organization).await?;
    let service = known.state.service(create.service_id);
    let service = service.ok_or_else(|| Service::not_found(&create.service_id))?;
    let attributes = attributes_of(service.id, &service.name).with("version_set_name", create.set.as_str());
    caller.authorize(Permission::CreateConversation, &attributes)?;
    let name: Option<SetName> = create.set.parse().ok();
    let set = name
        .and_then(|name| service.set(name.as_str()))
        .filter(|set| !set.is_deleted);
    let set = set.ok_or_else(|| unknown(&create.set))?;
    if !service.is_active {
        return Err(AppError::Refused(
            "the service is not active; conversations start in active services only".to_owned(),
        ));
    }
    let start = Start {
        organization: caller.organization.clone(),
        user_id: caller.user.user_id.clone(),
        resolution: resolution(service, set)?,
        resolved_at: Some(known.state.change_number()),
        tags: create.tags,
        said: create.said,
        simulation: None,
    };
    begin_for(app, start, Some(caller)).await
}

/// A conversation to be started, whoever wants it.
#[derive(Debug, Clone)]
pub struct Start {
    /// The organization.
    pub organization: OrganizationId,
    /// Whose it is: who talks or, of a simulation, who had it run.
    pub user_id: String,
    /// What it runs on to its end.
    pub resolution: Resolution,
    /// The organization's change by which the set means that, or `None` if it need not mean it any more.
    pub resolved_at: Option<i64>,
    /// Its tags.
    pub tags: Tags,
    /// What begins it; nothing lets the agent speak first.
    pub said: Option<UserInput>,
    /// For which run a simulated user holds it, and who that is. A user may have any number of those at once.
    pub simulation: Option<(UnitTestSetRunId, Person)>,
}

/// Starts a conversation without asking whether anybody may.
///
/// The interaction that it begins with has yet to be run; if that fails, the conversation has never been.
///
/// # Errors
/// Refuses a user who has an unfinished conversation in the service already, and what the set does not mean any more
/// ([`AppError::Behind`]).
pub async fn begin(app: &App, start: Start) -> Result<Interaction, AppError> {
    begin_for(app, start, None).await
}

/// The same for a caller who talks, if there is one: then it is asked whether they are still there, and still may.
async fn begin_for(app: &App, start: Start, caller: Option<&Caller>) -> Result<Interaction, AppError> {
    let now = app.clock.now();
    if let Some(said) = &start.said {
        require_sayable(&said.check(now, SoFar::default()))?;
    }
    let (organization, user_id) = (&start.organization, start.user_id.as_str());
    let Resolution {
        service_id,
        agent,
        context_graph,
        ref pins,
        ..
    } = start.resolution;
    let models = pins.model_preferences.clone();
    let setup = setup::load(app, organization, agent, context_graph, models).await?;
    let (simulation_run_id, person) = if let Some((run, person)) = start.simulation {
        (Some(run), person)
    } else {
        let mut tx = app.store.read().await?;
        let person = person::read(&mut tx, organization, user_id, service_id, i64::MAX).await?;
        (None, person)
    };
    let new = NewConversation {
        id: app.new_id()?,
        user_id: user_id.to_owned(),
        service_id,
        set: start.resolution.name.clone(),
        revision: start.resolution.revision,
        agent,
        context_graph,
        model_preferences: pins.model_preferences.clone(),
        tags: start.tags,
        simulation_run_id,
        created_at: now,
        interaction_id: app.new_id()?,
        busy_until: lease::term(now).until,
    };
    let mut tx = match caller {
        Some(caller) => app.write_run(caller).await?,
        None => app.store.write_run(organization).await?,
    };
    if caller.is_some() && !tx.keep_user(user_id).await? {
        return Err(AppError::Unauthenticated("the user is gone"));
    }
    if let Some(resolved_at) = start.resolved_at {
        require_current(&mut tx, organization, &start.resolution, resolved_at).await?;
    }
    if simulation_run_id.is_none() {
        tx.remove_abandoned_conversation(user_id, service_id, now).await?;
    }
    if !tx.insert_conversation(&new).await? {
        let other = tx.find_unfinished_conversation(organization, user_id, service_id);
        return Err(in_the_way(other.await?.as_ref()));
    }
    let conversation = tx.find_conversation(organization, new.id).await?;
    let conversation = conversation.ok_or_else(|| AppError::internal("a new conversation is missing"))?;
    tx.commit().await?;
    let lease = ConversationLease::new(app, organization, new.id, new.interaction_id);
    Interaction::new(lease, conversation, setup, person, start.said)
}

/// Refuses what was resolved before a change that may have made the set mean something else: a conversation keeps to
/// its end what it begins with, so what memory knows is not enough where the database knows better.
async fn require_current(
    tx: &mut Tx,
    organization: &OrganizationId,
    resolution: &Resolution,
    resolved_at: i64,
) -> Result<(), AppError> {
    let wanted = tx.last_change(organization).await?.unwrap_or_default();
    if wanted <= resolved_at {
        return Ok(());
    }
    let service = tx.find_service(organization, resolution.service_id).await?;
    let set = tx
        .find_set(organization, resolution.service_id, &resolution.name)
        .await?;
    // Whatever else was changed, a set that pins everything means the same as long as its revision does.
    let is_same = service.is_some_and(|service| service.is_active)
        && !resolution.pins.is_floating()
        && set.is_some_and(|set| !set.is_deleted && set.revision == resolution.revision);
    if is_same {
        return Ok(());
    }
    Err(AppError::Behind {
        wanted,
        seen: resolved_at,
    })
}

/// Says why a user cannot start another conversation.
fn in_the_way(other: Option<&Conversation>) -> AppError {
    match other {
        Some(other) if other.interaction_count > 0 => AppError::Refused(format!(
            "you have an unfinished conversation in this service, {}; finish it first",
            other.id
        )),
        _ => busy(),
    }
}
