//! Runs of sets of unit tests.

use std::collections::BTreeSet;

use forge_domain::conversation::{GraphVersion, Message, MessageType};
use forge_domain::metric::{Criterion, MeasuredValue};
use forge_domain::model::ModelPreferences;
use forge_domain::simulation::{
    self, RunSpec, RunStatus, UnitTestRun, UnitTestRunState, UnitTestSetRun, Visibility,
};
use forge_domain::{
    AgentId, ConversationId, InteractionId, MessageId, MetricId, MetricResultId, OrganizationId, PersonaId,
    ScenarioId, ServiceId, SetName, UnitTestId, UnitTestSetId, UnitTestSetRunId, UserRef, VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::rfc3339;

/// The body that creates a run.
#[derive(Debug, Deserialize)]
pub struct CreateRun {
    /// The set to run.
    pub simulation_unit_test_set_id: UnitTestSetId,
    /// The service to run it against, instead of the tests' own.
    #[serde(default)]
    pub service_id: Option<ServiceId>,
    /// The version set to try, instead of the tests' own.
    #[serde(default)]
    pub service_version_set_name: Option<String>,
}

impl From<CreateRun> for simulation::CreateRun {
    fn from(body: CreateRun) -> Self {
        Self {
            unit_test_set_id: body.simulation_unit_test_set_id,
            service_id: body.service_id,
            version_set_name: body.service_version_set_name,
        }
    }
}

/// The answer of a creation.
#[derive(Debug, Serialize)]
pub struct RunCreated {
    /// The id of what was created.
    pub simulation_unit_test_set_run_id: UnitTestSetRunId,
}

/// A run in an answer.
#[expect(clippy::struct_excessive_bools, reason = "the fields are the contract's")]
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct RunInstance {
    pub org_id: OrganizationId,
    pub id: UnitTestSetRunId,
    pub is_completed: bool,
    pub simulation_unit_test_set_id: UnitTestSetId,
    pub failed_metrics: bool,
    pub errored: bool,
    pub artifacts_generated: bool,
    pub unit_test_run_specs: Vec<SpecInstance>,
    pub unit_test_run_results: Vec<Option<ResultInstance>>,
    pub created_at: String,
    pub creator: UserRef,
    /// How far it has come; the contract only knows whether it has ended.
    pub status: RunStatus,
    /// When it ended.
    pub finished_at: Option<String>,
    /// How many conversations it has.
    pub conversations: usize,
    /// How many of them have ended.
    pub conversations_finished: usize,
}

/// One test of a run.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct SpecInstance {
    pub unit_test_id: UnitTestId,
    pub run_count: u32,
    #[serde(rename = "service_hierarchical_state_machine_version_info")]
    pub context_graph: GraphVersion,
    #[serde(rename = "agent_version_info")]
    pub agent: (AgentId, VersionNumber),
    #[serde(rename = "scenario_version_info")]
    pub scenario: Option<(ScenarioId, VersionNumber)>,
    #[serde(rename = "persona_version_info")]
    pub persona: Option<(PersonaId, VersionNumber)>,
    pub llm_model_preferences: ModelPreferences,
    pub max_interactions: u32,
    pub metrics_to_evaluate: Vec<MetricInstance>,
    /// The service that was talked to.
    pub service_id: ServiceId,
    /// The version set that was tried.
    pub service_version_set_name: SetName,
    /// The set's revision.
    pub service_version_set_revision: i64,
    /// The test's name when the run was created.
    pub unit_test_name: String,
}

/// A metric of a test.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MetricInstance {
    pub metric_id: MetricId,
    pub success_criterion_name: String,
    pub success_criterion: Criterion,
    /// The metric's version.
    pub metric_version: VersionNumber,
}

/// What came of one test of a run.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ResultInstance {
    pub unit_test_id: UnitTestId,
    pub metric_evaluation_results: Vec<MetricResultInstance>,
    pub run_errors: Vec<Option<String>>,
    /// The conversations, in the order of `run_errors`.
    pub conversation_ids: Vec<Option<ConversationId>>,
    /// How many of the conversations met every criterion.
    pub passed: usize,
}

/// What a metric was, conversation by conversation.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MetricResultInstance {
    pub metric_id: MetricId,
    pub metric_version: VersionNumber,
    pub results: Vec<(MetricResultId, bool)>,
}

/// Why a conversation of a cancelled run has no result.
const CANCELLED: &str = "the run was cancelled";

impl RunInstance {
    /// Builds the answer about a run and its conversations.
    pub fn new(
        organization: &OrganizationId,
        run: UnitTestSetRun,
        runs: &[UnitTestRun],
        told: &Visibility,
    ) -> Self {
        let results = run.specs.iter().enumerate().map(|(position, spec)| {
            let of_spec: Vec<&UnitTestRun> = runs.iter().filter(|run| run.spec == position).collect();
            result(spec, &of_spec, told.shows_parts_of(position))
        });
        let results: Vec<Option<ResultInstance>> = results.collect();
        let specs = run.specs.into_iter().enumerate();
        let specs = specs.map(|(position, spec)| specification(spec, told.shows_parts_of(position)));
        Self {
            org_id: organization.clone(),
            id: run.id,
            is_completed: run.status.is_final(),
            simulation_unit_test_set_id: run.unit_test_set_id,
            failed_metrics: run.failed_metrics,
            errored: run.errored,
            artifacts_generated: run.status.is_final(),
            unit_test_run_specs: if told.specs_and_results {
                specs.collect()
            } else {
                Vec::new()
            },
            unit_test_run_results: if told.specs_and_results {
                results
            } else {
                Vec::new()
            },
            created_at: rfc3339(run.created_at),
            creator: run.creator,
            status: run.status,
            finished_at: run.finished_at.map(rfc3339),
            conversations: runs.len(),
            conversations_finished: runs.iter().filter(|run| run.state.is_final()).count(),
        }
    }
}

fn specification(spec: RunSpec, with_parts: bool) -> SpecInstance {
    let metrics = spec.metrics.into_iter().map(|metric| MetricInstance {
        metric_id: metric.metric_id,
        success_criterion_name: metric.name,
        success_criterion: metric.criterion,
        metric_version: metric.metric_version,
    });
    SpecInstance {
        unit_test_id: spec.unit_test_id,
        run_count: spec.run_count,
        context_graph: spec.context_graph,
        agent: spec.agent,
        scenario: with_parts.then_some(spec.scenario),
        persona: with_parts.then_some(spec.persona),
        llm_model_preferences: spec.llm_model_preferences,
        max_interactions: spec.max_interactions,
        metrics_to_evaluate: if with_parts { metrics.collect() } else { Vec::new() },
        service_id: spec.service_id,
        service_version_set_name: spec.version_set_name,
        service_version_set_revision: spec.revision,
        unit_test_name: spec.unit_test_name,
    }
}

/// Returns what came of a test; nothing while conversations of it are under way.
fn result(spec: &RunSpec, runs: &[&UnitTestRun], with_parts: bool) -> Option<ResultInstance> {
    if runs.iter().any(|run| !run.state.is_final()) {
        return None;
    }
    let metrics = spec.metrics.iter().enumerate().map(|(position, metric)| {
        let judged = runs.iter().filter_map(|run| run.verdicts.get(position));
        MetricResultInstance {
            metric_id: metric.metric_id,
            metric_version: metric.metric_version,
            results: judged.map(|judged| (judged.result_id, judged.passed)).collect(),
        }
    });
    let error = |run: &&UnitTestRun| match run.state {
        UnitTestRunState::Cancelled => Some(CANCELLED.to_owned()),
        _ => run.error.clone(),
    };
    Some(ResultInstance {
        unit_test_id: spec.unit_test_id,
        metric_evaluation_results: if with_parts { metrics.collect() } else { Vec::new() },
        run_errors: runs.iter().map(error).collect(),
        conversation_ids: runs.iter().map(|run| run.conversation_id).collect(),
        passed: runs.iter().filter(|run| run.has_passed()).count(),
    })
}

/// What a list of runs can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct RunFilterValues {
    pub creators: Vec<UserRef>,
    pub simulation_unit_test_set_ids: BTreeSet<UnitTestSetId>,
    /// Runs have no tags.
    pub tags: [String; 0],
}

impl From<simulation::RunFilterValues> for RunFilterValues {
    fn from(values: simulation::RunFilterValues) -> Self {
        Self {
            creators: values.creators,
            simulation_unit_test_set_ids: values.unit_test_sets,
            tags: [],
        }
    }
}

/// Where the artifacts of a run can be downloaded from.
#[derive(Debug, Serialize)]
pub struct ArtifactsLink {
    /// The address; whoever knows it may download them.
    pub presigned_url: String,
    /// Until when.
    pub url_expires_at: String,
}

/// The artifacts of a run: every conversation, and what was found in it.
#[derive(Debug, Serialize)]
pub struct RunArtifacts {
    /// The run, as lists tell it.
    pub simulation_unit_test_set_run: RunInstance,
    /// Its conversations, in order.
    pub conversations: Vec<ConversationArtifact>,
}

/// A conversation of a run.
#[derive(Debug, Serialize)]
pub struct ConversationArtifact {
    /// The test.
    pub unit_test_id: UnitTestId,
    /// The test's name.
    pub unit_test_name: String,
    /// Which of the test's conversations it is, from 0.
    pub index: usize,
    /// The conversation, or `None` if it never began.
    pub conversation_id: Option<ConversationId>,
    /// How it ended.
    pub state: UnitTestRunState,
    /// Why it could not be held or judged.
    pub error: Option<String>,
    /// How many interactions it had.
    pub interactions: i64,
    /// What was said.
    pub messages: Vec<MessageInstance>,
    /// What was found.
    pub verdicts: Vec<VerdictInstance>,
}

/// A message of a conversation.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MessageInstance {
    pub id: MessageId,
    pub interaction_id: InteractionId,
    pub created_at: String,
    pub sender: String,
    pub message: String,
    pub message_type: MessageType,
}

impl From<Message> for MessageInstance {
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            interaction_id: message.interaction_id,
            created_at: rfc3339(message.created_at),
            sender: message.sender,
            message: message.message,
            message_type: message.message_type,
        }
    }
}

/// What was found by a metric.
#[derive(Debug, Serialize)]
pub struct VerdictInstance {
    /// The criterion's name.
    pub name: String,
    /// The metric.
    pub metric_id: MetricId,
    /// The metric's version.
    pub metric_version: VersionNumber,
    /// What it was; null if the conversation did not show it.
    pub value: Option<MeasuredValue>,
    /// Whether that passes.
    pub passed: bool,
    /// Why.
    pub justification: String,
}
