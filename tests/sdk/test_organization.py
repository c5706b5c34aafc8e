"""The organization itself, and that nothing crosses it."""

import pytest
from amigo_sdk import AuthenticationError, ForbiddenError, NotFoundError
from amigo_sdk.generated.model import (
    GetAgentsParametersQuery,
    GetServiceHierarchicalStateMachinesParametersQuery,
    GetServicesParametersQuery,
)

from helpers import create_agent, create_graph, create_service, refused, upsert, version_set


def test_an_organization_describes_itself(client):
    assert client.organizations.get().org_id == client.config.organization_id


def test_an_unknown_organization_is_not_found(client):
    with refused(NotFoundError):
        client._http.request("GET", "/v1/no-such-organization/organization/")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "organization/agent"), ("POST", "organization/agent"), ("GET", "service/"), ("GET", "admin/get_models/")],
)
def test_another_organizations_token_opens_nothing_here(organization, outsider, method, path):
    body = {"json": {"agent_name": "Mira"}} if method == "POST" else {}
    with pytest.raises((AuthenticationError, ForbiddenError)) as caught:
        outsider._http.request(method, f"/v1/{organization.organization_id}/{path}", **body)
    assert caught.value.status_code in (401, 403)


def test_another_organizations_entities_are_not_found_here(client, outsider):
    agent_id, graph_id = create_agent(outsider), create_graph(outsider)
    service_id = create_service(outsider, agent_id, graph_id)
    for call in (
        lambda: client.agents.get_agent_versions(agent_id),
        lambda: client.agents.delete(agent_id),
        lambda: client.context_graphs.get_context_graph_versions(graph_id),
        lambda: client.context_graphs.delete(graph_id),
        lambda: upsert(client, service_id, "test", version_set()),
        lambda: client.services.delete_version_set(service_id, "test"),
        lambda: create_service(client, agent_id, create_graph(client, "Ours")),
        lambda: create_service(client, create_agent(client, "Ours"), graph_id),
    ):
        with refused(NotFoundError):
            call()


def test_lists_hold_nothing_of_another_organization_even_when_asked_by_id(client, outsider):
    agent_id, graph_id = create_agent(outsider), create_graph(outsider)
    service_id = create_service(outsider, agent_id, graph_id)
    agents = client.agents.list(GetAgentsParametersQuery(id=[agent_id]))
    graphs = client.context_graphs.list(GetServiceHierarchicalStateMachinesParametersQuery(id=[graph_id]))
    services = client.services.list(GetServicesParametersQuery(id=[service_id]))
    assert (agents.agents, graphs.service_hierarchical_state_machines, services.services) == ([], [], [])


def test_two_organizations_may_use_the_same_names(client, outsider):
    for each in (client, outsider):
        create_service(each, create_agent(each), create_graph(each))
