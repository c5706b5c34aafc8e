//! Downloads the artifacts of a run by a link.

use axum::http::StatusCode;
use forge_app::simulations::unit_test_set_runs::{self, Transcript};
use forge_domain::simulation::RunSpec;
use forge_wire::unit_test_set_runs::{ConversationArtifact, RunArtifacts, VerdictInstance};
use serde::Deserialize;

use super::{Path, instance};
use crate::call::{Call, Nothing};
use crate::caller::Anyone;
use crate::reply::{self, Answer};

#[derive(Deserialize)]
pub(crate) struct Query {
    token: String,
}

pub(crate) async fn handle(call: Call<Path, Query, Nothing, Anyone>) -> Answer {
    let id = call.path.simulation_unit_test_set_run_id;
    let app = &call.server.app;
    let found = unit_test_set_runs::open(app, &call.organization, id, &call.query.token).await?;
    let specs = found.view.run.specs.clone();
    let told = found.view.told.clone();
    let mut counts = vec![0; specs.len()];
    let mut conversations = Vec::new();
    for transcript in found.transcripts {
        let position = transcript.run.spec;
        if let (Some(spec), Some(index)) = (specs.get(position), counts.get_mut(position)) {
            let with_verdicts = told.shows_parts_of(position);
            conversations.push(conversation(spec, *index, transcript, with_verdicts));
            *index += 1;
        }
    }
    let artifacts = RunArtifacts {
        simulation_unit_test_set_run: instance(&call.organization, found.view),
        conversations,
    };
    Ok(reply::secret(reply::large(StatusCode::OK, artifacts).await?))
}

fn conversation(
    spec: &RunSpec,
    index: usize,
    transcript: Transcript,
    with_verdicts: bool,
) -> ConversationArtifact {
    let run = transcript.run;
    let judged = run.verdicts.into_iter().zip(transcript.justifications);
    let verdicts = judged.map(|(judged, justification)| VerdictInstance {
        name: judged.name,
        metric_id: judged.metric_id,
        metric_version: judged.metric_version,
        value: judged.value,
        passed: judged.passed,
        justification,
    });
    ConversationArtifact {
        unit_test_id: spec.unit_test_id,
        unit_test_name: spec.unit_test_name.clone(),
        index,
        conversation_id: run.conversation_id,
        state: run.state,
        error: run.error,
        interactions: run.interactions,
        messages: transcript.messages.into_iter().map(Into::into).collect(),
        verdicts: if with_verdicts {
            verdicts.collect()
        } else {
            Vec::new()
        },
    }
}
