//! What an agent is told in the states of a context graph.

use forge_domain::agent::AgentDocument;
use forge_domain::context_graph::{ActionState, ContextGraphDocument, DecisionState, ReflectionState};

use super::{Data, Prompt, Shape, Text};
use crate::Person;

const CHOOSE: &str = "Answer with nothing but JSON: {\"choice\": NUMBER}";

/// Who speaks, and with whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agent<'a> {
    pub(crate) document: &'a AgentDocument,
    pub(crate) person: &'a Person,
}

/// What a prompt of a state is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) agent: Agent<'a>,
    pub(crate) graph: &'a ContextGraphDocument,
    /// What a behavior set adds, or puts in place of the state's instructions.
    pub(crate) instructions: &'a [&'a str],
    /// Whether it puts them in place.
    pub(crate) is_overridden: bool,
}

impl Agent<'_> {
    /// Which behavior set applies, if any.
    pub(crate) fn select_behavior<'b>(
        &self,
        triggers: impl Iterator<Item = &'b [String]>,
        data: Data,
    ) -> Prompt {
        let mut text = self.introduction();
        let situations: Vec<String> = triggers.map(|triggers| triggers.join("; or: ")).collect();
        text.numbered("Situations", situations.iter().map(String::as_str));
        text.line(&format!(
            "\nDecide which situation the conversation has just turned to. 0 means none of them. {CHOOSE}"
        ));
        Prompt::new(
            text,
            data,
            "Which situation is it? Answer with JSON only: {\"choice\": NUMBER}, 0 for none.",
            Shape::choice(situations.len(), true),
        )
    }

    pub(super) fn introduction(&self) -> Text {
        let mut text = Text::default();
        let agent = self.document;
        let identity = &agent.identity;
        text.line(&format!(
            "You are {}, {}, developed by {}.",
            identity.name, identity.role, identity.developed_by
        ));
        text.section("Your background", &agent.background);
        text.list("How you behave", agent.behaviors.iter().map(String::as_str));
        text.list(
            "How you speak",
            agent.communication_patterns.iter().map(String::as_str),
        );
        text
    }

    fn language(&self) -> &str {
        let preferred = self.person.preferred_language.as_deref();
        // It becomes part of an instruction, so it must be what it claims to be.
        let is_code =
            |code: &&str| (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
        preferred
            .filter(is_code)
            .unwrap_or(&self.document.identity.default_spoken_language)
    }
}

impl Scene<'_> {
    fn text(&self, objective: &str) -> Text {
        let mut text = self.agent.introduction();
        text.section("What this conversation is for", &self.graph.description);
        text.section("Your objective now", objective);
        text
    }

    /// Adds the state's own guidelines, and what a behavior set makes of them.
    fn guidelines<'a>(&self, text: &mut Text, heading: &str, own: impl IntoIterator<Item = &'a String>) {
        if !self.is_overridden {
            text.list(heading, own.into_iter().map(String::as_str));
        }
        let heading = if self.is_overridden {
            "Instructions that replace all others of this situation"
        } else {
            "Further instructions for this situation"
        };
        text.list(heading, self.instructions.iter().copied());
    }

    /// Which exit condition of an action state holds, if any.
    pub(crate) fn evaluate_exit_conditions(&self, state: &ActionState, data: Data) -> Prompt {
        let mut text = self.text(&state.objective);
        let own = state.intra_state_navigation_guidelines.iter();
        let own = own.chain(&self.graph.global_intra_state_navigation_guidelines);
        self.guidelines(&mut text, "How you move on", own);
        let conditions = state.exit_conditions.iter().map(|exit| exit.description.as_str());
        text.numbered("Conditions", conditions);
        text.line(&format!(
            "\nDecide which of these conditions holds now. 0 means none of them. {CHOOSE}"
        ));
        Prompt::new(
            text,
            data,
            "Which condition holds now? Answer with JSON only: {\"choice\": NUMBER}, 0 for none.",
            Shape::choice(state.exit_conditions.len(), true),
        )
    }

    /// Which exit condition of a decision state fits best.
    pub(crate) fn decide(&self, state: &DecisionState, data: Data) -> Prompt {
        let mut text = self.text(&state.objective);
        self.guidelines(&mut text, "How you decide", &state.decision_guidelines);
        let conditions = state.exit_conditions.iter().map(|exit| exit.description.as_str());
        text.numbered("Ways on", conditions);
        text.line(&format!(
            "\nDecide for the one whose description fits best. {CHOOSE}"
        ));
        Prompt::new(
            text,
            data,
            "Which way on fits best? Answer with JSON only: {\"choice\": NUMBER}.",
            Shape::choice(state.exit_conditions.len(), false),
        )
    }

    /// Which action of a state comes next.
    pub(crate) fn select_action(&self, state: &ActionState, data: Data) -> Prompt {
        let mut text = self.text(&state.objective);
        let own = state.intra_state_navigation_guidelines.iter();
        let own = own.chain(&self.graph.global_intra_state_navigation_guidelines);
        self.guidelines(&mut text, "How you move on", own);
        text.numbered("Actions", state.actions.iter().map(String::as_str));
        text.line(&format!("\nDecide which action you take next. {CHOOSE}"));
        Prompt::new(
            text,
            data,
            "Which action comes next? Answer with JSON only: {\"choice\": NUMBER}.",
            Shape::choice(state.actions.len(), false),
        )
    }

    /// What the agent says.
    pub(crate) fn engage_user(&self, state: &ActionState, action: &str, data: Data) -> Prompt {
        let mut text = self.text(&state.objective);
        if !self.is_overridden {
            text.section("What you do now", action);
        }
        let own = state
            .action_guidelines
            .iter()
            .chain(&self.graph.global_action_guidelines);
        self.guidelines(&mut text, "Guidelines", own);
        // What an agent must never do holds whatever a behavior set says.
        let bounds = state
            .boundary_constraints
            .iter()
            .chain(&self.graph.global_boundary_constraints);
        text.list("What you must not do", bounds.map(String::as_str));
        text.line(&format!(
            "\nWrite your next message to the user, in the language `{}`. Write the message only: no name before it, no \
             quotes around it, no notes.",
            self.agent.language()
        ));
        Prompt::new(
            text,
            data,
            "Write your next message to the user now.",
            Shape::Text,
        )
    }

    /// What the agent thinks of a problem.
    pub(crate) fn reflect(&self, state: &ReflectionState, data: Data) -> Prompt {
        let mut text = self.text(&state.problem);
        self.guidelines(&mut text, "", []);
        text.line(&format!(
            "\nThink about it in at most {} words. Nobody but you sees the thought. Write the thought only.",
            state.word_limit
        ));
        Prompt::new(text, data, "Write your thought now.", Shape::Text)
    }
}
