//! Going on with a conversation.

use forge_domain::access::Permission;
use forge_domain::conversation::{Conversation, SoFar, UserInput};
use forge_domain::{ConversationId, OrganizationId};
use forge_runtime::Person;
use forge_store::RunTx;

use super::interaction::Interaction;
use super::lease::{self, ConversationLease};
use super::{authorize_user, busy, finished, is_own, person, require_sayable, setup, transcript};
use crate::access::resource::Resource as _;
use crate::{App, AppError, Ctx};

/// Says something to an unfinished conversation.
///
/// # Errors
/// A conversation that is finished, or in which another interaction runs, is a conflict.
pub async fn interact(ctx: Ctx<'_>, id: ConversationId, said: UserInput) -> Result<Interaction, AppError> {
    const PERMISSION: Permission = Permission::InteractWithConversation;
    ctx.caller.require_any_grant(PERMISSION)?;
    // The writer is for those who may: a read sees enough to refuse.
    let mut tx = ctx.read(Permission::UpdateUserInfo).await?;
    let conversation: Conversation = ctx.caller.fetch(&mut tx, PERMISSION, &id).await?;
    // The agent can be asked what was said before.
    if !is_own(ctx.caller, &conversation) {
        ctx.caller.authorize_on(Permission::GetMessage, &conversation)?;
    }
    authorize_user(&mut tx, ctx.caller, &conversation).await?;
    drop(tx);
    let tx = ctx.app.write_run(ctx.caller).await?;
    let leased = acquire(ctx.app, tx, id, &said).await?;
    start(ctx.app, leased, said, None).await
}

/// Says something to the unfinished conversation of a simulated user, without asking whether anybody may.
pub async fn go_on(
    app: &App,
    organization: &OrganizationId,
    id: ConversationId,
    person: Person,
    said: UserInput,
) -> Result<Interaction, AppError> {
    let tx = app.store.write_run(organization).await?;
    let leased = acquire(app, tx, id, &said).await?;
    start(app, leased, said, Some(person)).await
}

/// Leases a conversation to a new interaction, provided that this can be said to it.
async fn acquire(app: &App, mut tx: RunTx, id: ConversationId, said: &UserInput) -> Result<Leased, AppError> {
    let organization = tx.organization().clone();
    let (now, interaction_id) = (app.clock.now(), app.new_id()?);
    let is_leased = tx
        .lease_conversation(id, interaction_id, lease::term(now))
        .await?;
    // As it is under the lease: an interaction may have ended since somebody looked.
    let conversation = tx.find_conversation(&organization, id).await?;
    let conversation = conversation.ok_or_else(|| Conversation::not_found(&id))?;
    if !is_leased {
        return Err(if conversation.finished_at.is_some() {
            finished()
        } else {
            busy()
        });
    }
    let so_far = SoFar {
        messages: conversation.message_total,
        bytes: conversation.message_bytes,
        last: conversation.last_message_at,
    };
    require_sayable(&said.check(now, so_far))?;
    tx.commit().await?;
    // From here on, whatever goes wrong releases the conversation.
    Ok(Leased {
        lease: ConversationLease::new(app, &organization, id, interaction_id),
        conversation,
    })
}

/// A conversation, and the lease under which it was read.
struct Leased {
    lease: ConversationLease,
    conversation: Conversation,
}

async fn start(
    app: &App,
    leased: Leased,
    said: UserInput,
    person: Option<Person>,
) -> Result<Interaction, AppError> {
    let Leased { lease, conversation } = leased;
    let organization = &lease.organization;
    let (agent, graph) = (conversation.agent, conversation.context_graph);
    let models = conversation.model_preferences.clone();
    let setup = setup::load(app, organization, agent, graph, models).await?;
    let mut tx = app.store.read().await?;
    let person = if let Some(person) = person {
        person
    } else {
        let Conversation {
            user_id,
            service_id,
            seq,
            ..
        } = &conversation;
        person::read(&mut tx, organization, user_id, *service_id, *seq).await?
    };
    let transcript = transcript::for_prompts(app, &mut tx, organization, conversation.id).await?;
    let position = tx.find_position(organization, conversation.id).await?;
    drop(tx);
    let mut interaction = Interaction::new(lease, conversation, setup, person, Some(said))?;
    interaction.transcript = transcript;
    interaction.position = position.unwrap_or_default();
    Ok(interaction)
}
