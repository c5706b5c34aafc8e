"""Bodies, short cuts and expectations that the tests share."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from amigo_sdk.generated.model import (
    GetServicesParametersQuery,
    OrganizationCreateAgentRequest,
    OrganizationCreateAgentVersionRequest,
    OrganizationCreateServiceHierarchicalStateMachineRequest,
    OrganizationCreateServiceHierarchicalStateMachineVersionRequest,
    ServiceCreateServiceRequest,
    ServiceUpsertServiceVersionSetRequest,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
UNKNOWN_ID = "0123456789abcdef01234567"
MALFORMED_ID = "not-an-id"
MODEL = "openai_gpt-5.4-mini-2026-03-17"


@contextmanager
def refused(error_class):
    """Expects exactly this class (422's is a subclass of 400's) and a text that the server gave."""
    with pytest.raises(error_class) as caught:
        yield caught
    error = caught.value
    assert type(error) is error_class
    assert error.args[0].strip()
    assert error.args[0] != f"HTTP {error.status_code} error"  # the SDK's own words for a body without a text


def request(client, method, path, **kwargs):
    """Sends through the SDK's HTTP client what it has no method for, or what its models cannot hold."""
    return client._http.request(method, f"/v1/{client.config.organization_id}/{path}", **kwargs)


def agent_body():
    """A complete agent version."""
    return json.loads((EXAMPLES / "agent/v1.json").read_text())


def graph_body():
    """A complete context-graph version that passes through the SDK's models.

    They drop the null that a recall state must have, so that recall states become annotations.
    """
    body = json.loads((EXAMPLES / "context_graph/v1.json").read_text())
    for state in body["states"]:
        if state["type"] == "recall":
            name, next_state = state["name"], state["next_state"]
            state.clear()
            state.update(type="annotation", name=name, inner_thought="What do I know?", next_state=next_state)
    return body


def create_agent(client, name="Mira", versions=1):
    agent_id = client.agents.create(OrganizationCreateAgentRequest(agent_name=name)).id
    for _ in range(versions):
        create_agent_version(client, agent_id, agent_body())
    return agent_id


def create_agent_version(client, agent_id, body, version=None):
    return client.agents.create_agent_version(agent_id, OrganizationCreateAgentVersionRequest(**body), version)


def create_graph(client, name="Care", versions=1):
    body = OrganizationCreateServiceHierarchicalStateMachineRequest(state_machine_name=name)
    graph_id = client.context_graphs.create(body).id
    for _ in range(versions):
        create_graph_version(client, graph_id, graph_body())
    return graph_id


def create_graph_version(client, graph_id, body, query=None):
    typed = OrganizationCreateServiceHierarchicalStateMachineVersionRequest(**body)
    return client.context_graphs.create_context_graph_version(graph_id, typed, query)


def service_body(agent_id, graph_id, **fields):
    return {
        "agent_id": agent_id,
        "service_hierarchical_state_machine_id": graph_id,
        "name": "Front desk",
        "description": "Answers patients.",
        "is_active": True,
        "keyterms": [],
        "tags": {},
        **fields,
    }


def create_service(client, agent_id, graph_id, **fields):
    return client.services.create(ServiceCreateServiceRequest(**service_body(agent_id, graph_id, **fields))).id


def read_service(client, service_id):
    [service] = client.services.list(GetServicesParametersQuery(id=[service_id])).services
    return service


def version_set(agent=1, graph=1, **preferences):
    return {
        "agent_version_number": agent,
        "service_hierarchical_state_machine_version_number": graph,
        "llm_model_preferences": preferences,
    }


def upsert(client, service_id, name, pins):
    client.services.upsert_version_set(service_id, name, ServiceUpsertServiceVersionSetRequest(version_set=pins))


def upsert_untyped(client, service_id, name, pins):
    """Keeps nulls and unknown model names, which the SDK's models drop or refuse."""
    return request(client, "PUT", f"service/{service_id}/version_sets/{name}/", json={"version_set": pins})
