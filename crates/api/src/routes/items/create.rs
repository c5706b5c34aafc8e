//! Creates an item with its first version.

use axum::http::StatusCode;
use forge_app::items::{behavior_sets, metrics, personas, scenarios};
use forge_app::{Caller, Written};
use forge_wire::Created;
use forge_wire::behavior_sets::{BehaviorSetCreated, CreateBehaviorSet};
use forge_wire::metrics::CreateMetric;
use forge_wire::personas::{CreatePersona, PersonaCreated};
use forge_wire::scenarios::{CreateScenario, ScenarioCreated};
use serde::Serialize;

use super::create_version::{persona_content, scenario_document};
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn behavior_set(call: Call<Nothing, Nothing, CreateBehaviorSet, Caller>) -> Answer {
    let body = call.body;
    let create = behavior_sets::CreateBehaviorSet {
        name: body.name,
        is_active: body.initial_version.is_active,
        tags: body.tags,
        applied_to_services: body.applied_to_services,
        document: body.initial_version.document,
    };
    let created = behavior_sets::create(call.server.ctx(&call.caller), create).await?;
    answer(created, |dynamic_behavior_set_id| BehaviorSetCreated {
        dynamic_behavior_set_id,
    })
}

pub(crate) async fn metric(call: Call<Nothing, Nothing, CreateMetric, Caller>) -> Answer {
    let body = call.body;
    let create = metrics::CreateMetric {
        name: body.name,
        tags: body.tags,
        applied_to_services: body.applied_to_services,
        additional_notes: body.additional_notes,
        document: body.initial_version_metric_value,
    };
    let created = metrics::create(call.server.ctx(&call.caller), create).await?;
    answer(created, |id| Created { id })
}

pub(crate) async fn persona(call: Call<Nothing, Nothing, CreatePersona, Caller>) -> Answer {
    let body = call.body;
    let create = personas::CreatePersona {
        name: body.name,
        role: body.role,
        tags: body.tags,
        content: persona_content(body.initial_version),
    };
    let created = personas::create(call.server.ctx(&call.caller), create).await?;
    answer(created, |simulation_persona_id| PersonaCreated {
        simulation_persona_id,
    })
}

pub(crate) async fn scenario(call: Call<Nothing, Nothing, CreateScenario, Caller>) -> Answer {
    let body = call.body;
    let create = scenarios::CreateScenario {
        name: body.name,
        tags: body.tags,
        document: scenario_document(body.initial_version, &["body", "initial_version"])?,
    };
    let created = scenarios::create(call.server.ctx(&call.caller), create).await?;
    answer(created, |simulation_scenario_id| ScenarioCreated {
        simulation_scenario_id,
    })
}

fn answer<T: Serialize>(created: Written<String>, body: impl Fn(String) -> T) -> Answer {
    let response = reply::json(StatusCode::CREATED, &body(created.value))?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}
