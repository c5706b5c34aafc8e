"""Services: what binds one agent to one context graph."""

import pytest
from amigo_sdk import BadRequestError, ConflictError, NotFoundError, ValidationError
from amigo_sdk.generated.model import GetServicesParametersQuery, ServiceUpdateServiceRequest

from helpers import (
    MALFORMED_ID,
    UNKNOWN_ID,
    create_agent,
    create_graph,
    create_service,
    read_service,
    refused,
    request,
    service_body,
    version_set,
)


def list_services(client, **query):
    return client.services.list(GetServicesParametersQuery(**query))


def names(page):
    return [service.name for service in page.services]


def create_untyped(client, agent_id, graph_id, **fields):
    """Goes around the SDK's models, which cannot hold tags."""
    return request(client, "POST", "service/", json=service_body(agent_id, graph_id, **fields)).json()["id"]


def update(client, service_id, **fields):
    client.services.update_service(service_id, ServiceUpdateServiceRequest(**fields))


@pytest.fixture
def tagged_services(client, agent_id, graph_id):
    """The ids of three services by name."""
    return {
        fields["name"]: create_untyped(client, agent_id, graph_id, **fields)
        for fields in (
            {"name": "Admission", "tags": {"team": "care", "stage": None}},
            {"name": "Billing", "tags": {"team": "office"}, "is_active": False},
            {"name": "Callback", "tags": {"team": None}},
        )
    }


def test_a_new_service_reads_back_with_edge_and_a_release_that_equals_it(client, agent_id, graph_id, responses):
    service_id = create_service(client, agent_id, graph_id, keyterms=["root canal", "crown"])
    assert responses[-1].status_code == 201
    author = {"org_id": client.config.organization_id, "user_id": client.config.user_id}
    latest = version_set(agent=None, graph=None)
    assert read_service(client, service_id).model_dump() == {
        "id": service_id,
        "name": "Front desk",
        "description": "Answers patients.",
        "is_active": True,
        "agent_id": agent_id,
        "service_hierarchical_state_machine_id": graph_id,
        "version_sets": {"edge": latest, "release": latest},
        "keyterms": ["root canal", "crown"],
        "tags": [],
        "creator": author,
        "updated_by": author,
    }


def test_a_service_can_start_with_a_pinned_release(client, agent_id, graph_id):
    service = read_service(client, create_service(client, agent_id, graph_id, release_version_set=version_set()))
    assert service.version_sets["release"].model_dump() == version_set()
    assert service.version_sets["edge"].model_dump() == version_set(agent=None, graph=None)


def test_tags_are_sent_as_an_object_and_come_back_as_a_list_of_pairs(client, tagged_services):
    tags = read_service(client, tagged_services["Admission"]).tags
    assert {tag.key: tag.value for tag in tags} == {"team": "care", "stage": None}


def test_services_are_filtered_by_id_activity_and_tags(client, tagged_services):
    two_ids = [tagged_services["Admission"], tagged_services["Callback"]]
    for query, expected in (
        ({}, ["Admission", "Billing", "Callback"]),
        ({"id": two_ids}, ["Admission", "Callback"]),
        ({"id": [UNKNOWN_ID]}, []),
        ({"is_active": True}, ["Admission", "Callback"]),
        ({"is_active": False}, ["Billing"]),
        ({"tags": ["team:care"]}, ["Admission"]),
        ({"tags": ["team:*"]}, ["Admission", "Billing", "Callback"]),
        ({"tags": ["team:"]}, ["Callback"]),
        ({"tags": ["team:*", "stage:"]}, ["Admission"]),
        ({"tags": ["team:care"], "is_active": False}, []),
    ):
        assert names(list_services(client, sort_by=["+name"], **query)) == expected, query


def test_services_are_sorted_by_name_and_activity(client, tagged_services):
    for sort_by, expected in (
        (["+name"], ["Admission", "Billing", "Callback"]),
        (["-name"], ["Callback", "Billing", "Admission"]),
        (["+is_active", "-name"], ["Billing", "Callback", "Admission"]),
        (["-is_active", "+name"], ["Admission", "Callback", "Billing"]),
    ):
        assert names(list_services(client, sort_by=sort_by)) == expected, sort_by


def test_pages_follow_one_another_and_only_the_first_has_filter_values(client, tagged_services):
    first = list_services(client, sort_by=["-name"], limit=2)
    second = list_services(client, sort_by=["-name"], limit=2, continuation_token=first.continuation_token)
    assert (names(first), first.has_more) == (["Callback", "Billing"], True)
    assert (names(second), second.has_more, second.continuation_token) == (["Admission"], False, None)
    assert any("stage" in tag for tag in first.filter_values.tags)
    assert second.filter_values is None


def test_a_name_is_taken_only_by_an_active_service(client, agent_id, graph_id):
    active = create_service(client, agent_id, graph_id)
    with refused(ConflictError):
        create_service(client, agent_id, graph_id)
    inactive = create_service(client, agent_id, graph_id, is_active=False)
    with refused(ConflictError):
        update(client, inactive, is_active=True)
    update(client, active, is_active=False)
    update(client, inactive, is_active=True)
    assert [service.id for service in list_services(client, is_active=True).services] == [inactive]


def test_an_unknown_agent_or_graph_is_not_found(client, agent_id, graph_id):
    with refused(NotFoundError):
        create_service(client, UNKNOWN_ID, graph_id)
    with refused(NotFoundError):
        create_service(client, agent_id, UNKNOWN_ID)


def test_an_agent_or_graph_without_versions_is_a_bad_request(client, agent_id, graph_id):
    with refused(BadRequestError):
        create_service(client, create_agent(client, "Unborn", versions=0), graph_id)
    with refused(BadRequestError):
        create_service(client, agent_id, create_graph(client, "Unborn", versions=0))


@pytest.mark.parametrize("pins", [version_set(agent=2), version_set(graph=2)], ids=["agent", "graph"])
def test_a_release_that_pins_a_version_that_does_not_exist_is_a_bad_request(client, agent_id, graph_id, pins):
    with refused(BadRequestError):
        create_service(client, agent_id, graph_id, release_version_set=pins)
    assert list_services(client).services == []


def test_an_update_changes_what_it_names_and_leaves_the_rest(client, service_id, responses):
    before = read_service(client, service_id)
    update(client, service_id, name="Reception", keyterms=["implant"])
    assert (responses[-1].status_code, responses[-1].json()) == (200, {})
    changed = {"name": "Reception", "keyterms": ["implant"]}
    assert read_service(client, service_id).model_dump() == {**before.model_dump(), **changed}


def test_an_update_replaces_all_tags(client, tagged_services):
    service_id = tagged_services["Admission"]
    request(client, "POST", f"service/{service_id}/", json={"tags": {"team": "night", "floor": None}})
    tags = read_service(client, service_id).tags
    assert {tag.key: tag.value for tag in tags} == {"team": "night", "floor": None}
    assert names(list_services(client, tags=["team:care"])) == []


def test_a_service_is_deactivated_and_activated_again(client, service_id):
    update(client, service_id, is_active=False)
    assert not read_service(client, service_id).is_active
    update(client, service_id, is_active=True)
    assert read_service(client, service_id).is_active


def test_an_active_service_keeps_its_agent_and_graph_from_being_deleted(client, agent_id, graph_id, service_id):
    for delete in (lambda: client.agents.delete(agent_id), lambda: client.context_graphs.delete(graph_id)):
        with refused(BadRequestError):
            delete()
    update(client, service_id, is_active=False)
    client.agents.delete(agent_id)
    client.context_graphs.delete(graph_id)


def test_a_service_with_a_deprecated_agent_cannot_be_activated(client, agent_id, service_id):
    update(client, service_id, is_active=False)
    client.agents.delete(agent_id)
    with refused(BadRequestError):
        update(client, service_id, is_active=True)


@pytest.mark.parametrize(("service_id", "error"), [(UNKNOWN_ID, NotFoundError), (MALFORMED_ID, ValidationError)])
def test_an_unknown_service_is_not_found_and_a_malformed_id_is_invalid(client, service_id, error):
    with refused(error):
        update(client, service_id, name="Reception")


@pytest.mark.parametrize(
    "fields",
    [{"name": ""}, {"tags": {"no:colon": "x"}}, {"keyterms": ["UPPER"]}, {"keyterms": ["x"] * 21}, {"is_active": None}],
    ids=["empty name", "tag key", "keyterm", "too many keyterms", "null"],
)
def test_a_body_outside_the_schema_is_invalid(client, agent_id, graph_id, fields):
    with refused(ValidationError):
        create_untyped(client, agent_id, graph_id, **fields)
