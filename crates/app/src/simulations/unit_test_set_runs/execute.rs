//! Executing one conversation of a run: the persona has it with the agent, and it is judged.

use forge_domain::conversation::{Message, UserInput};
use forge_domain::metric::{MetricDetails, MetricDocument};
use forge_domain::simulation::{
    InitialMessageType, Measurement, Persona, PersonaDetails, PersonaDocument, RunSpec, ScenarioDetails,
    ScenarioDocument,
};
use forge_domain::version::VersionRef;
use forge_domain::{ConversationId, OrganizationId, Pins, Refusal};
use forge_runtime::{Person, Simulation, Verdict};
use forge_store::Tx;

use super::job::Job;
use crate::access::resource::Resource as _;
use crate::conversations::{self, Completed, Interaction, Start, finish_simulated, transcript};
use crate::items;
use crate::version_sets::resolve::Resolution;
use crate::{App, AppError};

/// What came of it.
pub(super) struct Execution {
    pub(super) conversation_id: ConversationId,
    pub(super) interactions: i64,
    /// The verdicts, or why there are none.
    pub(super) judged: Result<Vec<(Measurement, Verdict)>, AppError>,
}

/// Everything that a conversation is simulated with.
struct Parts {
    name: String,
    role: String,
    persona: PersonaDocument,
    scenario: ScenarioDocument,
    metrics: Vec<MetricDocument>,
}

impl Parts {
    async fn read(
        app: &App,
        tx: &mut Tx,
        organization: &OrganizationId,
        spec: &RunSpec,
    ) -> Result<Self, AppError> {
        let (id, version) = spec.persona;
        let persona = Persona::by_key(tx, organization, &id).await?;
        let persona = persona.ok_or_else(|| Persona::not_found(&id))?;
        let document = VersionRef { id, version };
        let document = items::content::<PersonaDetails>(app, tx, organization, document).await?;
        let (id, version) = spec.scenario;
        let scenario = VersionRef { id, version };
        let mut metrics = Vec::new();
        for metric in &spec.metrics {
            let (id, version) = (metric.metric_id, metric.metric_version);
            let metric = VersionRef { id, version };
            metrics.push(items::content::<MetricDetails>(app, tx, organization, metric).await?);
        }
        Ok(Self {
            role: persona.details.role,
            name: persona.name,
            persona: document,
            scenario: items::content::<ScenarioDetails>(app, tx, organization, scenario).await?,
            metrics,
        })
    }

    fn simulation(&self) -> Simulation<'_> {
        Simulation {
            persona: &self.persona,
            name: &self.name,
            role: &self.role,
            scenario: &self.scenario,
        }
    }

    /// Returns the persona as the agent knows them: what is sensitive is known to the persona alone.
    fn person(&self) -> Person {
        let variables = self.persona.nonsensitive_user_variables.iter();
        let variables = variables.map(|(name, value)| format!("{name}: {value}"));
        Person {
            name: self.name.clone(),
            preferred_language: self.persona.preferred_language.clone(),
            timezone: self.persona.timezone.clone(),
            is_new: true,
            facts: self
                .persona
                .user_models
                .iter()
                .cloned()
                .chain(variables)
                .collect(),
        }
    }
}

/// How a conversation begins.
enum Opening {
    /// The agent speaks first.
    Agent,
    /// The persona does, with these words.
    Persona(UserInput),
    /// The persona has nothing to say.
    Silence,
}

/// Has the conversation with the agent, as the persona, and judges it.
///
/// # Errors
/// Returns an error if there was no conversation at all; what went wrong in one is part of what came of it.
pub(super) async fn execute(app: &App, job: &Job) -> Result<Execution, AppError> {
    let (organization, spec) = (job.organization(), &job.spec);
    let mut tx = app.store.read().await?;
    let parts = Parts::read(app, &mut tx, organization, spec).await?;
    drop(tx);
    let said = match opening(app, &parts, spec).await? {
        Opening::Agent => None,
        Opening::Persona(said) => Some(said),
        Opening::Silence => {
            return Err(AppError::Refused("the persona had nothing to say".to_owned()));
        }
    };
    let begun = begin(app, job, &parts, said).await?.run_unheard().await?;
    let conversation_id = begun.conversation_id;
    let mut tx = app.store.write_run(organization).await?;
    if !tx.note_conversation(&job.lease, conversation_id).await? {
        drop(tx);
        // The run was cancelled while the first words were said.
        finish_simulated(app, organization, conversation_id).await?;
        return Err(AppError::Conflict(
            "the conversation is not held any more".to_owned(),
        ));
    }
    tx.commit().await?;
    let mut interactions = 1;
    let talked = talk(app, job, &parts, begun, &mut interactions).await;
    finish_simulated(app, organization, conversation_id).await?;
    let judged = match talked {
        Ok(()) => judge(app, organization, spec, &parts, conversation_id).await,
        Err(error) => Err(error),
    };
    Ok(Execution {
        conversation_id,
        interactions,
        judged,
    })
}

async fn opening(app: &App, parts: &Parts, spec: &RunSpec) -> Result<Opening, AppError> {
    let message_type = parts.scenario.initial_message_type;
    if message_type == InitialMessageType::Skip {
        return Ok(Opening::Agent);
    }
    let words = words(app, parts, spec, &[]).await?;
    Ok(words.map_or(Opening::Silence, |message| {
        Opening::Persona(UserInput {
            message_type,
            message,
            events: Vec::new(),
        })
    }))
}

/// Asks the persona what they say next, or `None` if they are done.
async fn words(
    app: &App,
    parts: &Parts,
    spec: &RunSpec,
    transcript: &[Message],
) -> Result<Option<String>, AppError> {
    let models = &spec.llm_model_preferences;
    let turn = app
        .runtime
        .speak_as(parts.simulation(), models, transcript)
        .await?;
    Ok(turn.message)
}

async fn begin(
    app: &App,
    job: &Job,
    parts: &Parts,
    said: Option<UserInput>,
) -> Result<Interaction, AppError> {
    let Job { lease, run, spec, .. } = job;
    let pins = Pins {
        agent_version: Some(spec.agent.1),
        context_graph_version: Some(spec.context_graph.1),
        model_preferences: spec.llm_model_preferences.clone(),
    };
    let start = Start {
        organization: job.organization().clone(),
        user_id: run.creator.user_id.clone(),
        resolution: Resolution {
            service_id: spec.service_id,
            name: spec.version_set_name.clone(),
            revision: spec.revision,
            pins,
            agent: spec.agent,
            context_graph: spec.context_graph,
            documents: None,
        },
        resolved_at: None,
        tags: forge_domain::tag::Tags::new(),
        said,
        simulation: Some((lease.key.run_id, parts.person())),
    };
    conversations::begin(app, start).await
}

/// Goes on until the agent or the persona is done.
async fn talk(
    app: &App,
    job: &Job,
    parts: &Parts,
    first: Completed,
    interactions: &mut i64,
) -> Result<(), AppError> {
    let (organization, spec) = (job.organization(), &job.spec);
    let mut last = first;
    let mut transcript = last.messages.clone();
    while !last.is_finished {
        let Some(message) = words(app, parts, spec, &transcript).await? else {
            return Ok(());
        };
        if *interactions >= i64::from(spec.max_interactions) {
            let interactions = spec.max_interactions;
            return Err(Refusal::NotOver { interactions }.into());
        }
        let said = UserInput {
            message_type: InitialMessageType::UserMessage,
            message,
            events: Vec::new(),
        };
        let interaction =
            conversations::go_on(app, organization, last.conversation_id, parts.person(), said).await?;
        last = interaction.run_unheard().await?;
        *interactions += 1;
        transcript.extend(last.messages.iter().cloned());
        transcript::forget_old(app, &mut transcript);
    }
    Ok(())
}

async fn judge(
    app: &App,
    organization: &OrganizationId,
    spec: &RunSpec,
    parts: &Parts,
    conversation: ConversationId,
) -> Result<Vec<(Measurement, Verdict)>, AppError> {
    let mut tx = app.store.read().await?;
    let transcript = transcript::to_judge(app, &mut tx, organization, conversation, None).await?;
    drop(tx);
    let mut judged = Vec::new();
    for (metric, document) in spec.metrics.iter().zip(&parts.metrics) {
        let models = &spec.llm_model_preferences;
        let verdict = app.runtime.judge(document, models, &transcript).await?;
        let passed = verdict
            .value
            .as_ref()
            .is_some_and(|value| metric.criterion.is_met_by(value));
        let found = Measurement {
            result_id: app.new_id()?,
            name: metric.name.clone(),
            metric_id: metric.metric_id,
            metric_version: metric.metric_version,
            value: verdict.value.clone(),
            passed,
        };
        judged.push((found, verdict));
    }
    Ok(judged)
}
