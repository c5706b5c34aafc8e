//! States that a walk passes through: decisions, annotations, reflections, tool calls.

use forge_domain::context_graph::{AnnotationState, DecisionState, ReflectionState, ToolCallState};
use forge_domain::conversation::{AgentAction, MessageType, TransitionCause};

use super::tools::{Offered, log};
use super::{Choice, Place, Walk, descriptions, hints};
use crate::RuntimeError;
use crate::models::{Hints, Request};
use crate::prompt;
use crate::tools::{ToolFailure, Validated};

impl<'a> Walk<'a> {
    /// Takes the way on that fits best.
    pub(super) async fn decide(
        &mut self,
        place: Place<'a>,
        state: &'a DecisionState,
    ) -> Result<(), RuntimeError> {
        self.tell(AgentAction::NavigateStateMachineDecisionStateDecisionStarted {})
            .await;
        self.tell_of_override().await;
        let rounds = self
            .call_tools(place, &state.objective, &state.tool_call_specs)
            .await?;
        let index = match state.exit_conditions.len() {
            0 => {
                return Err(RuntimeError::Graph(format!(
                    "no way leads on from state `{}`",
                    state.name
                )));
            }
            1 => 0,
            _ => {
                let data = self.knowledge(&rounds.results);
                let instructions = self.instructions();
                let prompt = self.scene(place, &instructions).decide(state, data);
                let options = descriptions(&state.exit_conditions);
                let choice = Choice {
                    llm_interaction: "decide",
                    options: &options,
                    admits_none: false,
                };
                self.choose(place, prompt, choice).await?.unwrap_or(0)
            }
        };
        let exit = &state.exit_conditions[index];
        let cause = TransitionCause::Decision {
            previous_state_exit_condition_description: exit.description.clone(),
            tool_call_logs: rounds.logs,
        };
        self.take(place, exit, cause).await
    }

    /// Adds the thought of an annotation state, and goes on.
    pub(super) async fn annotate(
        &mut self,
        place: Place<'a>,
        state: &'a AnnotationState,
    ) -> Result<(), RuntimeError> {
        self.tell(
            AgentAction::NavigateStateMachineAnnotationStateAnnotationRetrieved {
                annotation: state.inner_thought.clone(),
            },
        )
        .await;
        let inner_thought_message_id = self.ids.message_id()?;
        self.note(
            inner_thought_message_id,
            MessageType::AgentInnerThought,
            state.inner_thought.clone(),
        );
        self.go(place, &state.next_state)?;
        self.moved(
            place,
            TransitionCause::Annotation {
                inner_thought_message_id,
            },
        )
        .await
    }

    /// Thinks about the problem of a reflection state, and goes on.
    pub(super) async fn reflect(
        &mut self,
        place: Place<'a>,
        state: &'a ReflectionState,
    ) -> Result<(), RuntimeError> {
        self.tell(AgentAction::NavigateStateMachineReflectionStatePromptRetrieved {
            prompt: state.problem.clone(),
        })
        .await;
        let rounds = self
            .call_tools(place, &state.problem, &state.tool_call_specs)
            .await?;
        let data = self.knowledge(&rounds.results);
        let instructions = self.instructions();
        let request = Request {
            llm_interaction: "reflect",
            prompt: self.scene(place, &instructions).reflect(state, data),
            hints: hints(&self.said, self.number, place),
        };
        let most = usize::try_from(state.word_limit).unwrap_or(usize::MAX);
        let read = |text: &str| {
            let reflection = first_words(&crate::answer::text(text)?, most);
            if reflection.is_empty() {
                Err("the thought is empty".to_owned())
            } else {
                Ok(reflection)
            }
        };
        let reflection = self.client.ask(request, read).await?;
        self.tell(
            AgentAction::NavigateStateMachineReflectionStateReflectionGenerated {
                reflection: reflection.clone(),
            },
        )
        .await;
        let inner_thought_message_id = self.ids.message_id()?;
        self.insights.reflections.push(reflection.clone());
        self.note(
            inner_thought_message_id,
            MessageType::AgentInnerThought,
            reflection,
        );
        self.go(place, &state.next_state)?;
        let cause = TransitionCause::Reflection {
            inner_thought_message_id,
            tool_call_logs: rounds.logs,
        };
        self.moved(place, cause).await
    }

    /// Calls the tool of a tool-call state, and goes on.
    ///
    /// Without its answer there is no way on.
    pub(super) async fn call_designated_tool(
        &mut self,
        place: Place<'a>,
        state: &'a ToolCallState,
    ) -> Result<(), RuntimeError> {
        let spec = &state.designated_tool;
        let tool = self.find_tool(spec).map_err(|failure| RuntimeError::Tool {
            tool: spec.tool_id.to_string(),
            reason: failure.reason,
        })?;
        let (tool_id, tool_version) = (tool.id.to_string(), tool.version.clone());
        self.tell(AgentAction::DesignatedToolRetrieved {
            tool_id: tool_id.clone(),
            tool_version: tool_version.clone(),
        })
        .await;
        let rounds = self
            .call_tools(
                place,
                &state.designated_tool_call_objective,
                &state.tool_call_specs,
            )
            .await?;
        let offered = Offered {
            spec: spec.clone(),
            tool,
        };
        let params = self
            .generate_params(place, state, &offered, &rounds.results)
            .await?;
        self.tell(AgentAction::DesignatedToolCallParamsGenerated {
            tool_id: tool_id.clone(),
            tool_version: tool_version.clone(),
            tool_call_params: params.as_map().clone(),
        })
        .await;
        if self.tool_calls >= self.limits.tool_calls {
            return Err(RuntimeError::Limit(format!(
                "it called tools {} times",
                self.tool_calls
            )));
        }
        let (called, duration) = self.call(spec, tool, &params).await;
        let output = called.map_err(|ToolFailure { reason, .. }| RuntimeError::Tool {
            tool: tool.name.clone(),
            reason,
        })?;
        self.tell(
            AgentAction::NavigateStateMachineToolCallStateToolOutputAvailable {
                tool_id,
                tool_version,
                tool_output: output.clone(),
                duration,
                input_arguments: params.as_map().clone(),
            },
        )
        .await;
        let cause = TransitionCause::ToolCall {
            tool_call_logs: rounds.logs,
            designated_tool_call_log: log(spec, tool, &params, output, duration),
        };
        self.go(place, &state.next_state)?;
        self.moved(place, cause).await
    }

    async fn generate_params(
        &mut self,
        place: Place<'a>,
        state: &'a ToolCallState,
        offered: &Offered<'a>,
        results: &[forge_domain::conversation::ToolCallLog],
    ) -> Result<Validated, RuntimeError> {
        let data = self.knowledge(results);
        let options = [offered.tool.name.as_str()];
        let request = Request {
            llm_interaction: "call-tool",
            prompt: prompt::call_tool(self.agent(), state, offered.as_offer(), data),
            hints: Hints {
                options: &options,
                ..hints(&self.said, self.number, place)
            },
        };
        let read = |text: &str| offered.tool.validate(crate::answer::object(text)?);
        self.client.ask(request, read).await
    }
}

/// Returns the beginning of a text, up to so many words.
fn first_words(text: &str, most: usize) -> String {
    let text = text.trim();
    let mut words = 0;
    let mut is_inside = false;
    for (index, character) in text.char_indices() {
        if character.is_whitespace() {
            is_inside = false;
        } else if !is_inside {
            is_inside = true;
            words += 1;
            if words > most {
                return text[..index].trim_end().to_owned();
            }
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::first_words;

    #[test]
    fn a_thought_is_cut_between_words() {
        assert_eq!(first_words("  one two\nthree ", 2), "one two");
        assert_eq!(first_words(" one  two", 2), "one  two");
        assert_eq!(first_words("", 2), "");
    }
}
