//! What is looked up of the user, and what comes of it.

use super::{Agent, Data, Prompt, Shape};

/// Which questions have to be answered from what is known of the user.
pub(crate) fn generate_queries(agent: Agent<'_>, wanted: &str, most: usize, data: Data) -> Prompt {
    let mut text = agent.introduction();
    text.section("The information that you want", wanted);
    text.line(&format!(
        "\nFacts about the user were noted in earlier conversations. Write the questions that you want answered from \
         them now, {most} at most; none if nothing has to be looked up. Answer with nothing but JSON: {{\"queries\": \
         [\"QUESTION\"]}}"
    ));
    Prompt::new(
        text,
        data,
        "Which questions? Answer with JSON only: {\"queries\": [\"QUESTION\"]}.",
        Shape::texts("queries"),
    )
}

/// What the facts about the user say to some questions.
///
/// Of more facts than have room in so many bytes, the first are told.
pub(crate) fn recall(queries: &[String], facts: &[String], room: usize) -> Prompt {
    let mut data = Data::default();
    let mut text = super::Text::default();
    text.line(
        "You look up facts about a user. The data has the facts, and the questions to answer from them.",
    );
    text.line(
        "\nAnswer each question in its turn from the facts alone; null where they do not say. Answer with nothing but \
         JSON: {\"answers\": [\"ANSWER\", null]}, with as many entries as there are questions.",
    );
    for fact in facts {
        data.add([("fact", fact.as_str())]);
        if data.len() > room {
            break;
        }
    }
    for query in queries {
        data.add([("question", query.as_str())]);
    }
    Prompt::new(
        text,
        data,
        "What do the facts say? Answer with JSON only: {\"answers\": [\"ANSWER\", null]}.",
        Shape::optional_texts("answers"),
    )
}
