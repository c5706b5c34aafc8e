//! What a model is asked, and what comes back.

use forge_domain::MessageId;
use forge_domain::conversation::AgentAction;
use tokio::sync::mpsc::Sender;

use crate::prompt::Prompt;
use crate::text::harmless;
use crate::thought::{Filter, Mark, ThoughtsWereSpoken};
use crate::{Event, Limits};

/// One question to a model.
#[derive(Debug, Clone)]
pub(crate) struct Request<'a> {
    /// The named interaction.
    pub(crate) llm_interaction: &'static str,
    pub(crate) prompt: Prompt,
    pub(crate) hints: Hints<'a>,
}

/// What a script decides by.
///
/// A model sees the prompt only.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Hints<'a> {
    /// What the agent was told last.
    pub(crate) said: &'a str,
    /// The current state.
    pub(crate) state: &'a str,
    /// The action that was selected.
    pub(crate) action: &'a str,
    /// What there is to choose from.
    pub(crate) options: &'a [&'a str],
    /// Which turn of the agent it is, from 1.
    pub(crate) turn: u32,
    /// Which round of tool calls, from 0.
    pub(crate) round: u32,
}

/// What a model answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) prompt_tokens: Option<i64>,
    pub(crate) completion_tokens: Option<i64>,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Never a key or a prompt, nor what the provider wrote: it may quote either.
    pub(crate) reason: String,
    pub(crate) kind: FailureKind,
    /// How long the provider asks to be left alone, in milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
}

/// What a failure is about, and so what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The provider: the same call may well succeed a little later.
    Temporary,
    /// This answer, which did not come to its end in time. That says nothing about the provider: long answers take
    /// long, and so do those who listen slowly.
    Slow,
    /// The provider, but it is no use to call again at once.
    Lasting,
    /// This prompt, or what a model would say to it. Others are answered.
    Refused,
    /// What the model said: it is not the whole of it.
    CutOff,
    /// The key, the account or the address that the installation has.
    Setup,
}

impl Failure {
    fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            kind,
            retry_after_ms: None,
        }
    }

    pub(crate) fn temporary(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::Temporary, reason)
    }

    pub(crate) fn slow(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::Slow, reason)
    }

    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::Lasting, reason)
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, reason)
    }

    pub(crate) fn cut_off(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::CutOff, reason)
    }

    pub(crate) fn setup(reason: impl Into<String>) -> Self {
        Self::new(FailureKind::Setup, reason)
    }

    /// Returns `true` if the same call may well succeed a little later.
    ///
    /// A slow one takes as long again.
    pub(crate) fn is_temporary(&self) -> bool {
        self.kind == FailureKind::Temporary
    }
}

/// Where the agent's message goes while it is being written.
///
/// Blanks around the message are left out, so that its pieces together are exactly the message; and so is what the model
/// thought before it.
pub(crate) struct Pieces<'a> {
    events: &'a Sender<Event>,
    message_id: MessageId,
    number: u32,
    text: String,
    held_blanks: String,
    thoughts: Filter,
}

impl<'a> Pieces<'a> {
    pub(crate) fn new(events: &'a Sender<Event>, message_id: MessageId) -> Self {
        Self {
            events,
            message_id,
            number: 0,
            text: String::new(),
            held_blanks: String::new(),
            thoughts: Filter::default(),
        }
    }

    /// Begins anew, unless somebody may have seen a part of the message.
    ///
    /// It may begin within a thought whose first mark the provider does not send.
    pub(crate) fn restart(&mut self, swallowed_mark: Option<Mark>) {
        if !self.has_begun() {
            self.held_blanks.clear();
            self.thoughts = swallowed_mark.map_or_else(Filter::default, Filter::within);
        }
    }

    /// Returns `true` if somebody may have seen a part of the message.
    pub(crate) fn has_begun(&self) -> bool {
        self.number > 0
    }

    /// Returns `true` if the model did not get beyond its thoughts.
    pub(crate) fn is_thinking(&self) -> bool {
        self.thoughts.is_thinking()
    }

    /// Takes the next piece of what the model writes.
    pub(crate) async fn push(&mut self, text: &str) -> Result<(), Failure> {
        let said = self.thoughts.push(&harmless(text));
        let said = said.map_err(|ThoughtsWereSpoken| {
            Failure::cut_off(
                "the model ended a thought that it had not begun, after it was told as the answer; have its server send \
                 thoughts apart from answers, or say by `swallowed_mark` what they begin with",
            )
        })?;
        self.tell(&said).await;
        Ok(())
    }

    /// Says that the model has come to its end.
    pub(crate) async fn end(&mut self) {
        let said = self.thoughts.finish();
        self.tell(&said).await;
    }

    async fn tell(&mut self, text: &str) {
        let mut piece = std::mem::take(&mut self.held_blanks);
        piece.push_str(text);
        if self.text.is_empty() {
            piece = piece.trim_start().to_owned();
        }
        let end = piece.trim_end().len();
        self.held_blanks = piece.split_off(end);
        if !piece.is_empty() {
            self.text.push_str(&piece);
            self.send(piece, false).await;
        }
    }

    /// Ends the message and returns it.
    pub(crate) async fn finish(mut self) -> String {
        self.send(String::new(), true).await;
        self.text
    }

    async fn send(&mut self, text: String, is_last: bool) {
        let number = self.number;
        self.number += 1;
        let fragment = AgentAction::EngageUserMessageFragmentGenerated {
            index: number,
            fragment: text.clone(),
            is_final: is_last,
        };
        let piece = Event::Piece {
            message_id: self.message_id,
            number,
            text,
            is_last,
        };
        for event in [Event::Action(fragment), piece] {
            // Nobody has to listen: the turn counts all the same.
            let _ = self.events.send(event).await;
        }
    }
}

/// Says that a call took longer than it may.
pub(super) fn too_long(limits: &Limits) -> String {
    let seconds = limits.model_call_time.as_secs_f64();
    format!("no complete answer within {seconds} seconds")
}
