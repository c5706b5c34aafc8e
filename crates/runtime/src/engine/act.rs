//! Action states: whether to leave them, and what the agent says in them.

use forge_domain::context_graph::{ActionState, ExitCondition};
use forge_domain::conversation::{AgentAction, MessageType, ToolCallLog, TransitionCause};

use super::{Choice, Place, Walk, descriptions, hints};
use crate::RuntimeError;
use crate::models::{Hints, Pieces, Request};

impl<'a> Walk<'a> {
    /// Leaves an action state by an exit condition that holds.
    ///
    /// If none does, returns what tools answered meanwhile.
    pub(super) async fn leave_action_state(
        &mut self,
        place: Place<'a>,
        state: &'a ActionState,
    ) -> Result<Option<Vec<ToolCallLog>>, RuntimeError> {
        let is_first_visit = self.visited.insert((place.version, &state.name));
        // Before anything was said, nothing can have come about.
        if state.exit_conditions.is_empty() || !is_first_visit || !self.has_begun() {
            return Ok(Some(Vec::new()));
        }
        self.tell_of_override().await;
        let purpose = "Decide whether the situation is over, by its conditions.";
        let rounds = self
            .call_tools(place, purpose, &state.exit_condition_tool_call_specs)
            .await?;
        let data = self.knowledge(&rounds.results);
        let instructions = self.instructions();
        let prompt = self
            .scene(place, &instructions)
            .evaluate_exit_conditions(state, data);
        let options = descriptions(&state.exit_conditions);
        let choice = Choice {
            llm_interaction: "evaluate-exit-conditions",
            options: &options,
            admits_none: true,
        };
        let Some(index) = self.choose(place, prompt, choice).await? else {
            self.insights.select_next_action_tool_call_logs = rounds.logs;
            return Ok(Some(rounds.results));
        };
        let exit = &state.exit_conditions[index];
        let cause = TransitionCause::Action {
            previous_state_exit_condition_description: exit.description.clone(),
            tool_call_logs: rounds.logs,
        };
        self.take(place, exit, cause).await?;
        Ok(None)
    }

    /// Takes an exit.
    pub(super) async fn take(
        &mut self,
        from: Place<'a>,
        exit: &ExitCondition,
        cause: TransitionCause,
    ) -> Result<(), RuntimeError> {
        self.go(from, &exit.next_state)?;
        let next = self.place()?;
        self.tell(AgentAction::NavigateStateMachineExitConditionSelected {
            exit_condition: exit.description.clone(),
            next_state_state_machine_version_info: next.version,
            next_state_name: next.state.name().to_owned(),
        })
        .await;
        self.moved(from, cause).await
    }

    /// Selects an action of the state, and says what has to be said.
    pub(super) async fn act(
        &mut self,
        place: Place<'a>,
        state: &'a ActionState,
        results: &[ToolCallLog],
    ) -> Result<(), RuntimeError> {
        if !state.skip_active_memory_retrieval {
            self.retrieve_active_memory(place, &state.objective).await?;
        }
        let action = self.select_action(place, state, results).await?;
        self.tell(AgentAction::NavigateStateMachineActionStateActionSelected {
            action: action.to_owned(),
        })
        .await;
        self.insights.current_state_name.clone_from(&state.name);
        action.clone_into(&mut self.insights.current_state_action);
        self.insights.current_state_objective.clone_from(&state.objective);
        self.insights.current_graph = Some(place.version);
        if let Some(overridden) = self.overridden() {
            self.tell(AgentAction::EngageUserDynamicBehaviorOverride {
                overriding_instructions: overridden.instructions,
                overriding_tool_candidates: overridden.tools,
            })
            .await;
        }
        let rounds = self
            .call_tools(place, action, &state.action_tool_call_specs)
            .await?;
        self.engage(place, state, action, &rounds.results).await?;
        self.insights.engage_user_tool_call_logs = rounds.logs;
        Ok(())
    }

    async fn select_action(
        &mut self,
        place: Place<'a>,
        state: &'a ActionState,
        results: &[ToolCallLog],
    ) -> Result<&'a str, RuntimeError> {
        match state.actions.as_slice() {
            [] => Err(RuntimeError::Graph(format!(
                "state `{}` has no action",
                state.name
            ))),
            [only] => Ok(only),
            several => {
                let options: Vec<&str> = several.iter().map(String::as_str).collect();
                let data = self.knowledge(results);
                let instructions = self.instructions();
                let prompt = self.scene(place, &instructions).select_action(state, data);
                let choice = Choice {
                    llm_interaction: "select-action",
                    options: &options,
                    admits_none: false,
                };
                let index = self.choose(place, prompt, choice).await?;
                Ok(&several[index.unwrap_or(0)])
            }
        }
    }

    async fn engage(
        &mut self,
        place: Place<'a>,
        state: &'a ActionState,
        action: &str,
        results: &[ToolCallLog],
    ) -> Result<(), RuntimeError> {
        let data = self.knowledge(results);
        let instructions = self.instructions();
        let request = Request {
            llm_interaction: "engage-user",
            prompt: self.scene(place, &instructions).engage_user(state, action, data),
            hints: Hints {
                action,
                ..hints(&self.said, self.number, place)
            },
        };
        let id = self.ids.message_id()?;
        let message = self.client.speak(request, Pieces::new(self.events, id)).await?;
        self.note(id, MessageType::AgentMessage, message);
        Ok(())
    }
}
