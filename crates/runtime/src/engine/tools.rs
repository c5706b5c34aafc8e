//! Tools that the agent may call before it does something else.

use forge_domain::context_graph::{ResultPersistence, ToolCallSpec};
use forge_domain::conversation::{AgentAction, KeptResult, ToolCallLog};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{Place, Walk, hints, keep_latest};
use crate::RuntimeError;
use crate::models::{Hints, Request};
use crate::prompt::{self, Offer};
use crate::tools::{Tool, ToolFailure, Validated, satisfies};

/// From how many characters on a result is too long to be kept for the whole conversation.
const LONGEST_KEPT: usize = 5000;

/// What came of the calls before one call of a model.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// As insights show them, round by round.
    pub(super) logs: Vec<Vec<ToolCallLog>>,
    /// With all results that only this call of a model sees.
    pub(super) results: Vec<ToolCallLog>,
}

/// A tool that a state offers.
pub(super) struct Offered<'a> {
    pub(super) spec: ToolCallSpec,
    pub(super) tool: &'a Tool,
}

impl Offered<'_> {
    pub(super) fn as_offer(&self) -> Offer<'_> {
        Offer {
            name: &self.tool.name,
            description: &self.tool.description,
            instruction: &self.spec.additional_instruction,
            parameters: &self.tool.parameters,
        }
    }
}

impl<'a> Walk<'a> {
    /// Lets the model call tools until it wants no more of them.
    pub(super) async fn call_tools(
        &mut self,
        place: Place<'a>,
        purpose: &str,
        own: &[ToolCallSpec],
    ) -> Result<Rounds, RuntimeError> {
        let mut rounds = Rounds::default();
        let offered = self.offered(&self.candidates(own));
        if offered.is_empty() {
            return Ok(rounds);
        }
        for round in 0..self.limits.tool_rounds {
            let left = self.limits.tool_calls.saturating_sub(self.tool_calls);
            if left == 0 {
                break;
            }
            let calls = self
                .choose_tools(place, purpose, &offered, round, left, &rounds)
                .await?;
            if calls.is_empty() {
                break;
            }
            let mut logs = Vec::new();
            for (index, params) in calls {
                let offered = &offered[index];
                let (log, result) = self.call_offered(offered, params, round).await;
                rounds.results.push(result);
                logs.push(log);
            }
            rounds.logs.push(logs);
        }
        Ok(rounds)
    }

    /// Returns those of the specified tools that the installation has in a fitting version, each once.
    fn offered(&self, specs: &[ToolCallSpec]) -> Vec<Offered<'a>> {
        let mut offered: Vec<Offered<'a>> = Vec::new();
        for spec in specs {
            match self.find_tool(spec) {
                Ok(tool) if offered.iter().all(|other| other.tool.id != tool.id) => offered.push(Offered {
                    spec: spec.clone(),
                    tool,
                }),
                Ok(_) => {}
                Err(failure) => {
                    tracing::warn!(tool = %spec.tool_id, failure.reason, "a tool cannot be offered");
                }
            }
        }
        offered
    }

    pub(super) fn find_tool(&self, spec: &ToolCallSpec) -> Result<&'a Tool, ToolFailure> {
        let tools = self.tools;
        let tool = tools.find(spec.tool_id);
        let tool = tool.ok_or_else(|| ToolFailure::new("it has no URL in forge.toml"))?;
        if satisfies(&tool.version, &spec.version_constraint) {
            Ok(tool)
        } else {
            let (version, constraint) = (&tool.version, &spec.version_constraint);
            Err(ToolFailure::new(format!(
                "its version {version} does not satisfy `{constraint}`"
            )))
        }
    }

    async fn choose_tools(
        &mut self,
        place: Place<'a>,
        purpose: &str,
        offered: &[Offered<'a>],
        round: u32,
        most: u32,
        rounds: &Rounds,
    ) -> Result<Vec<(usize, Validated)>, RuntimeError> {
        #[derive(Deserialize)]
        struct Chosen {
            calls: Vec<Call>,
        }
        #[derive(Deserialize)]
        struct Call {
            tool: String,
            #[serde(default)]
            params: Map<String, Value>,
        }
        let offers: Vec<Offer<'_>> = offered.iter().map(Offered::as_offer).collect();
        let options: Vec<&str> = offers.iter().map(|offer| offer.name).collect();
        let request = Request {
            llm_interaction: "choose-tools",
            prompt: prompt::choose_tools(
                self.agent(),
                purpose,
                &offers,
                most,
                self.knowledge(&rounds.results),
            ),
            hints: Hints {
                options: &options,
                round,
                ..hints(&self.said, self.number, place)
            },
        };
        let read = |text: &str| {
            let Chosen { calls } = crate::answer::object(text)?;
            if calls.len() > most as usize {
                return Err(format!("at most {most} calls are left"));
            }
            let mut valid = Vec::new();
            for call in calls {
                let index = options.iter().position(|name| *name == call.tool);
                let index = index.ok_or_else(|| format!("`tool` must be one of: {}", options.join(", ")))?;
                valid.push((index, offered[index].tool.validate(call.params)?));
            }
            Ok(valid)
        };
        self.client.ask(request, read).await
    }

    /// Calls a tool that a model chose.
    ///
    /// What goes wrong is a result too: the model sees it and goes on.
    async fn call_offered(
        &mut self,
        offered: &Offered<'a>,
        params: Validated,
        round: u32,
    ) -> (ToolCallLog, ToolCallLog) {
        let Offered { spec, tool } = offered;
        let (tool_id, tool_version) = (tool.id.to_string(), tool.version.clone());
        self.tell(AgentAction::ToolCallStarted {
            tool_round_index: round,
            tool_id: tool_id.clone(),
            tool_version: tool_version.clone(),
            input_params: params.as_map().clone(),
        })
        .await;
        let (called, duration) = self.call(spec, tool, &params).await;
        let result = called.unwrap_or_else(|failure| failure.as_result());
        self.tell(AgentAction::ToolCallEnded {
            tool_round_index: round,
            tool_id,
            tool_version,
            input_parameters: params.as_map().clone(),
            result: result.clone(),
            duration,
        })
        .await;
        let log = log(spec, tool, &params, result.clone(), duration);
        let result = ToolCallLog {
            output: Some(result),
            ..log.clone()
        };
        (log, result)
    }

    /// Calls a tool, and keeps its result if it is to be kept.
    ///
    /// Also returns how many seconds it took.
    pub(super) async fn call(
        &mut self,
        spec: &ToolCallSpec,
        tool: &Tool,
        params: &Validated,
    ) -> (Result<String, ToolFailure>, f64) {
        self.tool_calls += 1;
        let began = Instant::now();
        let called = tool.call(params, self.limits.tool_result_bytes).await;
        let duration = began.elapsed().as_secs_f64();
        let kept = called.and_then(|result| {
            let length = result.chars().count();
            match spec.result_persistence {
                ResultPersistence::Persisted if length > LONGEST_KEPT => Err(ToolFailure::new(format!(
                    "its answer has {length} characters, and at most {LONGEST_KEPT} can be kept"
                ))),
                ResultPersistence::PersistedPreferred if length >= LONGEST_KEPT => Ok((result, false)),
                ResultPersistence::Ephemeral => Ok((result, false)),
                ResultPersistence::Persisted | ResultPersistence::PersistedPreferred => Ok((result, true)),
            }
        });
        let result = kept.map(|(result, is_kept)| {
            if is_kept {
                self.position.kept_results.push(KeptResult {
                    tool_name: tool.name.clone(),
                    input: serde_json::to_string(params.as_map()).unwrap_or_default(),
                    output: result.clone(),
                });
                let size = |kept: &KeptResult| kept.tool_name.len() + kept.input.len() + kept.output.len();
                keep_latest(
                    &mut self.position.kept_results,
                    self.limits.prompt_bytes / 4,
                    size,
                );
            }
            result
        });
        (result, duration)
    }
}

/// Returns what insights show of a call.
///
/// Results that nothing but one call of a model may see are left out.
pub(super) fn log(
    spec: &ToolCallSpec,
    tool: &Tool,
    params: &Validated,
    result: String,
    duration: f64,
) -> ToolCallLog {
    ToolCallLog {
        tool_name: tool.name.clone(),
        tool_id: tool.id.to_string(),
        tool_version: tool.version.clone(),
        input: params.as_map().clone(),
        output: (spec.result_persistence != ResultPersistence::Ephemeral).then_some(result),
        duration,
    }
}
