"""Dynamic behavior sets, metrics, personas and scenarios: the SDK has models for them, but no methods."""

from functools import partial

import pytest
from amigo_sdk import AuthenticationError, BadRequestError, ConflictError, NotFoundError, ValidationError
from amigo_sdk.generated.model import (
    DynamicBehaviorSetCreateDynamicBehaviorSetResponse,
    DynamicBehaviorSetCreateDynamicBehaviorSetVersionResponse,
    DynamicBehaviorSetGetDynamicBehaviorInvocationsResponse,
    DynamicBehaviorSetGetDynamicBehaviorSetsResponse,
    DynamicBehaviorSetGetDynamicBehaviorSetVersionsResponse,
    DynamicBehaviorSetSearchDynamicBehaviorSetsResponse,
    MetricCreateMetricResponse,
    MetricEvaluateMetricsResponse,
    MetricGetMetricEvaluationResultsResponse,
    MetricGetMetricsResponse,
    SimulationCreateSimulationPersonaResponse,
    SimulationCreateSimulationPersonaVersionResponse,
    SimulationCreateSimulationScenarioResponse,
    SimulationGetSimulationPersonasResponse,
    SimulationGetSimulationPersonaVersionsResponse,
    SimulationGetSimulationScenariosResponse,
    SimulationGetSimulationScenarioVersionsResponse,
    SimulationSearchSimulationPersonasResponse,
    SimulationSearchSimulationScenariosResponse,
)

from helpers import UNKNOWN_ID, refused, request
from test_conversations import create, say

TRIGGER = "I am angry."
VERSION = {
    "conversation_triggers": [TRIGGER],
    "actions": [{"type": "inject-instruction", "instruction": "Stay calm.", "overrides_instructions": False}],
}
PERSONA = {
    "background": "Has a toothache.",
    "preferred_language": "eng",
    "user_models": ["Is in a hurry."],
    "nonsensitive_user_variables": {"city": "Bonn"},
    "sensitive_user_variables": {},
}
SCENARIO = {
    "objective": "Get an appointment.",
    "instructions": "Be short.",
    "initial_message_type": "user-message",
    "conversation_starts_at": None,
}


@pytest.fixture
def call(client):
    """Sends a request and reads the answer by the SDK's model of it."""

    def send(model, method, path, **kwargs):
        return model.model_validate_json(request(client, method, path, **kwargs).text)

    return send


@pytest.fixture
def behavior_set_id(call, service_id):
    body = {
        "name": "Calm down",
        "tags": {},
        "applied_to_services": [service_id],
        "initial_version": {"is_active": True, **VERSION},
    }
    created = call(DynamicBehaviorSetCreateDynamicBehaviorSetResponse, "POST", "dynamic_behavior_set/", json=body)
    return created.dynamic_behavior_set_id


@pytest.fixture
def metric_id(call):
    """A metric that is computed: whether the agent repeats what it was told."""
    body = {
        "name": "Echo",
        "tags": {},
        "applied_to_services": [],
        "additional_notes": None,
        "initial_version_metric_value": {
            "description": 'check: contains "angry"',
            "metric_value": {"type": "boolean"},
        },
    }
    return call(MetricCreateMetricResponse, "POST", "metric/", json=body).id


def test_a_behavior_set_from_its_creation_to_its_deletion(call, client, behavior_set_id, service_id):
    path = f"dynamic_behavior_set/{behavior_set_id}/"
    versioned = partial(call, DynamicBehaviorSetCreateDynamicBehaviorSetVersionResponse, "POST", f"{path}version/")
    assert versioned(json=VERSION, params={"version": 2}).new_version_number == 2
    with refused(BadRequestError):
        versioned(json=VERSION, params={"version": 2})
    versions = call(DynamicBehaviorSetGetDynamicBehaviorSetVersionsResponse, "GET", f"{path}version/")
    assert [version.version for version in versions.dynamic_behavior_set_versions] == [1, 2]
    with refused(ConflictError):
        version = {"is_active": True, **VERSION}
        body = {"name": "Calm down", "tags": {}, "applied_to_services": [], "initial_version": version}
        request(client, "POST", "dynamic_behavior_set/", json=body)
    request(client, "POST", path, json={"name": "Calm"})
    query = {"applied_to_service": [service_id], "is_active": True}
    listed = call(DynamicBehaviorSetGetDynamicBehaviorSetsResponse, "GET", "dynamic_behavior_set/", params=query)
    assert [found.name for found in listed.dynamic_behavior_sets] == ["Calm"]
    assert listed.filter_values.applied_to_services_ids == [service_id]
    search = partial(call, DynamicBehaviorSetSearchDynamicBehaviorSetsResponse, "GET", "dynamic_behavior_set/search")
    assert [found.id for found in search(params={"query": "angry"}).dynamic_behavior_sets] == [behavior_set_id]
    request(client, "DELETE", path)
    assert search(params={"query": "angry"}).dynamic_behavior_sets == []
    with refused(NotFoundError):
        request(client, "DELETE", path)


def test_where_a_behavior_set_applied_is_listed(call, client, behavior_set_id, service_id):
    conversation_id = create(client, service_id)[0].conversation_id
    say(client, conversation_id, TRIGGER)
    path = f"dynamic_behavior_set/{behavior_set_id}/invocation/"
    listed = call(DynamicBehaviorSetGetDynamicBehaviorInvocationsResponse, "GET", path)
    (invocation,) = listed.dynamic_behavior_invocations
    assert (invocation.conversation_id, invocation.service_id) == (conversation_id, service_id)
    assert list(invocation.dynamic_behavior_set_version_info) == [behavior_set_id, 1]


def test_a_conversation_is_judged_by_a_metric(call, client, metric_id, service_id):
    started = create(client, service_id)
    conversation_id = started[0].conversation_id
    say(client, conversation_id, TRIGGER)
    body = {"metric_ids": [metric_id], "conversation_id": conversation_id}
    judged = call(MetricEvaluateMetricsResponse, "POST", "metric/evaluate", json=body)
    assert [(result.metric_id, result.value) for result in judged.metrics] == [(metric_id, True)]
    query = {"metric_id_and_version": [f"{metric_id}-1"], "source_type": ["manual"]}
    results = "metric/metric_evaluation_result"
    kept = call(MetricGetMetricEvaluationResultsResponse, "GET", results, params=query)
    (result,) = kept.metric_evaluation_results
    assert (result.result, result.metric_version) == (True, 1)
    assert result.source.root.conversation_id == conversation_id
    with refused(NotFoundError):
        request(client, "POST", "metric/evaluate", json=body | {"conversation_id": UNKNOWN_ID})


def test_metrics_are_listed_changed_and_deleted(call, client, metric_id):
    request(client, "POST", f"metric/{metric_id}/", json={"additional_notes": "Ask Ada."})
    (metric,) = call(MetricGetMetricsResponse, "GET", "metric/", params={"type": ["boolean"]}).metrics
    assert (metric.additional_notes, metric.is_deleted) == ("Ask Ada.", False)
    request(client, "DELETE", f"metric/{metric_id}/")
    assert call(MetricGetMetricsResponse, "GET", "metric/").metrics == []
    (metric,) = call(MetricGetMetricsResponse, "GET", "metric/", params={"id": [metric_id]}).metrics
    assert metric.is_deleted


def test_a_persona_and_its_versions(call, client):
    body = {"name": "Wanda", "role": "patient", "tags": {}, "initial_version": PERSONA}
    created = call(SimulationCreateSimulationPersonaResponse, "POST", "simulation/persona/", json=body)
    path = f"simulation/persona/{created.simulation_persona_id}/"
    added = call(SimulationCreateSimulationPersonaVersionResponse, "POST", f"{path}version/", json=PERSONA)
    assert added.version == 2
    versions = call(SimulationGetSimulationPersonaVersionsResponse, "GET", f"{path}version/")
    assert [version.background for version in versions.simulation_persona_versions] == ["Has a toothache."] * 2
    with refused(ConflictError):
        request(client, "POST", "simulation/persona/", json=body)
    with refused(ValidationError):
        request(client, "POST", "simulation/persona/", json=body | {"role": " "})
    listed = call(SimulationGetSimulationPersonasResponse, "GET", "simulation/persona/", params={"role": ["patient"]})
    assert listed.filter_values.roles == ["patient"]
    search = "simulation/persona/search"
    found = call(SimulationSearchSimulationPersonasResponse, "GET", search, params={"query": "toothache"})
    assert [persona.name for persona in found.simulation_personas] == ["Wanda"]
    request(client, "DELETE", path)


def test_a_scenario_and_its_versions(call, client):
    body = {"name": "Toothache", "tags": {}, "initial_version": SCENARIO}
    created = call(SimulationCreateSimulationScenarioResponse, "POST", "simulation/scenario/", json=body)
    path = f"simulation/scenario/{created.simulation_scenario_id}/"
    later = SCENARIO | {"conversation_starts_at": "2027-01-01T00:00:00Z"}
    request(client, "POST", f"{path}version/", json=later)
    versions = call(SimulationGetSimulationScenarioVersionsResponse, "GET", f"{path}version/")
    starts = [version.conversation_starts_at for version in versions.simulation_scenario_versions]
    assert starts[0] is None and starts[1].year == 2027
    listed = call(SimulationGetSimulationScenariosResponse, "GET", "simulation/scenario/", params={"limit": 200})
    assert [scenario.name for scenario in listed.simulation_scenarios] == ["Toothache"]
    search = "simulation/scenario/search"
    found = call(SimulationSearchSimulationScenariosResponse, "GET", search, params={"query": "tooth"})
    assert [scenario.name for scenario in found.simulation_scenarios] == ["Toothache"]
    request(client, "DELETE", path)


def test_other_organizations_see_nothing_of_it(client, outsider, behavior_set_id):
    with refused(NotFoundError):
        request(outsider, "DELETE", f"dynamic_behavior_set/{behavior_set_id}/")
    with refused(AuthenticationError):
        outsider._http.request("GET", f"/v1/{client.config.organization_id}/dynamic_behavior_set/")
