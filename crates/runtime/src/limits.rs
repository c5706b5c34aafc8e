//! How much one turn may take.

use std::time::Duration;

/// How much one turn of a conversation may take.
///
/// Whatever goes beyond ends the turn, and the conversation is as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// States that a turn may walk through.
    pub states: u32,
    /// Calls of models, those that were repeated included.
    pub model_calls: u32,
    /// Tokens of prompts and answers together, as far as providers say.
    pub tokens: i64,
    /// How often a model is asked for the same thing before its answers are given up.
    pub attempts: u32,
    /// How often a call is repeated that failed before its first token.
    pub retries: u32,
    /// Time for a call of a model, from the request to the last token.
    pub model_call_time: Duration,
    /// Time for the turn.
    pub turn_time: Duration,
    /// Bytes of a prompt. Of a longer conversation, a prompt has the latest part.
    pub prompt_bytes: usize,
    /// Bytes of an answer.
    pub answer_bytes: usize,
    /// Tokens that a provider is asked to stop an answer at, unless the model's parameters say otherwise or let it
    /// think.
    pub answer_tokens: u32,
    /// Calls of tools.
    pub tool_calls: u32,
    /// How often a model may call tools again once it has seen what they answered.
    pub tool_rounds: u32,
    /// Bytes of a tool's answer; a longer one is an error of the tool.
    pub tool_result_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            states: 25,
            model_calls: 50,
            tokens: 200_000,
            attempts: 3,
            retries: 2,
            model_call_time: Duration::from_mins(1),
            turn_time: Duration::from_mins(3),
            prompt_bytes: 128 * 1024,
            answer_bytes: 32 * 1024,
            answer_tokens: 8192,
            tool_calls: 20,
            tool_rounds: 4,
            tool_result_bytes: 64 * 1024,
        }
    }
}
