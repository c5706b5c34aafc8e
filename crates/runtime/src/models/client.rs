//! The calls of models that one piece of work makes: their limits and their records.

use forge_domain::conversation::ModelCall;
use forge_domain::model::ModelPreferences;
use tokio::time::{Instant, sleep};

use super::Models;
use super::call::pause_before;
use super::request::{Answer, Failure, FailureKind, Pieces, Request};
use crate::answer::ONLY_THOUGHTS;
use crate::{Limits, RuntimeError};

/// Calls models and keeps account.
#[derive(Debug)]
pub(crate) struct ModelClient<'a> {
    models: &'a Models,
    preferences: &'a ModelPreferences,
    limits: &'a Limits,
    calls: Vec<ModelCall>,
    tokens: i64,
}

impl<'a> ModelClient<'a> {
    pub(crate) fn new(models: &'a Models, preferences: &'a ModelPreferences, limits: &'a Limits) -> Self {
        Self {
            models,
            preferences,
            limits,
            calls: Vec::new(),
            tokens: 0,
        }
    }

    /// Returns the records of all calls.
    pub(crate) fn into_calls(self) -> Vec<ModelCall> {
        self.calls
    }

    /// Asks until an answer can be read.
    ///
    /// A model that gave another one is told what was wrong with it.
    pub(crate) async fn ask<T>(
        &mut self,
        mut request: Request<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, RuntimeError> {
        let mut reason = String::new();
        for attempt in 1..=self.limits.attempts {
            if attempt > 1 {
                request.prompt.complain(&reason);
            }
            let answer = self.call(&request, attempt, None).await?;
            match read(&answer.text) {
                Ok(value) => return Ok(value),
                Err(why) => reason = why,
            }
            self.blame(&reason);
        }
        Err(self.unusable(&request, reason))
    }

    /// Has a message written, piece by piece, and returns it.
    pub(crate) async fn speak(
        &mut self,
        mut request: Request<'_>,
        mut pieces: Pieces<'_>,
    ) -> Result<String, RuntimeError> {
        let mut reason = "";
        for attempt in 1..=self.limits.attempts {
            if attempt > 1 {
                request.prompt.complain(reason);
            }
            self.call(&request, attempt, Some(&mut pieces)).await?;
            if pieces.has_begun() {
                return Ok(pieces.finish().await);
            }
            reason = if pieces.is_thinking() {
                ONLY_THOUGHTS
            } else {
                "the message is empty"
            };
            self.blame(reason);
        }
        Err(self.unusable(&request, reason.to_owned()))
    }

    /// Calls the interaction's model, and again if that fails before anything was said.
    async fn call(
        &mut self,
        request: &Request<'_>,
        attempt: u32,
        mut pieces: Option<&mut Pieces<'_>>,
    ) -> Result<Answer, RuntimeError> {
        if request.prompt.len() > self.limits.prompt_bytes {
            return Err(RuntimeError::Limit(format!(
                "the prompt of interaction `{}` is longer than {} bytes",
                request.llm_interaction, self.limits.prompt_bytes
            )));
        }
        debug_assert!(
            forge_domain::llm_interaction::is_known(request.llm_interaction),
            "a plan would warn about preferences for `{}`",
            request.llm_interaction
        );
        let (preference, route) = self.models.route(request.llm_interaction, self.preferences)?;
        let mut calls = 0;
        loop {
            calls += 1;
            self.check()?;
            if let Some(pieces) = pieces.as_deref_mut() {
                pieces.restart(route.provider.swallowed_mark);
            }
            let began = Instant::now();
            let result = route
                .call(
                    request,
                    &preference.params,
                    attempt,
                    self.limits,
                    pieces.as_deref_mut(),
                )
                .await;
            let mut record = ModelCall {
                interaction: request.llm_interaction.to_owned(),
                model: preference.llm_name.clone(),
                provider: route.provider.name.clone(),
                is_scripted: route.provider.is_scripted(),
                attempt,
                prompt_tokens: None,
                completion_tokens: None,
                duration_ms: i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX),
                error: None,
            };
            match result {
                Ok(answer) => {
                    record.prompt_tokens = answer.prompt_tokens;
                    record.completion_tokens = answer.completion_tokens;
                    let counts = [answer.prompt_tokens, answer.completion_tokens];
                    let used = counts.into_iter().flatten().fold(0, i64::saturating_add);
                    self.tokens = self.tokens.saturating_add(used);
                    self.calls.push(record);
                    return Ok(answer);
                }
                Err(failure) => {
                    record.error = Some(failure.reason.clone());
                    self.calls.push(record);
                    let was_heard = pieces.as_ref().is_some_and(|pieces| pieces.has_begun());
                    self.wait_or_give_up(request, &preference.llm_name, calls, was_heard, failure)
                        .await?;
                }
            }
        }
    }

    async fn wait_or_give_up(
        &self,
        request: &Request<'_>,
        model: &str,
        calls: u32,
        was_heard: bool,
        failure: Failure,
    ) -> Result<(), RuntimeError> {
        tracing::warn!(
            interaction = request.llm_interaction,
            model,
            reason = failure.reason,
            "a model was called in vain"
        );
        let may_retry = failure.is_temporary() && !was_heard && calls <= self.limits.retries;
        match pause_before(calls, &failure).filter(|_| may_retry) {
            Some(pause) => {
                sleep(pause).await;
                Ok(())
            }
            None => Err(given_up(request.llm_interaction, model, failure)),
        }
    }

    fn check(&self) -> Result<(), RuntimeError> {
        if self.calls.len() >= self.limits.model_calls as usize {
            return Err(RuntimeError::Limit(format!(
                "it called models {} times",
                self.calls.len()
            )));
        }
        if self.tokens >= self.limits.tokens {
            return Err(RuntimeError::Limit(format!(
                "it used {} tokens of models",
                self.tokens
            )));
        }
        Ok(())
    }

    /// Notes why the last answer was of no use.
    fn blame(&mut self, reason: &str) {
        if let Some(call) = self.calls.last_mut() {
            call.error = Some(reason.to_owned());
        }
    }

    fn unusable(&self, request: &Request<'_>, reason: String) -> RuntimeError {
        RuntimeError::Unusable {
            interaction: request.llm_interaction.to_owned(),
            model: self
                .calls
                .last()
                .map(|call| call.model.clone())
                .unwrap_or_default(),
            attempts: self.limits.attempts,
            reason,
        }
    }
}

/// Says what a failure is to whoever asked for the turn.
fn given_up(interaction: &str, model: &str, Failure { reason, kind, .. }: Failure) -> RuntimeError {
    let (interaction, model) = (interaction.to_owned(), model.to_owned());
    match kind {
        FailureKind::Temporary | FailureKind::Slow | FailureKind::Lasting => RuntimeError::Unavailable {
            interaction,
            model,
            reason,
        },
        FailureKind::Refused => RuntimeError::Refused {
            interaction,
            model,
            reason,
        },
        FailureKind::CutOff => RuntimeError::CutOff {
            interaction,
            model,
            reason,
        },
        FailureKind::Setup => RuntimeError::Setup {
            interaction,
            model,
            reason,
        },
    }
}
