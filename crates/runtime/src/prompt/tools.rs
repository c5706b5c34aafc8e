//! Which tools are called, and with what.

use forge_domain::context_graph::ToolCallState;
use serde_json::Value;

use super::{Agent, Data, Prompt, Shape, Text};

/// A tool that a model may call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) instruction: &'a str,
    pub(crate) parameters: &'a Value,
}

impl Offer<'_> {
    fn add_to(&self, text: &mut Text) {
        text.section(&format!("Tool `{}`", self.name), self.description);
        text.section("When and how", self.instruction);
        text.section("Its parameters, as a JSON Schema", &self.parameters.to_string());
    }
}

/// Which tools the agent wants to call before it goes on, if any.
pub(crate) fn choose_tools(
    agent: Agent<'_>,
    purpose: &str,
    offers: &[Offer<'_>],
    most: u32,
    data: Data,
) -> Prompt {
    let mut text = agent.introduction();
    text.section("What you are about to do", purpose);
    for offer in offers {
        offer.add_to(&mut text);
    }
    let names: Vec<&str> = offers.iter().map(|offer| offer.name).collect();
    text.line(&format!(
        "\nDecide whether tools have to be called before you do it. Results of earlier calls are in the data; call \
         nothing twice with the same parameters. At most {most} calls. Answer with nothing but JSON: {{\"calls\": \
         [{{\"tool\": \"NAME\", \"params\": {{}}}}]}}, or {{\"calls\": []}} if no tool has to be called."
    ));
    Prompt::new(
        text,
        data,
        "Which calls? Answer with JSON only: {\"calls\": [{\"tool\": \"NAME\", \"params\": {}}]}.",
        Shape::calls(&names),
    )
}

/// What the tool of a tool-call state is called with.
pub(crate) fn call_tool(agent: Agent<'_>, state: &ToolCallState, offer: Offer<'_>, data: Data) -> Prompt {
    let mut text = agent.introduction();
    text.section("Your objective now", &state.designated_tool_call_objective);
    text.section("The context", &state.designated_tool_call_context);
    offer.add_to(&mut text);
    text.list(
        "Guidance",
        state.designated_tool_call_guidances.iter().map(String::as_str),
    );
    text.list(
        "What must hold",
        state.designated_tool_call_validations.iter().map(String::as_str),
    );
    let shape = Shape::Open(offer.parameters.clone());
    text.line("\nWrite the parameters that the tool is called with. Answer with nothing but a JSON object.");
    Prompt::new(text, data, "Write the parameters now, as JSON only.", shape)
}
