//! Creates the next version of a scenario.

use forge_app::Caller;
use forge_app::items::scenarios;
use forge_domain::fault::Fault;
use forge_domain::simulation::ScenarioDocument;
use forge_wire::items::NumberCreated;
use forge_wire::parse_rfc3339;
use forge_wire::scenarios::CreateScenarioVersion;

use super::Path;
use crate::call::Call;
use crate::error::ApiError;
use crate::reply::{Answer, created};
use crate::routes::ExpectedVersion;

pub(crate) async fn handle(call: Call<Path, ExpectedVersion, CreateScenarioVersion, Caller>) -> Answer {
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.simulation_scenario_id);
    let document = document(call.body, &["body"])?;
    let written = scenarios::create_version(ctx, id, call.query.version, document).await?;
    created(written, |version| NumberCreated { version })
}

/// Returns the content of a scenario; `place` is where the body has it.
pub(super) fn document(body: CreateScenarioVersion, place: &[&str]) -> Result<ScenarioDocument, ApiError> {
    let moment = |text: String| {
        parse_rfc3339(&text).ok_or_else(|| {
            let place = place.iter().copied().chain(["conversation_starts_at"]);
            let msg = "expected a time in RFC 3339 with an offset, such as 2026-11-23T15:29:16Z";
            ApiError::Invalid(vec![Fault::new(place.map(Into::into).collect(), "datetime", msg)])
        })
    };
    Ok(ScenarioDocument {
        objective: body.objective,
        instructions: body.instructions,
        initial_message_type: body.initial_message_type,
        conversation_starts_at: body.conversation_starts_at.map(moment).transpose()?,
    })
}
