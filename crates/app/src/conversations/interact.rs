//! Going on with a conversation.

use forge_domain::access::Permission;
use forge_domain::conversation::{SoFar, UserInput};
use forge_domain::{ConversationId, InteractionId, OrganizationId};
use forge_runtime::Person;
use forge_store::{Conversation, RunTx};

use super::interaction::{CLAIM_TIME, Claim, Interaction};
use super::{
    authorize, authorize_user, busy, find, finished, is_own, no_conversation, person, require_sayable, setup,
    transcript,
};
use crate::{App, AppError, Ctx};

/// Says something to an unfinished conversation.
///
/// # Errors
/// A conversation that is finished, or in which another interaction runs, is a conflict.
pub async fn interact(ctx: Ctx<'_>, id: ConversationId, said: UserInput) -> Result<Interaction, AppError> {
    ctx.caller
        .require_any_grant(Permission::InteractWithConversation)?;
    ctx.caller.require_any_grant(Permission::UpdateUserInfo)?;
    let mut tx = ctx.app.write_run(ctx.caller).await?;
    let conversation = find(&mut tx, ctx.caller, id).await?;
    authorize(ctx.caller, Permission::InteractWithConversation, &conversation)?;
    // The agent can be asked what was said before.
    if !is_own(ctx.caller, &conversation) {
        authorize(ctx.caller, Permission::GetMessage, &conversation)?;
    }
    authorize_user(&mut tx, ctx.caller, &conversation).await?;
    let claimed = claim(ctx.app, tx, id, &said).await?;
    start(ctx.app, &ctx.caller.organization, claimed, said, None).await
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
    let claimed = claim(app, tx, id, &said).await?;
    start(app, organization, claimed, said, Some(person)).await
}

/// Claims a conversation for an interaction, provided that this can be said to it.
async fn claim(
    app: &App,
    mut tx: RunTx,
    id: ConversationId,
    said: &UserInput,
) -> Result<(Conversation, InteractionId), AppError> {
    let organization = tx.organization().clone();
    let (now, interaction_id) = (app.clock.now(), app.new_id()?);
    let is_claimed = tx
        .claim_conversation(id, interaction_id, (now, now + CLAIM_TIME))
        .await?;
    // As it is under the claim: an interaction may have ended since somebody looked.
    let conversation = tx.find_conversation(&organization, id).await?;
    let conversation = conversation.ok_or_else(|| no_conversation(id))?;
    if !is_claimed {
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
    Ok((conversation, interaction_id))
}

async fn start(
    app: &App,
    organization: &OrganizationId,
    (conversation, interaction_id): (Conversation, InteractionId),
    said: UserInput,
    person: Option<Person>,
) -> Result<Interaction, AppError> {
    // From here on, whatever goes wrong gives the conversation back.
    let claim = Claim::new(app, organization, conversation.id, interaction_id);
    let (agent, graph) = (conversation.agent, conversation.context_graph);
    let models = conversation.model_preferences.clone();
    let setup = setup::load(app, organization, agent, graph, models).await?;
    let mut tx = app.store.read().await?;
    let person = if let Some(person) = person {
        person
    } else {
        let user = (conversation.user_id.as_str(), conversation.service_id);
        person::read(&mut tx, organization, user, conversation.seq).await?
    };
    let transcript = transcript::for_prompts(app, &mut tx, organization, conversation.id).await?;
    let position = tx.find_position(organization, conversation.id).await?;
    drop(tx);
    let mut interaction = Interaction::new(claim, conversation, setup, person, Some(said))?;
    interaction.transcript = transcript;
    interaction.position = position.unwrap_or_default();
    Ok(interaction)
}
