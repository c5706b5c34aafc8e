"""Agents and their versions."""

import pytest
from amigo_sdk import BadRequestError, ConflictError, NotFoundError, ValidationError
from amigo_sdk.generated.model import (
    GetAgentsParametersQuery,
    GetAgentVersionsParametersQuery,
    OrganizationCreateAgentRequest,
)

from helpers import MALFORMED_ID, UNKNOWN_ID, agent_body, create_agent, create_agent_version, refused, request


def list_agents(client, **query):
    return client.agents.list(GetAgentsParametersQuery(**query))


def list_versions(client, agent_id, **query):
    return client.agents.get_agent_versions(agent_id, GetAgentVersionsParametersQuery(**query))


def numbers(page):
    return [version.version for version in page.agent_versions]


def test_a_new_agent_has_no_version(client, responses):
    created = client.agents.create(OrganizationCreateAgentRequest(agent_name="Mira"))
    assert responses[-1].status_code == 201
    [agent] = client.agents.list().agents
    assert agent.model_dump() == {"id": created.id, "name": "Mira", "deprecated": False, "latest_version": None}


def test_a_taken_name_is_a_conflict(client):
    create_agent(client, "Mira")
    with refused(ConflictError):
        create_agent(client, "Mira")


@pytest.mark.parametrize("name", ["", "n" * 257], ids=["empty", "too long"])
def test_an_empty_or_overlong_name_is_invalid(client, name):
    with refused(ValidationError):
        request(client, "POST", "organization/agent", json={"agent_name": name})


def test_pages_of_agents_follow_one_another_without_gap_or_repetition(client):
    created = [create_agent(client, name, versions=0) for name in ("Ada", "Ben", "Cem", "Dag", "Eva")]
    first = list_agents(client, limit=2)
    second = list_agents(client, limit=2, continuation_token=first.continuation_token)
    third = list_agents(client, limit=2, continuation_token=second.continuation_token)
    assert [len(page.agents) for page in (first, second, third)] == [2, 2, 1]
    assert [page.has_more for page in (first, second, third)] == [True, True, False]
    assert third.continuation_token is None
    assert sorted(agent.id for page in (first, second, third) for agent in page.agents) == sorted(created)


@pytest.mark.parametrize("limit", [0, 21])
def test_a_limit_outside_its_range_is_invalid(client, limit):
    with refused(ValidationError):
        request(client, "GET", "organization/agent", params={"limit": limit})


def test_agents_are_filtered_by_id(client):
    ada, ben, _ = (create_agent(client, name, versions=0) for name in ("Ada", "Ben", "Cem"))
    assert {agent.id for agent in list_agents(client, id=[ada, ben]).agents} == {ada, ben}
    assert list_agents(client, id=[UNKNOWN_ID]).agents == []


def test_agents_are_filtered_by_deprecation(client):
    kept, deleted = create_agent(client, "Ada", versions=0), create_agent(client, "Ben", versions=0)
    client.agents.delete(deleted)
    assert [agent.id for agent in list_agents(client, deprecated=False).agents] == [kept]
    assert [agent.id for agent in list_agents(client, deprecated=True).agents] == [deleted]
    assert {agent.id for agent in list_agents(client).agents} == {kept, deleted}


def test_a_first_version_that_lacks_a_field_is_a_bad_request(client):
    agent_id = create_agent(client, versions=0)
    for field in agent_body():
        body = agent_body()
        del body[field]
        with refused(BadRequestError):
            create_agent_version(client, agent_id, body)
    assert list_agents(client).agents[0].latest_version is None


def test_a_complete_first_version_is_number_one_and_reads_back_as_it_was_sent(client, responses):
    agent_id = create_agent(client, versions=0)
    created = create_agent_version(client, agent_id, agent_body())
    assert responses[-1].status_code == 201
    assert created.version == 1
    [version] = list_versions(client, agent_id).agent_versions
    stored, sent = version.model_dump(mode="json"), agent_body()
    assert version.voice_config.voice_id == sent.pop("voice_config")["voice_id"]
    assert {field: stored[field] for field in sent} == sent
    assert (version.org_id, version.agent_id, version.version) == (client.config.organization_id, agent_id, 1)
    assert version.created_at == created.created_at
    assert version.creator.model_dump() == {"org_id": client.config.organization_id, "user_id": client.config.user_id}
    assert list_agents(client).agents[0].latest_version == 1


def test_a_later_version_keeps_the_fields_that_it_does_not_name(client, agent_id):
    assert create_agent_version(client, agent_id, {"background": "Mira has moved."}).version == 2
    first, second = list_versions(client, agent_id, sort_by=["+version"]).agent_versions
    changed = {"version": 2, "background": "Mira has moved.", "created_at": second.created_at}
    assert second.model_dump() == {**first.model_dump(), **changed}
    assert first.background == agent_body()["background"]


def test_a_version_that_is_not_the_next_one_is_a_conflict(client, agent_id):
    for number in (1, 3):
        with refused(ConflictError):
            create_agent_version(client, agent_id, {"background": "Mira has moved."}, version=number)
    assert create_agent_version(client, agent_id, {"background": "Mira has moved."}, version=2).version == 2


def test_versions_are_listed_one_by_one_by_range_and_by_page(client):
    agent_id = create_agent(client, versions=6)
    for selection, expected in {
        None: [1, 2, 3, 4, 5, 6],
        "3": [3],
        "latest": [6],
        "2-5": [2, 3, 4, 5],
        "1-latest": [1, 2, 3, 4, 5, 6],
    }.items():
        ascending = list_versions(client, agent_id, version=selection, sort_by=["+version"])
        descending = list_versions(client, agent_id, version=selection, sort_by=["-version"])
        assert numbers(ascending) == expected
        assert numbers(descending) == expected[::-1]
        assert (ascending.has_more, ascending.continuation_token) == (False, None)
    first = list_versions(client, agent_id, sort_by=["-version"], limit=4)
    rest = list_versions(client, agent_id, sort_by=["-version"], limit=4, continuation_token=first.continuation_token)
    assert (numbers(first), first.has_more) == ([6, 5, 4, 3], True)
    assert (numbers(rest), rest.has_more, rest.continuation_token) == ([2, 1], False, None)


def test_a_deleted_agent_stays_readable_and_cannot_be_deleted_again(client, agent_id, responses):
    client.agents.delete(agent_id)
    assert (responses[-1].status_code, responses[-1].json()) == (200, {})
    with refused(ConflictError):
        client.agents.delete(agent_id)
    [agent] = list_agents(client).agents
    assert (agent.id, agent.deprecated, agent.latest_version) == (agent_id, True, 1)
    assert numbers(list_versions(client, agent_id)) == [1]


@pytest.mark.parametrize(("agent_id", "error"), [(UNKNOWN_ID, NotFoundError), (MALFORMED_ID, ValidationError)])
def test_an_unknown_agent_is_not_found_and_a_malformed_id_is_invalid(client, agent_id, error):
    for call in (
        lambda: create_agent_version(client, agent_id, agent_body()),
        lambda: list_versions(client, agent_id),
        lambda: client.agents.delete(agent_id),
    ):
        with refused(error):
            call()
