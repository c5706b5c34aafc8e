//! One conversation of a run: held by the persona, and judged.

use forge_domain::conversation::{Message, UserInput};
use forge_domain::metric::MetricDocument;
use forge_domain::simulation::{
    InitialMessageType, Measurement, PersonaDocument, RunSpec, ScenarioDocument, UnitTestSetRun,
};
use forge_domain::{ConversationId, OrganizationId, Pins, Refusal};
use forge_runtime::{Event, Person, Simulation, Verdict};
use forge_store::{Tx, UnitTestRunKey};
use tokio::sync::mpsc;

use crate::conversations::{self, Completed, Interaction, Start, transcript};
use crate::items;
use crate::resolve::Resolution;
use crate::{App, AppError};

/// A conversation of a run that this server holds.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) key: UnitTestRunKey,
    pub(super) lease: String,
    pub(super) run: UnitTestSetRun,
    pub(super) spec: RunSpec,
    /// Which of the test's conversations it is, from 0.
    pub(super) index: i64,
}

/// What came of it.
pub(super) struct Held {
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
        let (persona, scenario) = (spec.persona, spec.scenario);
        let kind = items::ItemKind::Persona;
        let item = items::find(tx, organization, kind, &persona.0.to_string()).await?;
        let mut documents = Vec::new();
        for metric in &spec.metrics {
            let version = metric.metric_version;
            documents.push(items::content(app, tx, organization, (metric.metric_id, version)).await?);
        }
        Ok(Self {
            role: item.details.role().unwrap_or_default().to_owned(),
            name: item.name,
            persona: items::content(app, tx, organization, persona).await?,
            scenario: items::content(app, tx, organization, scenario).await?,
            metrics: documents,
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

/// Holds the conversation and judges it.
///
/// # Errors
/// Returns an error if there was no conversation at all; what went wrong in one is part of what came of it.
pub(super) async fn hold(app: &App, work: &Work) -> Result<Held, AppError> {
    let Work { key, spec, .. } = work;
    let organization = &key.organization;
    let mut tx = app.store.read().await?;
    let parts = Parts::read(app, &mut tx, organization, spec).await?;
    drop(tx);
    let Some(first) = first_words(app, &parts, spec).await? else {
        return Err(AppError::Refused("the persona had nothing to say".to_owned()));
    };
    let begun = begin(app, work, &parts, first).await?;
    let begun = run(begun).await?;
    let conversation_id = begun.conversation_id;
    if !app
        .store
        .note_conversation(key, &work.lease, conversation_id)
        .await?
    {
        // The run was cancelled while the first words were said.
        finish_conversation(app, organization, conversation_id).await?;
        return Err(AppError::Conflict(
            "the conversation is not held any more".to_owned(),
        ));
    }
    let mut interactions = 1;
    let talked = talk(app, work, &parts, begun, &mut interactions).await;
    finish_conversation(app, organization, conversation_id).await?;
    let judged = match talked {
        Ok(()) => judge(app, organization, spec, &parts, conversation_id).await,
        Err(error) => Err(error),
    };
    Ok(Held {
        conversation_id,
        interactions,
        judged,
    })
}

/// What the conversation begins with: inside, nothing lets the agent speak first; outside, the persona is at a loss.
async fn first_words(
    app: &App,
    parts: &Parts,
    spec: &RunSpec,
) -> Result<Option<Option<UserInput>>, AppError> {
    let message_type = parts.scenario.initial_message_type;
    if message_type == InitialMessageType::Skip {
        return Ok(Some(None));
    }
    let words = words(app, parts, spec, &[]).await?;
    Ok(words.map(|message| {
        Some(UserInput {
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
    work: &Work,
    parts: &Parts,
    said: Option<UserInput>,
) -> Result<Interaction, AppError> {
    let Work { key, run, spec, .. } = work;
    let pins = Pins {
        agent_version: Some(spec.agent.1),
        context_graph_version: Some(spec.context_graph.1),
        model_preferences: spec.llm_model_preferences.clone(),
    };
    let start = Start {
        organization: key.organization.clone(),
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
        tags: forge_domain::service::Tags::new(),
        said,
        simulation: Some((key.run_id, parts.person())),
    };
    conversations::begin(app, start).await
}

/// Runs an interaction to its end.
///
/// Nobody follows what the agent does meanwhile.
async fn run(interaction: Interaction) -> Result<Completed, AppError> {
    let (events, mut heard) = mpsc::channel::<Event>(64);
    let listen = async { while heard.recv().await.is_some() {} };
    let (completed, ()) = tokio::join!(interaction.run(events), listen);
    completed
}

/// Goes on until the agent or the persona is done.
async fn talk(
    app: &App,
    work: &Work,
    parts: &Parts,
    first: Completed,
    interactions: &mut i64,
) -> Result<(), AppError> {
    let Work { key, spec, .. } = work;
    let organization = &key.organization;
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
        last = run(interaction).await?;
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
    let transcript = transcript::to_judge(app, &mut tx, organization, (conversation, None)).await?;
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

/// Finishes a conversation, if that has not happened: nobody goes on with it.
pub(super) async fn finish_conversation(
    app: &App,
    organization: &OrganizationId,
    id: ConversationId,
) -> Result<(), AppError> {
    let mut tx = app.store.write_run(organization).await?;
    if tx.finish_conversation(id, app.clock.now()).await? {
        tx.commit().await?;
    }
    Ok(())
}
