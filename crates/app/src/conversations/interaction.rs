//! One interaction: claimed, run, and kept whole or not at all.

use forge_domain::conversation::{Insights, Message, MessageType, Position, UserInput};
use forge_domain::simulation::InitialMessageType;
use forge_domain::{ConversationId, Duration, InteractionId, MessageId, OrganizationId, Timestamp};
use forge_runtime::{Event, Ids, Incoming, Person, RuntimeError, Setup, Turn, TurnOutcome};
use forge_store::{Conversation, Kept};
use tokio::runtime::Handle;
use tokio::sync::mpsc::Sender;

use super::log_failure;
use crate::items::behavior_sets::{behaviors_for, invocation};
use crate::{App, AppError};

/// How long an interaction is believed to be alive without a sign of it.
///
/// If its server is lost, its conversation can go on after that time.
pub(super) const CLAIM_TIME: Duration = Duration::seconds(60);

/// How often an interaction gives a sign of life.
const RENEW_EVERY: std::time::Duration = std::time::Duration::from_secs(15);

/// The right of one interaction to go on with its conversation.
///
/// Whoever drops it gives the conversation back: nothing of the interaction is kept, and a conversation that it was to
/// begin with has never been.
pub(super) struct Claim {
    app: App,
    organization: OrganizationId,
    conversation: ConversationId,
    interaction: InteractionId,
    is_held: bool,
}

impl Claim {
    pub(super) fn new(
        app: &App,
        organization: &OrganizationId,
        conversation: ConversationId,
        interaction: InteractionId,
    ) -> Self {
        Self {
            app: app.clone(),
            organization: organization.clone(),
            conversation,
            interaction,
            is_held: true,
        }
    }

    /// Says that the interaction is alive.
    async fn renew(&self) -> Result<bool, AppError> {
        let until = self.app.clock.now() + CLAIM_TIME;
        let mut tx = self.app.store.write_run(&self.organization).await?;
        let is_ours = tx.renew_claim(self.conversation, self.interaction, until).await?;
        tx.commit().await?;
        Ok(is_ours)
    }

    /// Gives the conversation back, now.
    async fn release(&mut self) {
        if !std::mem::take(&mut self.is_held) {
            return;
        }
        release(
            &self.app,
            &self.organization,
            (self.conversation, self.interaction),
        )
        .await;
    }
}

async fn release(app: &App, organization: &OrganizationId, claim: (ConversationId, InteractionId)) {
    let releasing = async {
        let mut tx = app.store.write_run(organization).await?;
        tx.release_claim(claim.0, claim.1).await?;
        tx.commit().await
    };
    if let Err(error) = releasing.await {
        log_failure(
            "a conversation was not given back; it can go on when the claim has ended",
            &error,
        );
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_held {
            return;
        }
        // The interaction was abandoned in the middle. Without a runtime the program ends, and the claim's time with it.
        if let Ok(runtime) = Handle::try_current() {
            let (app, organization) = (self.app.clone(), self.organization.clone());
            let claim = (self.conversation, self.interaction);
            runtime.spawn(async move { release(&app, &organization, claim).await });
        }
    }
}

/// An interaction that has claimed its conversation and is about to be run.
pub struct Interaction {
    claim: Claim,
    /// The conversation, as it was before.
    pub conversation: Conversation,
    setup: Setup,
    person: Person,
    pub(super) transcript: Vec<Message>,
    pub(super) position: Position,
    incoming: Vec<Incoming>,
}

/// An interaction that was completed, and is stored.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The interaction.
    pub interaction_id: InteractionId,
    /// What was said and thought, in order; the agent's message is the last one.
    pub messages: Vec<Message>,
    /// How the agent came to it.
    pub insights: Insights,
    /// Whether the conversation is finished by it.
    pub is_finished: bool,
    answer: Message,
}

impl Completed {
    /// Returns the agent's message.
    pub fn agent_message(&self) -> &Message {
        &self.answer
    }
}

/// Creates ids for the runtime, and tells it the time.
struct AppIds<'a>(&'a App);

impl Ids for AppIds<'_> {
    fn message_id(&self) -> Result<MessageId, RuntimeError> {
        let id = self.0.new_id();
        id.map_err(|error| RuntimeError::Limit(error.to_string()))
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl Interaction {
    /// Creates the first interaction of a conversation, or one whose transcript and position are yet to be set.
    pub(super) fn new(
        claim: Claim,
        conversation: Conversation,
        setup: Setup,
        person: Person,
        said: Option<UserInput>,
    ) -> Result<Self, AppError> {
        Ok(Self {
            incoming: said.map_or(Ok(Vec::new()), |said| incoming(&claim.app, said))?,
            claim,
            conversation,
            setup,
            person,
            transcript: Vec::new(),
            position: Position::default(),
        })
    }

    /// Returns the interaction's id.
    pub fn id(&self) -> InteractionId {
        self.claim.interaction
    }

    /// Returns what the user's side said, or `None` if it let the agent speak.
    pub fn said(&self) -> Option<&Incoming> {
        self.incoming.last()
    }

    /// Lets the agent speak.
    ///
    /// What happens is told to `events` as it happens; where nobody reads them any more, the interaction is given up.
    ///
    /// # Errors
    /// Nothing of an interaction that failed is kept: the conversation is as it was before and can go on. If it was the
    /// first one, there is no conversation.
    pub async fn run(mut self, events: Sender<Event>) -> Result<Completed, AppError> {
        let kept = match Box::pin(self.turn(&events)).await {
            Ok(outcome) => self.keep(outcome).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(_) => self.claim.is_held = false,
            Err(_) => self.claim.release().await,
        }
        kept
    }

    async fn turn(&mut self, events: &Sender<Event>) -> Result<TurnOutcome, AppError> {
        let ids = AppIds(&self.claim.app);
        let (app, organization) = (&self.claim.app, &self.claim.organization);
        // Other than what the conversation is pinned to, these are what they are now.
        let behaviors = behaviors_for(app, organization, self.conversation.service_id).await?;
        let turn = Turn {
            setup: &self.setup,
            person: &self.person,
            behaviors: &behaviors,
            transcript: &self.transcript,
            position: std::mem::take(&mut self.position),
            interaction_id: self.claim.interaction,
            incoming: std::mem::take(&mut self.incoming),
            ids: &ids,
        };
        let mut speaking = Box::pin(self.claim.app.runtime.interact(turn, events));
        let mut alive = tokio::time::interval(RENEW_EVERY);
        alive.tick().await;
        loop {
            tokio::select! {
                biased;
                () = events.closed() => return Err(AppError::Abandoned),
                outcome = &mut speaking => return Ok(outcome?),
                _ = alive.tick() => match self.claim.renew().await {
                    Ok(true) => {}
                    Ok(false) => return Err(lost()),
                    // Whether the claim still holds is asked again at the end.
                    Err(error) => tracing::warn!(%error, "an interaction could not say that it is alive"),
                },
            }
        }
    }

    /// Writes everything that came of the interaction in one transaction, provided that the conversation is still its
    /// own.
    async fn keep(&self, mut outcome: TurnOutcome) -> Result<Completed, AppError> {
        // PostgreSQL has no text with this character, and a model may say anything.
        for message in &mut outcome.messages {
            message.message.retain(|character| character != '\0');
        }
        let answer = outcome.agent_message().cloned();
        let answer = answer.ok_or_else(|| AppError::internal("a turn ended without the agent's message"))?;
        let (conversation_id, interaction_id) = (self.claim.conversation, self.claim.interaction);
        let now = self.claim.app.clock.now();
        let is_thought = |message: &&Message| message.message_type == MessageType::AgentInnerThought;
        let thoughts = count(outcome.messages.iter().filter(is_thought).count());
        let messages = count(outcome.messages.len());
        let message_bytes = outcome.messages.iter().map(|message| message.message.len()).sum();
        let kept = Kept {
            position: &outcome.position,
            messages,
            visible_messages: messages - thoughts,
            message_bytes: count(message_bytes),
            last_message: &answer.message,
            last_message_at: answer.created_at,
            finished_at: outcome.is_finished.then_some(now),
        };
        let mut tx = self.claim.app.store.write_run(&self.claim.organization).await?;
        let numbers = tx
            .keep_interaction(conversation_id, interaction_id, &kept)
            .await?;
        let (last, number) = numbers.ok_or_else(lost)?;
        let interaction = forge_store::Interaction {
            id: interaction_id,
            number,
            insights: outcome.insights,
            created_at: now,
        };
        tx.insert_interaction(conversation_id, &interaction).await?;
        tx.insert_messages(conversation_id, last - messages + 1, &outcome.messages)
            .await?;
        if let Some(set) = interaction.insights.triggered_dynamic_behavior_set_version_info {
            let id = self.claim.app.new_id()?;
            let invocation = invocation(id, set, (conversation_id, now), &outcome.messages, &answer);
            tx.record_behavior_invocation(&invocation).await?;
        }
        tx.commit().await?;
        Ok(Completed {
            conversation_id,
            interaction_id,
            messages: outcome.messages,
            insights: interaction.insights,
            is_finished: outcome.is_finished,
            answer,
        })
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn lost() -> AppError {
    AppError::Conflict(
        "the conversation was deleted, or went on without this interaction because that took too long"
            .to_owned(),
    )
}

/// Creates messages of what was said: external events as they happened, and then the message itself.
fn incoming(app: &App, said: UserInput) -> Result<Vec<Incoming>, AppError> {
    let mut incoming = Vec::new();
    for event in said.events {
        incoming.push(Incoming {
            id: app.new_id()?,
            message_type: MessageType::ExternalEvent,
            message: event.message,
            created_at: event.happened_at,
        });
    }
    let message_type = match said.message_type {
        InitialMessageType::UserMessage => MessageType::UserMessage,
        InitialMessageType::ExternalEvent => MessageType::ExternalEvent,
        InitialMessageType::Skip => return Ok(incoming),
    };
    incoming.push(Incoming {
        id: app.new_id()?,
        message_type,
        message: said.message,
        created_at: app.clock.now(),
    });
    Ok(incoming)
}
