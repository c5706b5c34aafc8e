//! One interaction: leased, run, and kept whole or not at all.

use forge_domain::conversation::{
    CompletedInteraction, Conversation, Insights, Message, MessageType, Position, UserInput,
};
use forge_domain::simulation::InitialMessageType;
use forge_domain::{ConversationId, InteractionId, MessageId, Timestamp};
use forge_runtime::{Event, Ids, Incoming, Person, RuntimeError, Setup, Turn, TurnOutcome};
use forge_store::Kept;
use tokio::sync::mpsc::{Sender, channel};

use super::lease::ConversationLease;
use crate::items::behavior_sets::{behaviors_for, invocation};
use crate::lease::keep_renewed;
use crate::{App, AppError};

/// An interaction that has leased its conversation and is about to be run.
pub struct Interaction {
    lease: ConversationLease,
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
        lease: ConversationLease,
        conversation: Conversation,
        setup: Setup,
        person: Person,
        said: Option<UserInput>,
    ) -> Result<Self, AppError> {
        Ok(Self {
            incoming: said.map_or(Ok(Vec::new()), |said| incoming(&lease.app, said))?,
            lease,
            conversation,
            setup,
            person,
            transcript: Vec::new(),
            position: Position::default(),
        })
    }

    /// Returns the interaction's id.
    pub fn id(&self) -> InteractionId {
        self.lease.interaction
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
    pub async fn run(self, events: Sender<Event>) -> Result<Completed, AppError> {
        self.run_for(Some(events)).await
    }

    /// Lets the agent speak where nobody follows what happens.
    ///
    /// # Errors
    /// As of [`Interaction::run`].
    pub async fn run_unheard(self) -> Result<Completed, AppError> {
        self.run_for(None).await
    }

    async fn run_for(mut self, listener: Option<Sender<Event>>) -> Result<Completed, AppError> {
        let kept = match Box::pin(self.turn(listener)).await {
            Ok(outcome) => self.keep(outcome).await,
            Err(error) => Err(error),
        };
        match kept {
            Ok(_) => self.lease.is_over(),
            Err(_) => self.lease.release().await,
        }
        kept
    }

    async fn turn(&mut self, listener: Option<Sender<Event>>) -> Result<TurnOutcome, AppError> {
        let is_heard = listener.is_some();
        // Without a listener, the events go nowhere.
        let events = listener.unwrap_or_else(|| channel(1).0);
        let ids = AppIds(&self.lease.app);
        let (app, organization) = (&self.lease.app, &self.lease.organization);
        // Other than what the conversation is pinned to, these are what they are now.
        let behaviors = behaviors_for(app, organization, self.conversation.service_id).await?;
        let turn = Turn {
            setup: &self.setup,
            person: &self.person,
            behaviors: &behaviors,
            transcript: &self.transcript,
            position: std::mem::take(&mut self.position),
            interaction_id: self.lease.interaction,
            incoming: std::mem::take(&mut self.incoming),
            ids: &ids,
        };
        let speaking = Box::pin(self.lease.app.runtime.interact(turn, &events));
        let heard = async {
            tokio::select! {
                biased;
                () = abandoned(is_heard.then_some(&events)) => Err(AppError::Abandoned),
                outcome = speaking => Ok(outcome?),
            }
        };
        keep_renewed(&self.lease, heard)
            .await
            .unwrap_or_else(|| Err(lost()))
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
        let (conversation_id, interaction_id) = (self.lease.conversation, self.lease.interaction);
        let now = self.lease.app.clock.now();
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
        let mut tx = self.lease.app.store.write_run(&self.lease.organization).await?;
        let numbers = tx
            .keep_interaction(conversation_id, interaction_id, &kept)
            .await?;
        let (last, number) = numbers.ok_or_else(lost)?;
        let interaction = CompletedInteraction {
            id: interaction_id,
            number,
            insights: outcome.insights,
            created_at: now,
        };
        tx.insert_interaction(conversation_id, &interaction).await?;
        tx.insert_messages(conversation_id, last - messages + 1, &outcome.messages)
            .await?;
        if let Some(set) = interaction.insights.triggered_dynamic_behavior_set_version_info {
            let id = self.lease.app.new_id()?;
            let invocation = invocation(id, set, conversation_id, now, &outcome.messages, &answer);
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

/// Waits until nobody listens any more; for ever where nobody was to.
async fn abandoned(listener: Option<&Sender<Event>>) {
    match listener {
        Some(events) => events.closed().await,
        None => std::future::pending().await,
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
