//! Dynamic behavior sets: which one applies, and what it changes.

use forge_domain::behavior::{BehaviorAction, NamedToolCallSpec};
use forge_domain::context_graph::ToolCallSpec;
use forge_domain::conversation::AgentAction;

use super::{Place, Walk};
use crate::RuntimeError;
use crate::models::{Hints, Request};
use crate::prompt::Scene;

/// What a behavior set stands in place of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overridden {
    pub(super) instructions: bool,
    pub(super) tools: bool,
}

impl<'a> Walk<'a> {
    /// Finds out which behavior set applies in this turn, if any.
    pub(super) async fn select_behavior(&mut self) -> Result<(), RuntimeError> {
        let previous = self.position.behavior;
        let behaviors = self.behaviors;
        if !behaviors.is_empty() && self.has_begun() {
            // What has to be told apart is the first trigger of each; a script goes by those.
            let options: Vec<&str> = behaviors
                .iter()
                .map(|behavior| {
                    behavior
                        .document
                        .conversation_triggers
                        .first()
                        .map_or("", String::as_str)
                })
                .collect();
            let triggers = behaviors
                .iter()
                .map(|behavior| behavior.document.conversation_triggers.as_slice());
            let request = Request {
                llm_interaction: "select-behavior",
                prompt: self.agent().select_behavior(triggers, self.knowledge(&[])),
                hints: Hints {
                    said: &self.said,
                    options: &options,
                    turn: self.number,
                    ..Hints::default()
                },
            };
            let read = |text: &str| crate::answer::choice(text, &options, true);
            self.behavior = self
                .client
                .ask(request, read)
                .await?
                .map(|index| &behaviors[index]);
        }
        self.position.behavior = self.behavior.map(|behavior| (behavior.id, behavior.version));
        self.insights.triggered_dynamic_behavior_set_version_info = self.position.behavior;
        if !behaviors.is_empty() || previous.is_some() {
            self.tell(AgentAction::SelectDynamicBehaviorCompleted {
                selected_dynamic_behavior_set_version_info: self.position.behavior,
                previous_selected_dynamic_behavior_set_version_info: previous,
            })
            .await;
        }
        Ok(())
    }

    fn actions(&self) -> &'a [BehaviorAction] {
        self.behavior.map_or(&[], |behavior| &behavior.document.actions)
    }

    /// Returns what the selected behavior set stands in place of, if one is selected.
    pub(super) fn overridden(&self) -> Option<Overridden> {
        self.behavior?;
        let mut overridden = Overridden {
            instructions: false,
            tools: false,
        };
        for action in self.actions() {
            match action {
                BehaviorAction::InjectInstruction {
                    overrides_instructions,
                    ..
                } => {
                    overridden.instructions |= overrides_instructions;
                }
                BehaviorAction::ChangeToolCandidates {
                    overrides_existing_tool_call_specs,
                    ..
                } => {
                    overridden.tools |= overrides_existing_tool_call_specs;
                }
            }
        }
        Some(overridden)
    }

    pub(super) async fn tell_of_override(&self) {
        if let Some(overridden) = self.overridden() {
            self.tell(AgentAction::NavigateStateMachineDynamicBehaviorOverride {
                overriding_instructions: overridden.instructions,
                overriding_tool_candidates: overridden.tools,
            })
            .await;
        }
    }

    /// Returns the instructions of the selected behavior set.
    pub(super) fn instructions(&self) -> Vec<&'a str> {
        let actions = self.actions().iter();
        actions
            .filter_map(|action| match action {
                BehaviorAction::InjectInstruction { instruction, .. } => Some(instruction.as_str()),
                BehaviorAction::ChangeToolCandidates { .. } => None,
            })
            .collect()
    }

    /// Returns the tools that are offered where a state offers its own.
    pub(super) fn candidates(&self, own: &[ToolCallSpec]) -> Vec<ToolCallSpec> {
        let is_overridden = self.overridden().is_some_and(|overridden| overridden.tools);
        let mut specs = if is_overridden { Vec::new() } else { own.to_vec() };
        for action in self.actions() {
            if let BehaviorAction::ChangeToolCandidates { tool_call_specs, .. } = action {
                specs.extend(tool_call_specs.iter().map(unnamed));
            }
        }
        specs
    }

    pub(super) fn scene<'s>(&self, place: Place<'a>, instructions: &'s [&'s str]) -> Scene<'s>
    where
        'a: 's,
    {
        Scene {
            agent: self.agent(),
            graph: place.graph,
            instructions,
            is_overridden: self
                .overridden()
                .is_some_and(|overridden| overridden.instructions),
        }
    }
}

fn unnamed(spec: &NamedToolCallSpec) -> ToolCallSpec {
    ToolCallSpec {
        tool_id: spec.tool_id,
        version_constraint: spec.version_constraint.clone(),
        additional_instruction: spec.additional_instruction.clone(),
        audio_fillers: spec.audio_fillers.clone(),
        audio_filler_triggered_after: spec.audio_filler_triggered_after,
        result_persistence: spec.result_persistence,
    }
}
