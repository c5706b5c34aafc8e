//! Sets of unit tests and their runs.

use forge_types::criterion::Criterion;
use forge_types::{ServiceId, UnitTestSetId, UnitTestSetRunId};
use http::Method;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::answers::{Actor, ModelPreference};
use crate::request::{Repeat, Request};
use crate::{Client, ClientError, Document, Pages};

/// A set of unit tests.
#[derive(Debug, Clone, Deserialize)]
pub struct UnitTestSet {
    /// Its id.
    pub id: UnitTestSetId,
    /// Its name.
    pub name: String,
    /// The tests that it runs.
    #[serde(default)]
    pub unit_test_runs: Vec<UnitTestEntry>,
}

/// A test within a set.
#[derive(Debug, Clone, Deserialize)]
pub struct UnitTestEntry {
    /// The test.
    pub unit_test_id: String,
    /// How often it is run.
    pub run_count: u64,
}

/// The answer of the creation of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct RunCreated {
    /// The run.
    #[serde(rename = "simulation_unit_test_set_run_id")]
    pub id: UnitTestSetRunId,
}

/// A run of a set of unit tests.
#[derive(Debug, Clone, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: UnitTestSetRunId,
    /// The set.
    #[serde(rename = "simulation_unit_test_set_id")]
    pub unit_test_set_id: UnitTestSetId,
    /// Whether it has ended.
    pub is_completed: bool,
    /// Whether a conversation has failed a criterion.
    pub failed_metrics: bool,
    /// Whether a conversation could not be held or judged, or the run was cancelled.
    pub errored: bool,
    /// `running`, `completed` or `cancelled`.
    #[serde(default)]
    pub status: String,
    /// What is run, or `None` if the user may not know.
    #[serde(default, rename = "unit_test_run_specs")]
    pub specs: Vec<Spec>,
    /// What came of each; nothing while it is under way.
    #[serde(default, rename = "unit_test_run_results")]
    pub results: Vec<Option<TestResult>>,
    /// How many conversations it has.
    #[serde(default)]
    pub conversations: u64,
    /// How many of them have ended.
    #[serde(default)]
    pub conversations_finished: u64,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// Who created it.
    pub creator: Actor,
}

/// One test of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct Spec {
    /// The test.
    pub unit_test_id: String,
    /// The test's name.
    #[serde(default)]
    pub unit_test_name: String,
    /// How many conversations are held.
    pub run_count: u64,
    /// The agent and its version.
    #[serde(rename = "agent_version_info")]
    pub agent: (String, i64),
    /// The context graph and its version.
    #[serde(rename = "service_hierarchical_state_machine_version_info")]
    pub context_graph: (String, i64),
    /// Preferred models by interaction.
    #[serde(default)]
    pub llm_model_preferences: IndexMap<String, ModelPreference>,
    /// The service.
    #[serde(default)]
    pub service_id: Option<ServiceId>,
    /// The version set that is tried.
    #[serde(default, rename = "service_version_set_name")]
    pub version_set_name: String,
    /// The set's revision.
    #[serde(default, rename = "service_version_set_revision")]
    pub revision: i64,
    /// What every conversation has to meet, or `None` if the user may not know.
    #[serde(default, rename = "metrics_to_evaluate")]
    pub metrics: Vec<Metric>,
}

/// A metric of a test.
#[derive(Debug, Clone, Deserialize)]
pub struct Metric {
    /// The metric.
    pub metric_id: String,
    /// The criterion's name.
    pub success_criterion_name: String,
    /// Which values pass.
    pub success_criterion: Criterion,
}

/// What came of one test of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct TestResult {
    /// What each metric was, or `None` if the user may not know.
    #[serde(default, rename = "metric_evaluation_results")]
    pub metrics: Vec<MetricResult>,
    /// Of each conversation why it could not be held or judged, if so.
    #[serde(default, rename = "run_errors")]
    pub errors: Vec<Option<String>>,
    /// How many conversations met every criterion.
    #[serde(default)]
    pub passed: u64,
    /// The conversations.
    #[serde(default)]
    pub conversation_ids: Vec<Option<String>>,
}

/// What a metric was.
#[derive(Debug, Clone, Deserialize)]
pub struct MetricResult {
    /// Of each conversation that was judged the id of the result, and whether it passes.
    pub results: Vec<(String, bool)>,
}

/// What was said and found in a run.
#[derive(Debug, Clone, Deserialize)]
pub struct Artifacts {
    /// Its conversations, test by test.
    pub conversations: Vec<ConversationArtifact>,
}

/// What was said and found in one conversation of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct ConversationArtifact {
    /// The test.
    pub unit_test_id: String,
    /// The test's name.
    pub unit_test_name: String,
    /// Which conversation of the test it is, counted from 0.
    pub index: u64,
    /// Its id; `None` if it never began.
    pub conversation_id: Option<String>,
    /// `waiting`, `running`, `judged`, `errored` or `cancelled`.
    pub state: String,
    /// Why it could not be held or judged.
    pub error: Option<String>,
    /// What was said, oldest first.
    #[serde(default)]
    pub messages: Vec<ArtifactMessage>,
    /// What each metric found.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
}

/// A message of a conversation of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct ArtifactMessage {
    /// When it was said, in RFC 3339.
    pub created_at: String,
    /// `user-message`, `agent-message`, `agent-inner-thought` and others.
    pub message_type: String,
    /// What was said.
    pub message: String,
}

/// What a metric found in a conversation of a run.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict {
    /// The criterion's name.
    pub name: String,
    /// The value; `null` if the conversation did not show one.
    pub value: Value,
    /// Whether the value meets the criterion.
    pub passed: bool,
    /// Why the value is what it is.
    pub justification: String,
}

/// A link to the artifacts of a run.
#[derive(Deserialize)]
struct ArtifactsLink {
    presigned_url: String,
}

/// Which runs a list has.
///
/// An empty one has all of them.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only these.
    pub ids: Vec<UnitTestSetRunId>,
    /// Only runs of these sets.
    pub unit_test_sets: Vec<UnitTestSetId>,
    /// Only those that have ended, or only others.
    pub is_completed: Option<bool>,
}

impl Client {
    /// Lists the sets of unit tests that are not deleted: with ids those, else all of them.
    pub fn unit_test_sets(&self, ids: &[UnitTestSetId]) -> Pages<'_, UnitTestSet> {
        let ids = ids.to_vec();
        Pages::new(self, "simulation_unit_test_sets", 20, move |limit, token| {
            let page = Request::get("simulation/unit_test_set/")
                .query("limit", limit)
                .query("continuation_token", token)
                .query("is_deleted", false);
            ids.iter().fold(page, |page, id| page.query("id", id))
        })
    }

    /// Creates a run of a set of unit tests.
    ///
    /// A service or a version set takes the place of what the tests name.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if the set of tests, or what is to be tried, is not there.
    pub async fn create_run(
        &self,
        set: UnitTestSetId,
        service: Option<ServiceId>,
        version_set: Option<&str>,
    ) -> Result<Document<RunCreated>, ClientError> {
        let mut body = json!({"simulation_unit_test_set_id": set});
        if let Some(service) = service {
            body["service_id"] = json!(service);
        }
        if let Some(name) = version_set {
            body["service_version_set_name"] = json!(name);
        }
        let path = "simulation/unit_test_set_run/";
        self.read(Request::new(Method::POST, path, Repeat::Never).body(body))
            .await
    }

    /// Lists runs, newest first.
    pub fn runs(&self, filter: RunFilter) -> Pages<'_, Run> {
        Pages::new(self, "simulation_unit_test_set_runs", 50, move |limit, token| {
            let mut page = Request::get("simulation/unit_test_set_run/")
                .query("limit", limit)
                .query("continuation_token", token)
                .query("sort_by", "-created_at")
                .query_if("is_completed", filter.is_completed);
            for id in &filter.ids {
                page = page.query("id", id);
            }
            for set in &filter.unit_test_sets {
                page = page.query("simulation_unit_test_set_id", set);
            }
            page
        })
    }

    /// Returns what was said and found in a run that has ended.
    ///
    /// # Errors
    ///
    /// [`ClientError::Forbidden`] if the user may not see the run or the context graphs that it walked,
    /// [`ClientError::Blocked`] while the run is in progress.
    pub async fn run_artifacts(&self, run: UnitTestSetRunId) -> Result<Document<Artifacts>, ClientError> {
        let path = format!("simulation/unit_test_set_run/{run}/artifacts/");
        let link = self.read::<ArtifactsLink>(Request::get(path)).await?.value;
        // Only the token is taken from the link: the address of the server is the one that the user named.
        let url = Url::parse(&link.presigned_url);
        let token = url.ok().and_then(|url| {
            let mut pairs = url.query_pairs();
            pairs.find_map(|(name, value)| (name == "token").then(|| value.into_owned()))
        });
        let path = format!("simulation/unit_test_set_run/{run}/artifacts/download");
        self.read(Request::get(path).query("token", token.unwrap_or_default()))
            .await
    }

    /// Stops a run that is in progress.
    ///
    /// # Errors
    ///
    /// [`ClientError::Conflict`] if the run has ended already, [`ClientError::NotFound`] if there is none.
    pub async fn cancel_run(&self, run: UnitTestSetRunId) -> Result<Document<Value>, ClientError> {
        let path = format!("simulation/unit_test_set_run/{run}/");
        self.read(Request::new(Method::DELETE, path, Repeat::Never)).await
    }
}
