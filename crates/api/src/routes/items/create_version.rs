//! Creates the next version of an item.

use axum::http::StatusCode;
use forge_app::items::personas::PersonaContent;
use forge_app::items::{behavior_sets, personas, scenarios};
use forge_app::{AppError, Caller, Written};
use forge_domain::VersionNumber;
use forge_domain::behavior::BehaviorDocument;
use forge_domain::fault::Fault;
use forge_domain::simulation::ScenarioDocument;
use forge_wire::behavior_sets::BehaviorVersionCreated;
use forge_wire::parse_rfc3339;
use forge_wire::personas::{CreatePersonaVersion, NumberCreated};
use forge_wire::scenarios::CreateScenarioVersion;
use serde::Serialize;

use super::ItemPath;
use crate::call::Call;
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::ExpectedVersion;

pub(crate) async fn behavior_set(call: Call<ItemPath, ExpectedVersion, BehaviorDocument, Caller>) -> Answer {
    let (ctx, expected) = (call.server.ctx(&call.caller), call.query.version);
    let created = behavior_sets::create_version(ctx, &call.path.id, expected, call.body).await?;
    answer(created, |new_version_number| BehaviorVersionCreated {
        new_version_number,
    })
}

pub(crate) async fn persona(call: Call<ItemPath, ExpectedVersion, CreatePersonaVersion, Caller>) -> Answer {
    let (ctx, expected) = (call.server.ctx(&call.caller), call.query.version);
    let content = persona_content(call.body);
    let created = personas::create_version(ctx, &call.path.id, expected, content).await?;
    answer(created, |version| NumberCreated { version })
}

pub(crate) async fn scenario(call: Call<ItemPath, ExpectedVersion, CreateScenarioVersion, Caller>) -> Answer {
    let (ctx, expected) = (call.server.ctx(&call.caller), call.query.version);
    let document = scenario_document(call.body, &["body"])?;
    let created = scenarios::create_version(ctx, &call.path.id, expected, document).await?;
    answer(created, |version| NumberCreated { version })
}

fn answer<T: Serialize>(created: Written<VersionNumber>, body: impl Fn(VersionNumber) -> T) -> Answer {
    let response = reply::json(StatusCode::CREATED, &body(created.value))?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}

pub(super) fn persona_content(body: CreatePersonaVersion) -> PersonaContent {
    PersonaContent {
        background: body.background,
        preferred_language: body.preferred_language,
        timezone: body.timezone,
        user_models: body.user_models,
        nonsensitive_user_variables: body.nonsensitive_user_variables,
        sensitive_user_variables: body.sensitive_user_variables,
    }
}

/// Returns the content of a scenario; `place` is where the body has it.
pub(super) fn scenario_document(
    body: CreateScenarioVersion,
    place: &[&str],
) -> Result<ScenarioDocument, ApiError> {
    let moment = |text: String| {
        parse_rfc3339(&text).ok_or_else(|| {
            let place = place.iter().copied().chain(["conversation_starts_at"]);
            let msg = "expected a time in RFC 3339 with an offset, such as 2026-11-23T15:29:16Z";
            AppError::Invalid(vec![Fault::new(place.map(Into::into).collect(), "datetime", msg)])
        })
    };
    Ok(ScenarioDocument {
        objective: body.objective,
        instructions: body.instructions,
        initial_message_type: body.initial_message_type,
        conversation_starts_at: body.conversation_starts_at.map(moment).transpose()?,
    })
}
