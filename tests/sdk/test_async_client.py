"""The asynchronous client, from an empty organization to a pinned release."""

import asyncio

from amigo_sdk import AsyncAmigoClient, NotFoundError
from amigo_sdk.generated.model import (
    OrganizationCreateAgentRequest,
    OrganizationCreateAgentVersionRequest,
    OrganizationCreateServiceHierarchicalStateMachineRequest,
    OrganizationCreateServiceHierarchicalStateMachineVersionRequest,
    ServiceCreateServiceRequest,
    ServiceUpsertServiceVersionSetRequest,
)

from helpers import agent_body, graph_body, refused, service_body, version_set


def test_the_async_client_takes_an_empty_organization_to_a_pinned_release(organization):
    asyncio.run(journey(organization))


async def journey(organization):
    async with AsyncAmigoClient(config=organization) as client:
        agent_id, graph_id = await asyncio.gather(create_agent(client), create_graph(client))
        service = await client.services.create(ServiceCreateServiceRequest(**service_body(agent_id, graph_id)))
        pinned = ServiceUpsertServiceVersionSetRequest(version_set=version_set())
        await client.services.upsert_version_set(service.id, "preview", pinned)
        await client.services.upsert_version_set(service.id, "release", pinned)
        await client.services.delete_version_set(service.id, "preview")
        with refused(NotFoundError):
            await client.services.delete_version_set(service.id, "preview")
        [listed] = (await client.services.list()).services
        assert set(listed.version_sets) == {"edge", "release"}
        assert listed.version_sets["release"].model_dump() == version_set()


async def create_agent(client):
    agent = await client.agents.create(OrganizationCreateAgentRequest(agent_name="Mira"))
    body = OrganizationCreateAgentVersionRequest(**agent_body())
    assert (await client.agents.create_agent_version(agent.id, body)).version == 1
    return agent.id


async def create_graph(client):
    name = OrganizationCreateServiceHierarchicalStateMachineRequest(state_machine_name="Care")
    graph = await client.context_graphs.create(name)
    body = OrganizationCreateServiceHierarchicalStateMachineVersionRequest(**graph_body())
    assert (await client.context_graphs.create_context_graph_version(graph.id, body)).version == 1
    return graph.id
