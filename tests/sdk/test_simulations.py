"""Unit tests, sets of them and runs: the SDK has no methods for them, but models of every answer."""

import time
from functools import partial

import httpx
import pytest
from amigo_sdk import BadRequestError, ConflictError, NotFoundError, ValidationError
from amigo_sdk.generated.model import (
    SimulationCreateSimulationUnitTestResponse,
    SimulationCreateSimulationUnitTestSetResponse,
    SimulationCreateSimulationUnitTestSetRunResponse,
    SimulationGetSimulationUnitTestSetRunArtifactsResponse,
    SimulationGetSimulationUnitTestSetRunsResponse,
    SimulationGetSimulationUnitTestSetsResponse,
    SimulationGetSimulationUnitTestsResponse,
    SimulationSearchSimulationUnitTestSetResponse,
    SimulationSearchSimulationUnitTestsResponse,
)

from helpers import UNKNOWN_ID, refused, request, upsert, version_set
from test_items import PERSONA, SCENARIO

TESTS, SETS, RUNS = (f"simulation/{noun}/" for noun in ("unit_test", "unit_test_set", "unit_test_set_run"))
PATIENCE = 60  # seconds that a run may take


@pytest.fixture
def call(client):
    """Sends a request and reads the answer by the SDK's model of it."""

    def send(model, method, path, **kwargs):
        return model.model_validate_json(request(client, method, path, **kwargs).text)

    return send


@pytest.fixture
def body(client, service_id):
    """The body that creates a unit test of the service's set `test`."""
    upsert(client, service_id, "test", version_set(1, 1))
    metric = {
        "name": "Echo",
        "tags": {},
        "applied_to_services": [],
        "additional_notes": None,
        "initial_version_metric_value": {
            "description": 'check: contains "you said"',
            "metric_value": {"type": "boolean"},
        },
    }
    persona = {"name": "Wanda", "role": "patient", "tags": {}, "initial_version": PERSONA}
    scenario = {"name": "Toothache", "tags": {}, "initial_version": SCENARIO}
    criterion = {
        "name": "repeats",
        "metric_id": request(client, "POST", "metric/", json=metric).json()["id"],
        "criterion": {"type": "boolean", "expected_value": True},
    }
    personas, scenarios = "simulation/persona/", "simulation/scenario/"
    return {
        "name": "Confirms",
        "description": "It says what it understood.",
        "service_id": service_id,
        "service_version_set_name": "test",
        "persona_id": request(client, "POST", personas, json=persona).json()["simulation_persona_id"],
        "scenario_id": request(client, "POST", scenarios, json=scenario).json()["simulation_scenario_id"],
        "max_interactions": 5,
        "success_criterions": [criterion],
        "tags": {},
    }


@pytest.fixture
def unit_test_id(call, body):
    return call(SimulationCreateSimulationUnitTestResponse, "POST", TESTS, json=body).simulation_unit_test_id


@pytest.fixture
def unit_test_set_id(call, unit_test_id):
    runs = [{"unit_test_id": unit_test_id, "run_count": 2}]
    body = {"name": "Smoke", "description": None, "unit_test_runs": runs, "tags": {}}
    return call(SimulationCreateSimulationUnitTestSetResponse, "POST", SETS, json=body).simulation_unit_test_set_id


def test_a_unit_test_from_its_creation_to_its_deletion(call, client, body, unit_test_id):
    with refused(ConflictError):
        request(client, "POST", TESTS, json=body)
    with refused(NotFoundError):
        request(client, "POST", TESTS, json=body | {"name": "Other", "persona_id": UNKNOWN_ID})
    with refused(ValidationError):
        request(client, "POST", TESTS, json=body | {"name": "Other", "max_interactions": 101})
    request(client, "POST", f"{TESTS}{unit_test_id}/", json={"max_interactions": 7})
    listed = call(SimulationGetSimulationUnitTestsResponse, "GET", TESTS, params={"persona_id": [body["persona_id"]]})
    (found,) = listed.simulation_unit_tests
    assert (found.id, found.max_interactions, found.success_criterions[0].name) == (unit_test_id, 7, "repeats")
    assert listed.filter_values.metric_ids == [body["success_criterions"][0]["metric_id"]]
    search = call(SimulationSearchSimulationUnitTestsResponse, "GET", f"{TESTS}search/", params={"query": "understood"})
    assert [found.name for found in search.simulation_unit_tests] == ["Confirms"]
    with refused(BadRequestError) as caught:
        request(client, "DELETE", f"service/{body['service_id']}/version_sets/test/")
    assert "Confirms" in str(caught.value)
    request(client, "DELETE", f"{TESTS}{unit_test_id}/")
    request(client, "DELETE", f"service/{body['service_id']}/version_sets/test/")


def test_a_set_of_unit_tests(call, client, unit_test_id, unit_test_set_id):
    with refused(BadRequestError):
        request(client, "DELETE", f"{TESTS}{unit_test_id}/")
    # Without a trailing slash, as documented, and with one, as some clients send it.
    request(client, "POST", f"{SETS}{unit_test_set_id}", json={"name": "Night"})
    request(client, "POST", f"{SETS}{unit_test_set_id}/", json={"description": "Every night."})
    (found,) = call(SimulationGetSimulationUnitTestSetsResponse, "GET", SETS).simulation_unit_test_sets
    assert (found.name, found.description, found.last_triggered_run_id) == ("Night", "Every night.", None)
    search = partial(call, SimulationSearchSimulationUnitTestSetResponse, "GET", f"{SETS}search/")
    assert [found.name for found in search(params={"query": "every"}).simulation_unit_test_sets] == ["Night"]
    request(client, "DELETE", f"{SETS}{unit_test_set_id}/")
    assert search(params={"query": "every"}).simulation_unit_test_sets == []


def test_a_run_from_its_creation_to_its_artifacts(call, client, unit_test_set_id):
    body = {"simulation_unit_test_set_id": unit_test_set_id}
    run_id = call(
        SimulationCreateSimulationUnitTestSetRunResponse, "POST", RUNS, json=body
    ).simulation_unit_test_set_run_id
    run = wait(call, run_id)
    assert (run.failed_metrics, run.errored, run.artifacts_generated) == (False, False, True)
    (spec,), (result,) = run.unit_test_run_specs, run.unit_test_run_results
    assert (spec.run_count, spec.agent_version_info[1]) == (2, 1)
    assert [judged.root[1] for judged in result.metric_evaluation_results[0].results] == [True, True]
    with refused(ConflictError):
        request(client, "DELETE", f"{RUNS}{run_id}/")
    path = f"{RUNS}{run_id}/artifacts/"
    link = call(SimulationGetSimulationUnitTestSetRunArtifactsResponse, "GET", path)
    artifacts = httpx.get(str(link.presigned_url), trust_env=False).json()
    said = [message["message"] for message in artifacts["conversations"][0]["messages"]]
    assert said[0] == "Hello." and "you said: Hello." in said[1]


def wait(call, run_id):
    """Returns a run once it has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        listed = call(SimulationGetSimulationUnitTestSetRunsResponse, "GET", RUNS, params={"id": [run_id]})
        (run,) = listed.simulation_unit_test_set_runs
        if run.is_completed:
            return run
        time.sleep(0.1)
    raise AssertionError(f"the run has not ended: {run}")
