//! Tells an interaction while it runs, an event a line.

use axum::http::StatusCode;
use axum::response::Response;
use forge_app::AppError;
use forge_app::conversations::{Completed, Event, Interaction};
use forge_domain::conversation::AgentAction;
use forge_wire::conversations::{ActionFilter, ConversationEvent};
use tokio::sync::mpsc;
use tracing::Instrument as _;

use crate::error::told;
use crate::server::Server;
use crate::stream::{self, Sender};

/// Tells one reader what happens in an interaction.
struct Teller {
    sender: Sender,
    /// Which of the agent's steps the reader is told, if any.
    actions: Option<ActionFilter>,
}

/// Answers with a stream that begins with `first`, if there is one.
///
/// Whoever goes away, or does not read it, ends the interaction, of which nothing is kept then.
pub(super) fn tell(
    server: &Server,
    status: StatusCode,
    interaction: Interaction,
    first: Option<ConversationEvent>,
    actions: Option<ActionFilter>,
) -> Response {
    let patience = server.limits.write_timeout;
    let (sender, response) = stream::open(status, "application/x-ndjson", patience);
    let emitter = Teller { sender, actions };
    tokio::spawn(emitter.tell(interaction, first).in_current_span());
    response
}

impl Teller {
    async fn tell(self, interaction: Interaction, first: Option<ConversationEvent>) {
        if let Some(first) = first
            && !self.send(&first).await
        {
            return;
        }
        let (events, happening) = mpsc::channel(stream::WAITING);
        let (completed, ()) = tokio::join!(interaction.run(events), self.tell_all(happening));
        let last = match completed {
            Ok(completed) => complete(&completed),
            // There is nobody to be told.
            Err(AppError::Abandoned) => return,
            Err(error) => {
                let (http_error_code, error_description) = told(error);
                ConversationEvent::Error {
                    http_error_code,
                    error_description,
                }
            }
        };
        self.send(&last).await;
    }

    /// Tells what happens until nothing more does, or the reader is gone: then nobody waits for the rest.
    async fn tell_all(&self, mut happening: mpsc::Receiver<Event>) {
        loop {
            let event = tokio::select! {
                biased;
                () = self.sender.closed() => return,
                event = happening.recv() => event,
            };
            let Some(event) = event else { return };
            let event = match event {
                Event::Action(action) => self.action(&action),
                Event::Piece {
                    message_id,
                    number,
                    text,
                    is_last,
                } => Some(ConversationEvent::NewMessage {
                    message: text,
                    transcript_alignment: None,
                    stop: is_last,
                    sequence_number: number,
                    message_id: message_id.to_string(),
                }),
            };
            if let Some(event) = event
                && !self.send(&event).await
            {
                return;
            }
        }
    }

    fn action(&self, action: &AgentAction) -> Option<ConversationEvent> {
        self.actions.as_ref()?.event(action)
    }

    async fn send(&self, event: &ConversationEvent) -> bool {
        match event.line() {
            Ok(line) => self.sender.send(line).await,
            Err(error) => {
                tracing::error!(%error, "an event of a conversation cannot be told");
                false
            }
        }
    }
}

fn complete(completed: &Completed) -> ConversationEvent {
    let message = completed.agent_message();
    ConversationEvent::InteractionComplete {
        message_id: message.id.to_string(),
        interaction_id: completed.interaction_id.to_string(),
        full_message: message.message.clone(),
        conversation_completed: completed.is_finished,
    }
}
